//! Bytes of the peer that were read and must wait, without the control frames among them.
//!
//! Messages wait for a rate; pings, pongs and the Close behind them do not (RFC 6455 §5.5.2: "as soon
//! as is practical").  So the frames that wait are walked over, header by header,
//! and control frames are taken out.  What the walk does not understand stays as it is, for the
//! receiver to judge in its turn.

use crate::proto::frame::header::{self, MAX_CLIENT_HEADER, Opcode};
use crate::proto::frame::mask;
use crate::proto::frame::receiver::Position;
use crate::proto::frame::violation::Violation;

/// Bytes that wait.
#[derive(Debug, Default)]
pub struct Unserved {
    /// Up to `kept` what stays, from `seen` on what was not looked at; between them is nothing.
    bytes: Vec<u8>,
    kept: usize,
    seen: usize,
    /// Bytes of a frame that is passed over.
    pass: u64,
    /// The beginning of a header that the receiver has.
    head: [u8; MAX_CLIENT_HEADER],
    head_len: usize,
    /// Nothing behind is looked at.
    is_opaque: bool,
}

/// A control frame that was taken out, unmasked.
#[derive(Debug, Eq, PartialEq)]
pub struct Control {
    /// Close, Ping or Pong.
    pub opcode: Opcode,
    payload: [u8; MAX_CONTROL],
    len: usize,
}

/// RFC 6455 §5.5.
const MAX_CONTROL: usize = 125;

impl Control {
    /// Up to 125 bytes.
    pub fn payload(&self) -> &[u8] {
        self.payload.get(..self.len).unwrap_or_default()
    }
}

impl Unserved {
    /// Bytes that are read to wait, at most.
    pub const MAX: usize = 128 * 1024;

    /// Nothing yet, behind what a receiver has taken.
    pub const fn behind(position: Position) -> Self {
        Self {
            bytes: Vec::new(),
            kept: 0,
            seen: 0,
            pass: position.remaining,
            head: position.partial,
            head_len: position.partial_len as usize,
            is_opaque: false,
        }
    }

    /// Number of bytes that wait.
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether none wait.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether control frames in what comes would be found.
    pub const fn is_looked_at(&self) -> bool {
        !self.is_opaque
    }

    /// Bytes of memory.
    pub const fn held(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity()
    }

    /// Appends what was read.
    ///
    /// # Errors
    ///
    /// [`Violation::OutOfMemory`], with nothing appended.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let needed = self.bytes.len() + bytes.len();
        if needed > self.bytes.capacity() {
            // Doubling, for a client that sends byte by byte, but not beyond what is read at most.
            let target = (2 * self.bytes.capacity()).min(Self::MAX).max(needed);
            let more = target - self.bytes.len();
            self.bytes.try_reserve_exact(more).map_err(|_| Violation::OutOfMemory)?;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes the next control frame out.
    pub fn next_control(&mut self) -> Option<Control> {
        while !self.is_opaque && self.seen < self.bytes.len() {
            if self.pass > 0 {
                let left = self.bytes.len() - self.seen;
                let n = usize::try_from(self.pass).map_or(left, |pass| pass.min(left));
                self.pass -= n as u64;
                self.keep(n);
                continue;
            }
            let (header, len) = match self.header() {
                Ok(Some(found)) => found,
                Ok(None) => return None,
                Err(_) => break,
            };
            // The receiver has its beginning, or it is a message's.
            if self.head_len > 0 || !header.opcode.is_control() {
                self.head_len = 0;
                self.keep(len);
                self.pass = header.len;
                continue;
            }
            let start = self.seen + len;
            let size = usize::try_from(header.len).unwrap_or(MAX_CONTROL);
            let arrived = self.bytes.get(start..start + size)?;
            let mut payload = [0; MAX_CONTROL];
            payload.get_mut(..size)?.copy_from_slice(arrived);
            mask::apply(payload.get_mut(..size)?, header.mask);
            self.seen = start + size;
            return Some(Control { opcode: header.opcode, payload, len: size });
        }
        if self.seen < self.bytes.len() {
            self.stop();
        }
        None
    }

    /// The next header and how many of our bytes it takes.
    fn header(&self) -> Result<Option<(header::Header, usize)>, Violation> {
        let bytes = self.bytes.get(self.seen..).unwrap_or_default();
        if self.head_len == 0 {
            return header::decode(bytes);
        }
        let mut head = self.head;
        let more = bytes.len().min(MAX_CLIENT_HEADER - self.head_len);
        let end = self.head_len + more;
        if let (Some(room), Some(more)) = (head.get_mut(self.head_len..end), bytes.get(..more)) {
            room.copy_from_slice(more);
        }
        let found = header::decode(head.get(..end).unwrap_or_default())?;
        Ok(found.map(|(header, len)| (header, len.saturating_sub(self.head_len))))
    }

    /// Looks at nothing behind what was seen.
    fn stop(&mut self) {
        self.is_opaque = true;
        self.keep(self.bytes.len() - self.seen);
    }

    /// Keeps `n` bytes that are seen now.
    fn keep(&mut self, n: usize) {
        if self.kept != self.seen {
            self.bytes.copy_within(self.seen..self.seen + n, self.kept);
        }
        self.kept += n;
        self.seen += n;
    }

    /// Closes the gaps that were left by what was taken out.
    pub fn settle(&mut self) {
        if self.kept != self.seen {
            let rest = self.bytes.len() - self.seen;
            self.bytes.copy_within(self.seen.., self.kept);
            self.bytes.truncate(self.kept + rest);
            self.seen = self.kept;
        }
    }

    /// All that waits, in order.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.settle();
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Position =
        Position { partial: [0; MAX_CLIENT_HEADER], partial_len: 0, remaining: 0 };

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [9, 8, 7, 6];
        let mut bytes = vec![first, 0x80 | payload.len() as u8];
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
        bytes
    }

    /// What is taken out of `stream`, pushed in pieces of `size`, and what stays.
    fn walk(position: Position, stream: &[u8], size: usize) -> (String, Vec<u8>) {
        let mut unserved = Unserved::behind(position);
        let mut taken = String::new();
        for piece in stream.chunks(size) {
            unserved.push(piece).unwrap();
            while let Some(control) = unserved.next_control() {
                let text = String::from_utf8_lossy(control.payload()).into_owned();
                taken += &format!("{:?} {text} ", control.opcode);
            }
            unserved.settle();
        }
        (taken, unserved.into_bytes())
    }

    #[test]
    fn control_frames_are_taken_out_however_the_stream_is_cut() {
        let (a, b) = (frame(0x01, b"hel"), frame(0x80, b"lo"));
        let stream =
            [&*a, &*frame(0x89, b"p1"), &*b, &*frame(0x8A, b""), &*frame(0x88, b"\x03\xE8x"), &*a]
                .concat();
        for size in 1..=stream.len() {
            let (taken, left) = walk(START, &stream, size);
            assert_eq!(taken, "Ping p1 Pong  Close \u{3}\u{fffd}x ", "{size}");
            assert_eq!(left, [&*a, &*b, &*a].concat(), "{size}");
        }
    }

    #[test]
    fn nothing_is_looked_at_behind_a_violation() {
        let (a, ping) = (frame(0x81, b"a"), frame(0x89, b""));
        for stop in [&frame(0x83, b""), &vec![0x81, 0]] {
            let stream = [&*a, &*ping, stop, &*ping].concat();
            for size in 1..=stream.len() {
                let (taken, left) = walk(START, &stream, size);
                assert_eq!(taken, "Ping  ");
                assert_eq!(left, [&*a, stop, &*ping].concat(), "{size}");
            }
        }
    }

    #[test]
    fn a_frame_that_the_receiver_has_begun_is_passed_over() {
        let (long, ping) = (frame(0x81, &[b'x'; 100]), frame(0x89, b"!"));
        let stream = [&*long, &*ping].concat();
        for begun in 1..long.len() {
            let mut position = START;
            if begun < 6 {
                position.partial[..begun].copy_from_slice(&long[..begun]);
                position.partial_len = begun as u8;
            } else {
                position.remaining = (long.len() - begun) as u64;
            }
            for size in [1, 3, 1000] {
                let (taken, left) = walk(position, &stream[begun..], size);
                assert_eq!(taken, "Ping ! ", "{begun} {size}");
                assert_eq!(left, long[begun..], "{begun} {size}");
            }
        }
    }
}
