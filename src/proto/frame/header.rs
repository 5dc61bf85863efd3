//! Frame headers (RFC 6455 §5.2): decodes those of clients, encodes those of servers.
//!
//! Knows one frame at a time; what a sequence of frames means is [`super::receiver`]'s business.

use super::violation::Violation;

/// What a frame carries.  Reserved opcodes are not representable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Opcode {
    /// Continues the message in progress.
    Continuation = 0x0,
    /// Starts a message of UTF-8 text.
    Text = 0x1,
    /// Starts a message of bytes.
    Binary = 0x2,
    /// Starts or answers the closing handshake.
    Close = 0x8,
    /// Asks for a [`Opcode::Pong`].
    Ping = 0x9,
    /// Answers a [`Opcode::Ping`], or says nothing.
    Pong = 0xA,
}

impl Opcode {
    const fn from_nibble(nibble: u8) -> Option<Self> {
        Some(match nibble {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    /// Close, Ping and Pong: short, never fragmented, allowed between fragments (§5.5).
    pub const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

/// The header of a client's frame; [`decode`] makes only those that are legal on their own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// Last frame of its message.
    pub fin: bool,
    /// RSV1, which permessage-deflate (RFC 7692 §6) uses; RSV2 and RSV3 never decode.
    pub rsv1: bool,
    /// What the frame carries.
    pub opcode: Opcode,
    /// The masking key.
    pub mask: [u8; 4],
    /// Payload length in bytes, up to 2^63 - 1: announced, not received.
    pub len: u64,
}

/// The longest header a client can send: 2 bytes, 8 of length, 4 of mask.
pub const MAX_CLIENT_HEADER: usize = 14;

/// Decodes the header at the start of `input` and tells how many bytes it takes.
///
/// `Ok(None)` means that more bytes are needed; nothing can be wrong with those that are there.
///
/// # Errors
///
/// The first rule of RFC 6455 §5.1, §5.2 or §5.5 that the bytes break, as soon as they break it.
#[inline]
pub fn decode(input: &[u8]) -> Result<Option<(Header, usize)>, Violation> {
    let [first, second, rest @ ..] = input else {
        return Ok(None);
    };

    if first & 0x30 != 0 {
        return Err(Violation::ReservedBits);
    }
    let opcode = Opcode::from_nibble(first & 0x0F).ok_or(Violation::ReservedOpcode)?;
    let fin = first & 0x80 != 0;
    let rsv1 = first & 0x40 != 0;

    // RFC 6455 §5.1: a server MUST close upon a frame that is not masked.
    if second & 0x80 == 0 {
        return Err(Violation::Unmasked);
    }
    let short = second & 0x7F;
    if opcode.is_control() {
        if rsv1 {
            return Err(Violation::ReservedBits);
        }
        if !fin {
            return Err(Violation::FragmentedControl);
        }
        if short > 125 {
            return Err(Violation::LongControl);
        }
    }

    let (len, rest) = match (short, rest) {
        (126, [a, b, rest @ ..]) => {
            let len = u64::from(u16::from_be_bytes([*a, *b]));
            if len < 126 {
                return Err(Violation::LengthEncoding);
            }
            (len, rest)
        }
        (127, [a, b, c, d, e, f, g, h, rest @ ..]) => {
            let len = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            // RFC 6455 §5.2: the minimal number of bytes, the most significant bit 0.
            if len <= u64::from(u16::MAX) || len > i64::MAX as u64 {
                return Err(Violation::LengthEncoding);
            }
            (len, rest)
        }
        (126 | 127, _) => return Ok(None),
        (len, rest) => (u64::from(len), rest),
    };
    let Some((mask, rest)) = rest.split_first_chunk() else {
        return Ok(None);
    };
    Ok(Some((Header { fin, rsv1, opcode, mask: *mask, len }, input.len() - rest.len())))
}

/// The longest header a server sends: 2 bytes and 8 of length, no mask.
pub const MAX_SERVER_HEADER: usize = 10;

/// A server's frame header as bytes; dereferences to exactly those that go out.
#[derive(Clone, Copy, Debug)]
pub struct Encoded {
    bytes: [u8; MAX_SERVER_HEADER],
    len: usize,
}

impl Encoded {
    /// The same header with RSV1 set (RFC 7692 §6).
    #[must_use]
    pub const fn compressed(mut self) -> Self {
        self.bytes[0] |= 0x40;
        self
    }
}

impl core::ops::Deref for Encoded {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Encodes the header of an unfragmented server frame with `len` bytes of payload.
///
/// It is always 4 bytes shorter than the shortest header a client can put before as many bytes.
#[inline]
pub const fn encode(opcode: Opcode, len: usize) -> Encoded {
    let first = 0x80 | opcode as u8;
    let l = (len as u64).to_be_bytes();
    if len < 126 {
        Encoded { bytes: [first, len as u8, 0, 0, 0, 0, 0, 0, 0, 0], len: 2 }
    } else if len <= u16::MAX as usize {
        Encoded { bytes: [first, 126, l[6], l[7], 0, 0, 0, 0, 0, 0], len: 4 }
    } else {
        Encoded {
            bytes: [first, 127, l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7]],
            len: MAX_SERVER_HEADER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_a_single_header() {
        const CASES: &[(&str, &[u8], Violation)] = &[
            ("no mask", &[0x81, 0x05], Violation::Unmasked),
            ("RSV2", &[0xA1, 0x85], Violation::ReservedBits),
            ("RSV3", &[0x91, 0x85], Violation::ReservedBits),
            ("RSV1 on a ping", &[0xC9, 0x80], Violation::ReservedBits),
            ("opcode 3", &[0x83, 0x80], Violation::ReservedOpcode),
            ("opcode 7", &[0x87, 0x80], Violation::ReservedOpcode),
            ("opcode 11", &[0x8B, 0x80], Violation::ReservedOpcode),
            ("opcode 15", &[0x8F, 0x80], Violation::ReservedOpcode),
            ("ping without FIN", &[0x09, 0x80], Violation::FragmentedControl),
            ("close without FIN", &[0x08, 0x80], Violation::FragmentedControl),
            ("ping of 126 bytes", &[0x89, 0xFE], Violation::LongControl),
            ("close with 64-bit length", &[0x88, 0xFF], Violation::LongControl),
            ("125 in 16 bits", &[0x82, 0xFE, 0, 125], Violation::LengthEncoding),
            (
                "65535 in 64 bits",
                &[0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
                Violation::LengthEncoding,
            ),
            ("2^63", &[0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], Violation::LengthEncoding),
        ];
        for (what, bytes, violation) in CASES {
            assert_eq!(decode(bytes), Err(*violation), "{what}");
        }
    }

    #[test]
    fn legal_headers_decode_and_every_prefix_asks_for_more() {
        let cases: &[(&[u8], Header)] = &[
            (
                &[0x81, 0x85, 1, 2, 3, 4],
                Header { fin: true, rsv1: false, opcode: Opcode::Text, mask: [1, 2, 3, 4], len: 5 },
            ),
            (
                &[0x42, 0xFE, 1, 0, 9, 8, 7, 6],
                Header {
                    fin: false,
                    rsv1: true,
                    opcode: Opcode::Binary,
                    mask: [9, 8, 7, 6],
                    len: 256,
                },
            ),
            (
                &[0x80, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                Header {
                    fin: true,
                    rsv1: false,
                    opcode: Opcode::Continuation,
                    mask: [0; 4],
                    len: 1 << 62,
                },
            ),
        ];
        for (bytes, header) in cases {
            assert_eq!(decode(bytes), Ok(Some((*header, bytes.len()))));
            for cut in 0..bytes.len() {
                assert_eq!(decode(&bytes[..cut]), Ok(None), "{cut} bytes of {bytes:x?}");
            }
        }
    }

    #[test]
    fn server_headers_use_the_shortest_length() {
        assert_eq!(&*encode(Opcode::Text, 125), &[0x81, 125]);
        assert_eq!(&*encode(Opcode::Binary, 126), &[0x82, 126, 0, 126]);
        assert_eq!(&*encode(Opcode::Binary, 65535), &[0x82, 126, 0xFF, 0xFF]);
        assert_eq!(&*encode(Opcode::Pong, 0), &[0x8A, 0]);
        assert_eq!(&*encode(Opcode::Text, 65536), &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }
}
