//! Content codings of responses (RFC 9110 §8.4): calls do not ask for any, but backends use them all
//! the same.

use flate2::{Decompress, FlushDecompress, Status};

/// How a body is coded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950; some send RFC 1951 under that name.
    Deflate,
    /// In a way that is not known here, or in several.
    Other,
}

/// Why a body is not decoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Undecoded {
    /// It is larger than it may be.
    TooLarge,
    /// There is no memory for it.
    NoMemory,
    /// It is not what its coding says, or not all of it.
    Malformed,
}

/// Members of one gzip body, more than which are welcome only in a long one: each costs as much as
/// a few kilobytes.
const MEMBERS: usize = 32;

/// The bytes of a body that may have one more member.
const MEMBER: usize = 1024;

/// Bytes that a body is decoded to in one step, at first.
const STEP: usize = 4096;

impl Coding {
    /// What the value of `Content-Encoding` names.
    pub fn of(value: &[u8]) -> Self {
        let value = value.trim_ascii();
        let is = |name: &[u8]| value.eq_ignore_ascii_case(name);
        if value.is_empty() || is(b"identity") {
            Self::Identity
        } else if is(b"gzip") || is(b"x-gzip") {
            Self::Gzip
        } else if is(b"deflate") {
            Self::Deflate
        } else {
            Self::Other
        }
    }

    /// The body, of at most `limit` bytes; `None` where it stays as it is.
    ///
    /// # Errors
    ///
    /// Why it cannot be had.
    pub fn decode(self, body: &[u8], limit: usize) -> Option<Result<Vec<u8>, Undecoded>> {
        match self {
            Self::Identity | Self::Other => None,
            Self::Gzip => Some(gzip(body, limit)),
            Self::Deflate => Some(deflate(body, limit)),
        }
    }
}

fn gzip(body: &[u8], limit: usize) -> Result<Vec<u8>, Undecoded> {
    let mut out = Vec::new();
    let mut rest = body;
    let mut members = MEMBERS + body.len() / MEMBER;
    // RFC 1952 §2.2: one member after another.
    while !rest.is_empty() {
        members = members.checked_sub(1).ok_or(Undecoded::Malformed)?;
        rest = inflate(Decompress::new_gzip(15), rest, &mut out, limit)?;
    }
    Ok(out)
}

fn deflate(body: &[u8], limit: usize) -> Result<Vec<u8>, Undecoded> {
    // RFC 1950 §2.2: 8 is the method, and the first two bytes are a multiple of 31.
    let has_header = match body {
        [method, flags, ..] => {
            method & 0xF == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
        }
        _ => false,
    };
    let mut out = Vec::new();
    match inflate(Decompress::new(has_header), body, &mut out, limit)? {
        [] => Ok(out),
        _ => Err(Undecoded::Malformed),
    }
}

/// Appends what `input` stands for to `out`; the rest of the input is behind its end.
fn inflate<'i>(
    mut inflate: Decompress,
    input: &'i [u8],
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<&'i [u8], Undecoded> {
    let mut rest = input;
    loop {
        // One byte more than there may be tells that there are too many.
        let room = (limit - out.len()).saturating_add(1).min(out.len().max(STEP));
        out.try_reserve_exact(room).map_err(|_| Undecoded::NoMemory)?;
        let (read, before) = (inflate.total_in(), out.len());
        let status = inflate
            .decompress_vec(rest, out, FlushDecompress::None)
            .map_err(|_| Undecoded::Malformed)?;
        let read = usize::try_from(inflate.total_in() - read).unwrap_or(usize::MAX);
        rest = rest.get(read..).unwrap_or_default();
        if out.len() > limit {
            return Err(Undecoded::TooLarge);
        }
        match status {
            Status::StreamEnd => return Ok(rest),
            Status::Ok | Status::BufError if read == 0 && out.len() == before => {
                return Err(Undecoded::Malformed);
            }
            Status::Ok | Status::BufError => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write as _;

    const LIMIT: usize = 1 << 20;

    fn gzipped(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlibbed(text: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn names_of_codings() {
        for (value, coding) in [
            ("", Coding::Identity),
            ("Identity", Coding::Identity),
            ("gzip", Coding::Gzip),
            (" GZIP ", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("deflate", Coding::Deflate),
            ("br", Coding::Other),
            ("gzip, gzip", Coding::Other),
            ("gzip,", Coding::Other),
        ] {
            assert_eq!(Coding::of(value.as_bytes()), coding, "{value:?}");
        }
        assert_eq!(Coding::Other.decode(b"x", LIMIT), None);
        assert_eq!(Coding::Identity.decode(b"x", LIMIT), None);
    }

    #[test]
    fn what_was_coded_is_decoded_up_to_the_limit_and_no_byte_more() {
        for len in [0, 1, 4095, 4096, 4097, 70_000, 1_000_000] {
            let text: Vec<u8> = (0..len).map(|i: u32| (i.wrapping_mul(i) / 7) as u8).collect();
            let two = [gzipped(&text[..text.len() / 3]), gzipped(&text[text.len() / 3..])].concat();
            for (coding, body) in [
                (Coding::Gzip, gzipped(&text)),
                (Coding::Gzip, two),
                (Coding::Deflate, zlibbed(&text)),
                (Coding::Deflate, raw(&text)),
            ] {
                let decode = |limit| coding.decode(&body, limit).unwrap();
                assert_eq!(decode(LIMIT).as_ref(), Ok(&text), "{coding:?} {len}");
                assert_eq!(decode(text.len()).as_ref(), Ok(&text), "{coding:?} {len}");
                if let Some(short) = text.len().checked_sub(1) {
                    assert_eq!(decode(short), Err(Undecoded::TooLarge), "{coding:?} {len}");
                }
            }
        }
    }

    #[test]
    fn what_is_cut_or_spoiled_is_told_from_what_is_whole() {
        for (coding, body) in
            [(Coding::Gzip, gzipped(b"some text")), (Coding::Deflate, zlibbed(b"some text"))]
        {
            let decode = |body: &[u8]| coding.decode(body, LIMIT).unwrap();
            // An empty body is a gzip of no members.
            for end in 1..body.len() {
                assert_eq!(decode(&body[..end]), Err(Undecoded::Malformed), "{coding:?} {end}");
            }
            assert_eq!(decode(&[&body, &b"x"[..]].concat()), Err(Undecoded::Malformed));
            let mut spoiled = body.clone();
            let last = spoiled.len() - 1;
            spoiled[last] ^= 1;
            assert_eq!(decode(&spoiled), Err(Undecoded::Malformed), "{coding:?}: checksum");
            assert_eq!(decode(b"plain text"), Err(Undecoded::Malformed));
        }
    }

    #[test]
    fn a_bomb_and_many_members_are_bounded() {
        let bomb = gzipped(&vec![0; 10 * LIMIT]);
        assert!(bomb.len() < LIMIT / 50);
        assert_eq!(Coding::Gzip.decode(&bomb, LIMIT), Some(Err(Undecoded::TooLarge)));
        let members = |n| Coding::Gzip.decode(&gzipped(b"").repeat(n), LIMIT).unwrap();
        assert_eq!(members(MEMBERS), Ok(Vec::new()));
        assert_eq!(members(10 * MEMBERS), Err(Undecoded::Malformed));
    }
}
