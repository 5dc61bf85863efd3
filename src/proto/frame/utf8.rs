//! UTF-8 that arrives in pieces (RFC 6455 §8.1): a code point may straddle frames and reads.

use super::violation::Violation;

/// Checks a text message as it arrives and fails at the first byte that no continuation can mend.
#[derive(Clone, Copy, Debug, Default)]
pub struct Utf8Stream {
    /// The bytes of a code point that has begun.
    pending: [u8; 4],
    /// How many of them there are: 0 to 3.
    len: u8,
}

impl Utf8Stream {
    /// Checks the next bytes of the message.
    ///
    /// # Errors
    ///
    /// [`Violation::BadUtf8`] when no following bytes could make the text valid.
    pub fn feed(&mut self, mut chunk: &[u8]) -> Result<(), Violation> {
        while self.len > 0 {
            let Some((byte, rest)) = chunk.split_first() else {
                return Ok(());
            };
            chunk = rest;
            self.push(*byte)?;
        }
        match simdutf8::compat::from_utf8(chunk) {
            Ok(_) => Ok(()),
            Err(e) if e.error_len().is_some() => Err(Violation::BadUtf8),
            Err(e) => {
                for byte in chunk.get(e.valid_up_to()..).unwrap_or_default() {
                    self.push(*byte)?;
                }
                Ok(())
            }
        }
    }

    /// Ends the message.
    ///
    /// # Errors
    ///
    /// [`Violation::BadUtf8`] when a code point is unfinished.
    pub const fn finish(&self) -> Result<(), Violation> {
        if self.len == 0 { Ok(()) } else { Err(Violation::BadUtf8) }
    }

    fn push(&mut self, byte: u8) -> Result<(), Violation> {
        let len = usize::from(self.len);
        if let Some(slot) = self.pending.get_mut(len) {
            *slot = byte;
        }
        match core::str::from_utf8(self.pending.get(..=len).unwrap_or_default()) {
            Ok(_) => self.len = 0,
            Err(e) if e.error_len().is_some() => return Err(Violation::BadUtf8),
            Err(_) => self.len += 1,
        }
        Ok(())
    }
}

/// Checks a whole message at once.
///
/// # Errors
///
/// [`Violation::BadUtf8`] when it is not UTF-8.
#[inline]
pub fn check(text: &[u8]) -> Result<(), Violation> {
    simdutf8::basic::from_utf8(text).map(drop).map_err(|_| Violation::BadUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_split_of_valid_text_is_valid() {
        let text = "κόσμε \u{10FFFF} \u{1F600} ascii \u{800}".repeat(5);
        let text = text.as_bytes();
        for a in 0..text.len() {
            for b in a..text.len() {
                let mut stream = Utf8Stream::default();
                for part in [&text[..a], &text[a..b], &text[b..]] {
                    stream.feed(part).unwrap();
                }
                stream.finish().unwrap();
            }
        }
    }

    #[test]
    fn fails_at_the_first_hopeless_byte() {
        // (bytes, how many of them may be fed before the error)
        const CASES: &[(&[u8], usize)] = &[
            (&[0xFF], 0),
            (b"abc\x80", 3),
            (&[0xC0, 0x80], 0),
            (&[0xE0, 0x9F], 1),
            (&[0xED, 0xA0], 1), // surrogate
            (&[0xF4, 0x90], 1), // above U+10FFFF
            (&[0xCE, 0xBA, 0xF0, 0x28], 3),
        ];
        for (bytes, good) in CASES {
            let mut stream = Utf8Stream::default();
            for byte in &bytes[..*good] {
                stream.feed(&[*byte]).unwrap();
            }
            assert_eq!(stream.feed(&bytes[*good..=*good]), Err(Violation::BadUtf8), "{bytes:x?}");
            assert_eq!(Utf8Stream::default().feed(bytes), Err(Violation::BadUtf8), "{bytes:x?}");
        }
    }

    #[test]
    fn an_unfinished_code_point_is_an_error_only_at_the_end() {
        let mut stream = Utf8Stream::default();
        stream.feed("ok \u{1F600}".as_bytes().split_last().unwrap().1).unwrap();
        assert_eq!(stream.finish(), Err(Violation::BadUtf8));
    }
}
