//! A slow and obvious inflate, bit by bit as RFC 1951 is written, to hold the fast one against.

/// A Huffman code (RFC 1951 §3.2.2): those of one length are consecutive, in the order of symbols.
struct Code {
    /// How many symbols have a code of this length.
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[usize]) -> Self {
        let mut counts = [0; 16];
        lengths.iter().for_each(|length| counts[*length] += 1);
        let mut symbols: Vec<usize> = (0..lengths.len()).filter(|s| lengths[*s] > 0).collect();
        symbols.sort_by_key(|s| lengths[*s]);
        Self { counts, symbols }
    }
}

/// RFC 1951 as it is written, bit by bit; `None` when the data is not DEFLATE.
pub(super) struct Reference {
    data: Vec<u8>,
    bit: usize,
    /// What was known before, and what came out.
    pub(super) out: Vec<u8>,
    pub(super) farthest: usize,
}

impl Reference {
    pub(super) fn new(data: Vec<u8>, earlier: Vec<u8>) -> Self {
        Self { data, bit: 0, out: earlier, farthest: 0 }
    }

    /// All blocks up to the end of the data, where the last one has to end, too.
    pub(super) fn blocks(&mut self) -> Option<()> {
        while self.bit < 8 * self.data.len() {
            let last = self.bits(1)? == 1;
            match self.bits(2)? {
                0 => {
                    self.bit = self.bit.next_multiple_of(8);
                    let (len, check) = (self.bits(16)?, self.bits(16)?);
                    if len != check ^ 0xFFFF {
                        return None;
                    }
                    for _ in 0..len {
                        let byte = self.bits(8)?;
                        self.out.push(byte as u8);
                    }
                }
                1 => {
                    let lengths = [&[8; 144][..], &[9; 112], &[7; 24], &[8; 8]].concat();
                    self.block(&Code::new(&lengths), &Code::new(&[5; 30]))?;
                }
                2 => {
                    let (literals, distances) = self.codes()?;
                    self.block(&literals, &distances)?;
                }
                _ => return None,
            }
            if last {
                self.bit = self.bit.next_multiple_of(8);
            }
        }
        Some(())
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

    fn symbol(&mut self, code: &Code) -> Option<usize> {
        let (mut value, mut first, mut index) = (0, 0, 0);
        for count in &code.counts[1..] {
            value = value << 1 | self.bits(1)?;
            first <<= 1;
            if value < first + count {
                return code.symbols.get(index + value.checked_sub(first)?).copied();
            }
            first += count;
            index += count;
        }
        None
    }

    fn codes(&mut self) -> Option<(Code, Code)> {
        let (literals, distances) = (self.bits(5)? + 257, self.bits(5)? + 1);
        let mut code_lengths = [0; 19];
        let count = self.bits(4)? + 4;
        for at in &[16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15][..count] {
            code_lengths[*at] = self.bits(3)?;
        }
        let code = Code::new(&code_lengths);
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match self.symbol(&code)? {
                16 => (*lengths.last()?, 3 + self.bits(2)?),
                17 => (0, 3 + self.bits(3)?),
                18 => (0, 11 + self.bits(7)?),
                length => (length, 1),
            };
            lengths.extend(std::iter::repeat_n(length, times));
        }
        let rest = lengths.split_off(literals);
        (rest.len() == distances).then(|| (Code::new(&lengths), Code::new(&rest)))
    }

    fn block(&mut self, literals: &Code, distances: &Code) -> Option<()> {
        loop {
            let symbol = self.symbol(literals)?;
            let length = match symbol {
                0..256 => {
                    self.out.push(symbol as u8);
                    continue;
                }
                256 => return Some(()),
                257..=264 => symbol - 254,
                265..=284 => {
                    let extra = (symbol - 261) / 4;
                    ((4 + (symbol - 261) % 4) << extra) + 3 + self.bits(extra)?
                }
                285 => 258,
                _ => return None,
            };
            let distance = match self.symbol(distances)? {
                code @ 0..4 => code + 1,
                code => {
                    let extra = code / 2 - 1;
                    ((2 + code % 2) << extra) + 1 + self.bits(extra)?
                }
            };
            self.farthest = self.farthest.max(distance);
            let from = self.out.len().checked_sub(distance)?;
            for i in from..from + length {
                self.out.push(self.out[i]);
            }
        }
    }
}
