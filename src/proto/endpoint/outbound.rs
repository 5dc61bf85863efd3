//! The way out: messages to bytes, at once or when the peer reads.
//!
//! Owns both the run of frames that is built in the receive buffer and the queue behind it, so that
//! whatever is sent goes out behind all that was sent before it.

use core::ops::Range;

use crate::proto::frame::batch::Batch;
use crate::proto::frame::header::{self, Opcode};
use crate::proto::frame::receiver::Payload;
use crate::proto::frame::violation::Violation;
use crate::proto::hold::queue::Outbox;

/// How many pieces [`Wire::send`] is given at once.
pub const MAX_PIECES: usize = 8;

/// Queued bytes that are worth a system call before there are more.
const WORTH_SENDING: usize = 64 * 1024;

/// What bytes leave through.
pub trait Wire {
    /// Sends the first bytes of up to [`MAX_PIECES`] pieces and tells how many; fewer than all when
    /// the peer is slow, and 0 when it is known to be.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    fn send(&mut self, pieces: &[&[u8]]) -> Result<usize, Broken>;

    /// Whether all that was sent has left this process; there may be a layer that holds bytes (TLS).
    fn is_flushed(&self) -> bool;
}

/// The connection is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Broken;

/// Why nothing more can be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unsent {
    /// The connection is broken.
    Broken,
    /// There is no memory for what the peer does not take now.
    NoMemory(Violation),
}

impl From<Broken> for Unsent {
    fn from(Broken: Broken) -> Self {
        Self::Broken
    }
}

/// The way out of one end.
#[derive(Debug, Default)]
pub struct Outbound {
    /// Frames in the receive buffer: none between two buffers.  The queue is empty while there are
    /// some.
    batch: Batch,
    queue: Outbox,
}

impl Outbound {
    /// Sends the bytes of `buf` in `range` as a message, from where they are if that can be.
    ///
    /// # Errors
    ///
    /// [`Violation::OutOfMemory`].
    #[inline]
    pub fn echo(
        &mut self,
        buf: &mut [u8],
        opcode: Opcode,
        range: Range<usize>,
    ) -> Result<(), Violation> {
        if self.queue.is_empty() && self.batch.push(buf, opcode, range.clone()).is_some() {
            return Ok(());
        }
        self.push(buf, opcode, range)
    }

    fn push(&mut self, buf: &[u8], opcode: Opcode, range: Range<usize>) -> Result<(), Violation> {
        self.push_copy(buf, opcode, buf.get(range).unwrap_or_default())
    }

    /// Sends a copy of `payload`.  `buf` is the receive buffer, empty where there is none.
    ///
    /// # Errors
    ///
    /// [`Violation::OutOfMemory`].
    pub fn push_copy(
        &mut self,
        buf: &[u8],
        opcode: Opcode,
        payload: &[u8],
    ) -> Result<(), Violation> {
        self.keep_batch(buf)?;
        self.queue.push(&header::encode(opcode, payload.len()))?;
        Ok(self.queue.push(payload)?)
    }

    /// Sends `payload`, which is compressed or not.
    ///
    /// # Errors
    ///
    /// [`Violation::OutOfMemory`].
    pub fn push_payload(
        &mut self,
        buf: &[u8],
        opcode: Opcode,
        payload: Payload,
        compressed: bool,
    ) -> Result<(), Violation> {
        let (bytes, start) = payload.into_frame(opcode, compressed);
        self.push_bytes(buf, bytes, start)
    }

    /// Sends a frame that is complete: `bytes` from `start` on.
    ///
    /// # Errors
    ///
    /// [`Violation::OutOfMemory`].
    pub fn push_bytes(
        &mut self,
        buf: &[u8],
        bytes: Vec<u8>,
        start: usize,
    ) -> Result<(), Violation> {
        self.keep_batch(buf)?;
        Ok(self.queue.push_owned(bytes, start)?)
    }

    /// Copies the frames in the receive buffer to the queue, because something goes behind them.
    fn keep_batch(&mut self, buf: &[u8]) -> Result<(), Violation> {
        Ok(self.queue.push(self.batch.take(buf))?)
    }

    /// Sends what can be sent, from `buf` too, which may be used for other things then.  Tells
    /// whether there was progress.
    ///
    /// # Errors
    ///
    /// [`Unsent`]; nothing more can be sent.
    pub fn finish(&mut self, buf: &[u8], wire: &mut impl Wire) -> Result<bool, Unsent> {
        let bytes = self.batch.take(buf);
        if bytes.is_empty() {
            return Ok(self.flush(wire)?);
        }
        let sent = if wire.is_flushed() { wire.send(&[bytes])? } else { 0 };
        let rest = bytes.get(sent..).unwrap_or_default();
        self.queue.push(rest).map_err(|e| Unsent::NoMemory(e.into()))?;
        Ok(sent > 0)
    }

    /// Sends from the queue as much as the peer takes.  Tells whether there was progress.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    pub fn flush(&mut self, wire: &mut impl Wire) -> Result<bool, Broken> {
        let mut progress = false;
        while !self.queue.is_empty() {
            let sent = wire.send(&self.queue.front::<MAX_PIECES>())?;
            if sent == 0 {
                break;
            }
            self.queue.advance(sent);
            progress = true;
        }
        Ok(progress)
    }

    /// Whether it is time for a [`flush`](Self::flush) before there is more.
    #[inline]
    pub const fn is_worth_sending(&self) -> bool {
        self.queue.len() >= WORTH_SENDING
    }

    /// Whether nothing waits for the peer.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Bytes that wait for the peer.
    pub const fn len(&self) -> usize {
        self.queue.len()
    }

    /// Bytes on the heap.
    #[inline]
    pub fn held(&self) -> usize {
        let Self { batch: _, queue } = self;
        queue.held()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes at a time, `room` in all.
    #[derive(Default)]
    struct Peer {
        got: Vec<u8>,
        room: usize,
        step: usize,
        calls: usize,
        is_broken: bool,
    }

    impl Wire for Peer {
        fn send(&mut self, pieces: &[&[u8]]) -> Result<usize, Broken> {
            if self.is_broken {
                return Err(Broken);
            }
            let all = pieces.concat();
            let n = all.len().min(self.room).min(self.step);
            self.got.extend_from_slice(&all[..n]);
            self.room -= n;
            self.calls += 1;
            Ok(n)
        }

        fn is_flushed(&self) -> bool {
            true
        }
    }

    /// Two messages in a buffer as a client sends them, with room for headers.
    const BUF: &[u8] = b"......abc......defgh";

    #[test]
    fn everything_goes_out_in_order_whatever_it_is_and_however_slow_the_peer() {
        let expected = b"\x81\x03abc\x81\x02hi\x8a\x05defgh\x82\x01z\x88\x00";
        for room in 0..expected.len() {
            for step in [1, 4, 100] {
                let mut peer = Peer { room, step, ..Peer::default() };
                let mut out = Outbound::default();
                let mut buf = BUF.to_vec();
                out.echo(&mut buf, Opcode::Text, 6..9).unwrap();
                out.push_copy(&buf, Opcode::Text, b"hi").unwrap();
                out.echo(&mut buf, Opcode::Pong, 15..20).unwrap();
                out.finish(&buf, &mut peer).unwrap();
                buf.fill(0);
                let mut later = b"......z".to_vec();
                out.echo(&mut later, Opcode::Binary, 6..7).unwrap();
                out.finish(&later, &mut peer).unwrap();
                out.push_bytes(&[], b"xx\x88\x00".to_vec(), 2).unwrap();
                peer.room = usize::MAX;
                while !out.is_empty() {
                    out.flush(&mut peer).unwrap();
                }
                assert_eq!(peer.got, expected, "{room} {step}");
                assert_eq!(out.held(), 0);
            }
        }
    }

    #[test]
    fn echoes_of_one_buffer_are_one_call_and_no_copy() {
        let mut peer = Peer { room: 1000, step: 1000, ..Peer::default() };
        let mut out = Outbound::default();
        let mut buf = BUF.to_vec();
        out.echo(&mut buf, Opcode::Text, 6..9).unwrap();
        out.echo(&mut buf, Opcode::Text, 15..20).unwrap();
        assert!(out.finish(&buf, &mut peer).unwrap());
        assert_eq!((peer.calls, out.held()), (1, 0));
        assert_eq!(peer.got, b"\x81\x03abc\x81\x05defgh");
        assert!(!out.finish(&[], &mut peer).unwrap(), "nothing is no progress");
    }

    #[test]
    fn a_broken_connection_is_told() {
        let mut peer = Peer { is_broken: true, ..Peer::default() };
        let mut out = Outbound::default();
        let mut buf = BUF.to_vec();
        out.echo(&mut buf, Opcode::Text, 6..9).unwrap();
        assert_eq!(out.finish(&buf, &mut peer), Err(Unsent::Broken));
        out.push_copy(&[], Opcode::Ping, b"").unwrap();
        assert_eq!(out.flush(&mut peer), Err(Broken));
    }
}
