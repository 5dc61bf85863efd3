//! RFC 6455 §5: a whole stream of a client, read frame by frame, and the frames of a server.

use ngx_ws::proto::frame::close;
use ngx_ws::proto::frame::receiver::{Limits, Rsv1};
use ngx_ws::proto::frame::violation::Violation;

/// A whole message or a control frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// The opcode of the (first) frame.
    pub opcode: u8,
    /// RSV1 of the (first) frame.
    pub compressed: bool,
    /// All its payload, unmasked.
    pub payload: Vec<u8>,
}

/// How the stream ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// With nothing wrong so far.
    Open {
        /// Inside of a frame or a message.
        inside: bool,
    },
    /// With these rules broken, all at one place.
    Broken(Vec<Violation>),
}

/// Reads a stream.
///
/// What is wrong with a header is told in three steps, each as soon as its bytes are there: the
/// first two bytes, the length, and then the frame against what came before it.
pub fn read(stream: &[u8], limits: Limits, rsv1_means: Rsv1) -> (Vec<Item>, End) {
    let mut items = Vec::new();
    // The message that has begun, and its number of frames.
    let mut message: Option<(Item, u64)> = None;
    let mut at = 0;
    loop {
        let rest = &stream[at..];
        if rest.is_empty() {
            return (items, End::Open { inside: message.is_some() });
        }
        let cut = End::Open { inside: true };

        // §5.2: the first two bytes.
        if rest.len() < 2 {
            return (items, cut);
        }
        let bit = |byte: usize, n: u8| rest[byte] >> n & 1 == 1;
        let (fin, rsv1, rsv2, rsv3) = (bit(0, 7), bit(0, 6), bit(0, 5), bit(0, 4));
        let (opcode, masked, short) = (rest[0] & 15, bit(1, 7), rest[1] & 127);
        let control = opcode >= 8;
        let mut broken = Vec::new();
        let mut rule = |holds: bool, violation| {
            if !holds {
                broken.push(violation);
            }
        };
        rule(!rsv2 && !rsv3, Violation::ReservedBits);
        rule(!(rsv1 && control), Violation::ReservedBits);
        rule([0, 1, 2, 8, 9, 10].contains(&opcode), Violation::ReservedOpcode);
        rule(masked, Violation::Unmasked); // §5.1
        rule(fin || !control, Violation::FragmentedControl); // §5.5
        rule(short <= 125 || !control, Violation::LongControl); // §5.5
        if !broken.is_empty() {
            return (items, End::Broken(broken));
        }

        // The length.
        let more = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some(bytes) = rest.get(2..2 + more) else { return (items, cut) };
        let len = match more {
            0 => u64::from(short),
            _ => bytes.iter().fold(0, |len, byte| len << 8 | u64::from(*byte)),
        };
        let minimal = match more {
            0 => true,
            2 => len > 125,
            _ => len > 65535,
        };
        if !minimal || len >= 1 << 63 {
            return (items, End::Broken(vec![Violation::LengthEncoding]));
        }

        // The masking key, and what came before.
        let Some(mask) = rest.get(2 + more..6 + more) else { return (items, cut) };
        let mut broken = Vec::new();
        let mut rule = |holds: bool, violation| {
            if !holds {
                broken.push(violation);
            }
        };
        let continues = opcode == 0;
        rule(!(rsv1 && rsv1_means == Rsv1::Reserved), Violation::ReservedBits);
        rule(!(rsv1 && continues), Violation::ReservedBits); // RFC 7692 §6.1
        if !control {
            rule(!continues || message.is_some(), Violation::ContinuationWithoutStart); // §5.4
            rule(continues || message.is_none(), Violation::InterleavedMessage); // §5.4
            let before = message.as_ref().filter(|_| continues);
            let (received, frames, compressed) = before
                .map_or((0, 0, rsv1), |(item, n)| (item.payload.len() as u64, *n, item.compressed));
            // What does not compress grows by 5 bytes a block; its true size is checked later.
            let slack = if compressed { limits.message / 1024 + 64 } else { 0 };
            let limit = u128::from(limits.message) + u128::from(slack);
            rule(u128::from(received) + u128::from(len) <= limit, Violation::TooBig);
            rule(frames < u64::from(limits.fragments), Violation::TooManyFragments);
        }
        if !broken.is_empty() {
            return (items, End::Broken(broken));
        }

        // §5.3: the payload, as far as it is there.
        let start = 6 + more;
        let end = start.saturating_add(usize::try_from(len).unwrap()).min(rest.len());
        let payload =
            rest[start..end].iter().enumerate().map(|(i, byte)| byte ^ mask[i % 4]).collect();
        let whole = (end - start) as u64 == len;
        at += end;

        if control {
            if !whole {
                return (items, cut);
            }
            items.push(Item { opcode, compressed: false, payload });
            continue;
        }
        let (mut item, frames) = match message.take() {
            None => (Item { opcode, compressed: rsv1, payload }, 0),
            Some((mut item, frames)) => {
                item.payload.extend(payload);
                (item, frames)
            }
        };
        // §8.1: text is UTF-8, and what nothing can mend need not be waited for.
        if item.opcode == 1 && !item.compressed {
            match std::str::from_utf8(&item.payload) {
                Err(e) if e.error_len().is_some() || whole && fin => {
                    return (items, End::Broken(vec![Violation::BadUtf8]));
                }
                _ => {}
            }
        }
        if !whole {
            return (items, cut);
        }
        if fin {
            items.push(std::mem::replace(
                &mut item,
                Item { opcode: 0, compressed: false, payload: Vec::new() },
            ));
        } else {
            message = Some((item, frames + 1));
        }
    }
}

/// §5.5.1, §7.4: the payload of a Close frame, or all that is wrong with it.
pub fn read_close(payload: &[u8]) -> Result<(u16, &[u8]), Vec<Violation>> {
    if payload.is_empty() {
        return Ok((close::NO_STATUS, payload));
    }
    if payload.len() == 1 {
        return Err(vec![Violation::CloseLength]);
    }
    let code = u16::from(payload[0]) << 8 | u16::from(payload[1]);
    let mut broken = Vec::new();
    // 1004, 1005, 1006 and 1015 are reserved, the rest below 3000 is not registered.
    let registered = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
    if !registered.contains(&code) && !(3000..=4999).contains(&code) {
        broken.push(Violation::CloseCode);
    }
    if std::str::from_utf8(&payload[2..]).is_err() {
        broken.push(Violation::BadUtf8);
    }
    if broken.is_empty() { Ok((code, &payload[2..])) } else { Err(broken) }
}

/// A whole frame of a server: one, unmasked, in the shortest form.
pub fn write(opcode: u8, compressed: bool, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | u8::from(compressed) << 6 | opcode];
    let len = payload.len();
    if len < 126 {
        frame.push(len as u8);
    } else if len < 65536 {
        frame.push(126);
        frame.extend((len as u16).to_be_bytes());
    } else {
        frame.push(127);
        frame.extend((len as u64).to_be_bytes());
    }
    frame.extend(payload);
    frame
}
