//! Builds outgoing frames inside the buffer that the incoming ones were received in.
//!
//! A server's header is at least 4 bytes shorter than the client's before the same payload (RFC
//! 6455 §5.2), so frames echoed one after another never overtake the bytes still to be parsed.  One
//! frame is sent from where it lies; of several, those after the first move down.

use core::ops::Range;

use super::header::{self, Opcode};

/// A run of complete server frames in a receive buffer.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    run: Range<usize>,
}

impl Batch {
    /// Adds a frame whose payload lies at `payload`, behind everything added before.
    ///
    /// Returns `None`, with nothing changed, when the header does not fit before the payload; the
    /// frame must then be built elsewhere.
    #[inline]
    #[must_use]
    pub fn push(&mut self, buf: &mut [u8], opcode: Opcode, payload: Range<usize>) -> Option<()> {
        let header = header::encode(opcode, payload.len());
        let start = if self.run.is_empty() {
            payload.start.checked_sub(header.len())?
        } else {
            self.run.end
        };
        let to = start + header.len();
        if to > payload.start || payload.end > buf.len() {
            return None;
        }
        let end = to + payload.len();
        if to != payload.start {
            buf.copy_within(payload, to);
        }
        buf.get_mut(start..to)?.copy_from_slice(&header);
        if self.run.is_empty() {
            self.run.start = start;
        }
        self.run.end = end;
        Some(())
    }

    /// Takes the bytes of the run, which is empty afterwards.
    #[inline]
    pub fn take<'b>(&mut self, buf: &'b [u8]) -> &'b [u8] {
        let run = core::mem::take(&mut self.run);
        buf.get(run).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_frame_stays_where_it_is() {
        let mut buf = *b"......hello";
        let mut batch = Batch::default();
        batch.push(&mut buf, Opcode::Text, 6..11).unwrap();
        assert_eq!(batch.take(&buf), b"\x81\x05hello");
        assert_eq!(batch.take(&buf), b"");
    }

    #[test]
    fn several_frames_become_one_run() {
        let mut buf = *b"......abc......defgh......";
        let mut batch = Batch::default();
        batch.push(&mut buf, Opcode::Text, 6..9).unwrap();
        batch.push(&mut buf, Opcode::Binary, 15..20).unwrap();
        batch.push(&mut buf, Opcode::Pong, 26..26).unwrap();
        assert_eq!(batch.take(&buf), b"\x81\x03abc\x82\x05defgh\x8A\x00");
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let mut buf = *b".hello......x";
        let mut batch = Batch::default();
        assert_eq!(batch.push(&mut buf, Opcode::Text, 1..6), None);
        batch.push(&mut buf, Opcode::Text, 12..13).unwrap();
        assert_eq!(batch.push(&mut buf, Opcode::Text, 11..12), None, "would overtake its payload");
        assert_eq!(batch.push(&mut buf, Opcode::Text, 20..21), None, "outside the buffer");
        assert_eq!(batch.take(&buf), b"\x81\x01x");
    }
}
