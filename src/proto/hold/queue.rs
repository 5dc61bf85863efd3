//! Frames that could not be sent at once, in order, with their number of bytes.
//!
//! Empty, it owns no heap memory: an idle socket holds no send buffer.

use std::collections::VecDeque;

use super::memory::NoMemory;

/// Bytes that wait for the peer to read.
#[derive(Debug, Default)]
pub struct Outbox {
    segments: VecDeque<Segment>,
    len: usize,
}

#[derive(Debug)]
struct Segment {
    bytes: Vec<u8>,
    /// How many of them are sent; less than all.
    sent: usize,
}

impl Outbox {
    /// Small pieces are gathered in segments of this many bytes.
    const SEGMENT: usize = 16 * 1024;

    /// Number of bytes that wait.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Bytes of memory.
    #[inline]
    pub fn held(&self) -> usize {
        self.segments.capacity() * size_of::<Segment>()
            + self.segments.iter().map(|segment| segment.bytes.capacity()).sum::<usize>()
    }

    /// Whether nothing waits.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a copy of `bytes`.
    ///
    /// # Errors
    ///
    /// [`NoMemory`], with nothing appended.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        if bytes.is_empty() {
            return Ok(());
        }
        match self.segments.back_mut() {
            Some(last) if last.bytes.len() + bytes.len() <= Self::SEGMENT => {
                last.bytes.try_reserve(bytes.len()).map_err(|_| NoMemory)?;
                last.bytes.extend_from_slice(bytes);
                self.len += bytes.len();
                Ok(())
            }
            _ => {
                let mut copy = Vec::new();
                copy.try_reserve_exact(bytes.len()).map_err(|_| NoMemory)?;
                copy.extend_from_slice(bytes);
                self.push_owned(copy, 0)
            }
        }
    }

    /// Appends `bytes` from `start` on, without a copy.
    ///
    /// # Errors
    ///
    /// [`NoMemory`], with nothing appended.
    pub fn push_owned(&mut self, bytes: Vec<u8>, start: usize) -> Result<(), NoMemory> {
        let len = bytes.len().saturating_sub(start);
        if len > 0 {
            self.segments.try_reserve(1).map_err(|_| NoMemory)?;
            self.segments.push_back(Segment { bytes, sent: start });
            self.len += len;
        }
        Ok(())
    }

    /// The first waiting bytes, in up to `N` pieces; unused places are empty.
    pub fn front<const N: usize>(&self) -> [&[u8]; N] {
        let mut pieces = [&[] as &[u8]; N];
        for (piece, segment) in pieces.iter_mut().zip(&self.segments) {
            *piece = segment.bytes.get(segment.sent..).unwrap_or_default();
        }
        pieces
    }

    /// Removes the first `n` bytes, which were sent.
    pub fn advance(&mut self, n: usize) {
        self.len = self.len.saturating_sub(n);
        let mut left = n;
        while let Some(first) = self.segments.front_mut() {
            let waiting = first.bytes.len() - first.sent;
            if left < waiting {
                first.sent += left;
                return;
            }
            left -= waiting;
            self.segments.pop_front();
        }
        self.segments = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(outbox: &mut Outbox, step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while !outbox.is_empty() {
            let head = outbox.front::<3>().concat();
            let n = step.min(head.len());
            all.extend_from_slice(&head[..n]);
            outbox.advance(n);
        }
        all
    }

    #[test]
    fn bytes_leave_in_order_however_they_are_sent() {
        for step in [1, 2, 5, 1000, 1 << 20] {
            let mut outbox = Outbox::default();
            let mut expected = Vec::new();
            for i in 0..40u8 {
                let bytes = vec![i; usize::from(i) * 150];
                outbox.push(&bytes).unwrap();
                expected.extend_from_slice(&bytes);
                outbox.push_owned(vec![0, 0, i, i], 2).unwrap();
                expected.extend_from_slice(&[i, i]);
            }
            assert_eq!(outbox.len(), expected.len());
            assert!(drain(&mut outbox, step) == expected, "step {step}");
            assert_eq!(outbox.segments.capacity(), 0, "an empty outbox owns nothing");
        }
    }

    #[test]
    fn small_pieces_share_a_segment() {
        let mut outbox = Outbox::default();
        for _ in 0..1000 {
            outbox.push(b"0123456789").unwrap();
        }
        assert_eq!(outbox.segments.len(), 1);
    }
}
