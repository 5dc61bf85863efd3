//! RFC 1951 and RFC 7692 §7.2.2, bit by bit.

/// How a message was read.
#[derive(Debug)]
pub struct Read {
    /// What came out, up to the fault if there is one.
    pub out: Vec<u8>,
    /// Whether the data is DEFLATE to its end.
    pub good: bool,
    /// The longest distance of a reference back.
    pub farthest: usize,
    /// How many final blocks were read.
    pub finals: usize,
}

/// The octets that a receiver puts behind a message.
const TAIL: &[u8] = &[0x00, 0x00, 0xFF, 0xFF];

/// Reads a message that may refer to `earlier`, to about `enough` bytes of output.
///
/// Two things are not in RFC 7692: a message that ends with a final block, at an octet's end, may
/// lack the octet that §7.2.3.4 adds; and the octets that are put behind must not become output.
pub fn message(compressed: &[u8], earlier: &[u8], enough: usize) -> Read {
    let mut reader = Reader {
        data: [compressed, TAIL].concat(),
        bit: 0,
        sent: 8 * compressed.len(),
        window: earlier.to_vec(),
        earlier: earlier.len(),
        enough: earlier.len() + enough,
        farthest: 0,
        finals: 0,
    };
    let good = reader.message().is_some();
    let out = reader.window.split_off(reader.earlier);
    Read { out, good, farthest: reader.farthest, finals: reader.finals }
}

struct Reader {
    data: Vec<u8>,
    /// The next bit, and where those end that the peer has sent.
    bit: usize,
    sent: usize,
    /// What was known before, and what came out.
    window: Vec<u8>,
    earlier: usize,
    enough: usize,
    farthest: usize,
    finals: usize,
}

/// A Huffman code (§3.2.2): the codewords in order, by length and bits, and their symbols.
struct Code(Vec<(u8, u16, usize)>);

impl Code {
    /// `None` unless every string of bits has one reading; a single codeword of one bit, and where
    /// `may_be_empty` none at all, will do.
    fn new(lengths: &[u8], may_be_empty: bool, may_be_single: bool) -> Option<Self> {
        let mut words = Vec::new();
        let mut next = 0u32;
        for length in 1..=15u8 {
            next <<= 1;
            for (symbol, l) in lengths.iter().enumerate() {
                if *l == length {
                    if next >= 1 << length {
                        return None; // over-subscribed
                    }
                    words.push((length, next as u16, symbol));
                    next += 1;
                }
            }
        }
        let complete = next == 1 << 15;
        let single = words.len() == 1 && words[0].0 == 1;
        (complete || single && may_be_single || words.is_empty() && may_be_empty)
            .then_some(Self(words))
    }
}

impl Reader {
    fn message(&mut self) -> Option<()> {
        let mut behind_final = true;
        loop {
            if behind_final && self.bit == self.sent || self.bit == 8 * self.data.len() {
                return Some(());
            }
            behind_final = self.block()?;
            if behind_final {
                self.finals += 1;
                self.bit = self.bit.next_multiple_of(8);
            }
        }
    }

    /// Reads a block, and tells whether it is a final one.
    fn block(&mut self) -> Option<bool> {
        let last = self.bits(1)? == 1;
        match self.bits(2)? {
            0 => {
                self.bit = self.bit.next_multiple_of(8);
                let (len, complement) = (self.bits(16)?, self.bits(16)?);
                if len ^ complement != 0xFFFF {
                    return None;
                }
                for _ in 0..len {
                    let byte = self.bits(8)? as u8;
                    self.put(byte)?;
                }
            }
            1 => {
                let lengths = [&[8; 144][..], &[9; 112], &[7; 24], &[8; 8]].concat();
                let literals = Code::new(&lengths, false, false)?;
                let distances = Code::new(&[5; 32], false, false)?;
                self.symbols(&literals, &distances)?;
            }
            2 => {
                let (literals, distances) = self.codes()?;
                self.symbols(&literals, &distances)?;
            }
            _ => return None,
        }
        Some(last)
    }

    fn codes(&mut self) -> Option<(Code, Code)> {
        const ORDER: [usize; 19] =
            [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let literals = self.bits(5)? + 257;
        let distances = self.bits(5)? + 1;
        let count = self.bits(4)? + 4;
        // There are 286 literals and lengths, and 30 distances (§3.2.5).
        if literals > 286 || distances > 30 {
            return None;
        }
        let mut lengths = [0; 19];
        for place in &ORDER[..count] {
            lengths[*place] = self.bits(3)? as u8;
        }
        let code = Code::new(&lengths, false, false)?;
        let mut lengths: Vec<u8> = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match self.symbol(&code)? {
                16 => (*lengths.last()?, 3 + self.bits(2)?),
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                length => (length as u8, 1),
            };
            lengths.extend(std::iter::repeat_n(length, times));
        }
        let rest = lengths.split_off(literals);
        // Lengths must not go on behind the last code, and a block needs a way to end.
        if rest.len() != distances || lengths[256] == 0 {
            return None;
        }
        Some((Code::new(&lengths, false, true)?, Code::new(&rest, true, true)?))
    }

    fn symbols(&mut self, literals: &Code, distances: &Code) -> Option<()> {
        loop {
            let length = match self.symbol(literals)? {
                literal @ 0..=255 => {
                    self.put(literal as u8)?;
                    continue;
                }
                256 => return Some(()),
                length @ 257..=264 => length - 254,
                length @ 265..=284 => {
                    let extra = (length - 261) / 4;
                    3 + ((4 + (length - 261) % 4) << extra) + self.bits(extra)?
                }
                285 => 258,
                _ => return None,
            };
            let distance = match self.symbol(distances)? {
                distance @ 0..=3 => distance + 1,
                distance @ 4..=29 => {
                    let extra = distance / 2 - 1;
                    1 + ((2 + distance % 2) << extra) + self.bits(extra)?
                }
                _ => return None,
            };
            self.farthest = self.farthest.max(distance);
            for _ in 0..length {
                let from = self.window.len().checked_sub(distance)?;
                self.put(self.window[from])?;
            }
        }
    }

    fn symbol(&mut self, code: &Code) -> Option<usize> {
        let mut word = 0;
        for length in 1..=15 {
            word = word << 1 | self.bits(1)? as u16;
            if let Ok(found) = code.0.binary_search_by_key(&(length, word), |w| (w.0, w.1)) {
                return Some(code.0[found].2);
            }
        }
        None
    }

    fn bits(&mut self, n: usize) -> Option<usize> {
        let mut value = 0;
        for i in 0..n {
            let byte = self.data.get(self.bit / 8)?;
            value |= usize::from(byte >> (self.bit % 8) & 1) << i;
            self.bit += 1;
        }
        Some(value)
    }

    fn put(&mut self, byte: u8) -> Option<()> {
        if self.bit > self.sent || self.window.len() > self.enough {
            return None;
        }
        self.window.push(byte);
        Some(())
    }
}
