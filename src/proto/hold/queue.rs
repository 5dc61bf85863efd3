//! Frames that could not be sent at once, in order, with their number of bytes.
//!
//! Empty, it owns no heap memory: an idle socket holds no send buffer.

use std::collections::VecDeque;

use super::memory::{self, NoMemory};

/// Bytes that wait for the peer to read.
#[derive(Debug, Default)]
pub struct Outbox {
    segments: VecDeque<Segment>,
    len: usize,
    /// The capacity of all segments together.
    memory: usize,
}

#[derive(Debug)]
struct Segment {
    bytes: Vec<u8>,
    /// How many of them are sent; less than all.
    sent: usize,
}

impl Outbox {
    /// Small pieces are gathered in segments of this many bytes.
    pub const SEGMENT: usize = 16 * 1024;

    /// The memory that a segment begins with; it doubles as it fills.
    const FIRST: usize = 1024;

    /// Pieces of so many bytes are worth memory of their own, when they come with it.
    const OWN: usize = 4096;

    /// Number of bytes that wait.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Bytes of memory: what `malloc` was asked for, not what waits.
    #[inline]
    pub fn held(&self) -> usize {
        self.segments.capacity() * size_of::<Segment>() + self.memory
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
        // The last segment is filled up before there is another.
        let (head, rest) = bytes.split_at(bytes.len().min(self.spare()));
        if !rest.is_empty() {
            let mut segment = Vec::new();
            let capacity = rest.len().max(Self::FIRST);
            segment.try_reserve_exact(capacity).map_err(|_| NoMemory)?;
            segment.extend_from_slice(rest);
            self.segments.try_reserve(1).map_err(|_| NoMemory)?;
            self.fill(head)?;
            self.append(segment, 0);
            return Ok(());
        }
        self.fill(head)
    }

    /// Appends `bytes` from `start` on: without a copy, unless they are few.
    ///
    /// # Errors
    ///
    /// [`NoMemory`], with nothing appended.
    pub fn push_owned(&mut self, mut bytes: Vec<u8>, start: usize) -> Result<(), NoMemory> {
        let waiting = bytes.get(start..).unwrap_or_default();
        if waiting.len() < Self::OWN || waiting.len() <= self.spare_now() {
            return self.push(waiting);
        }
        self.segments.try_reserve(1).map_err(|_| NoMemory)?;
        if let Some(last) = self.segments.back_mut() {
            self.memory -= last.bytes.capacity();
            trim(&mut last.bytes);
            self.memory += last.bytes.capacity();
        }
        trim(&mut bytes);
        self.append(bytes, start);
        Ok(())
    }

    /// Bytes that the last segment can take: those it has memory for, or may get it for.
    fn spare(&self) -> usize {
        self.segments.back().map_or(0, |last| {
            last.bytes.capacity().max(Self::SEGMENT).saturating_sub(last.bytes.len())
        })
    }

    /// Bytes that the last segment has memory for.
    fn spare_now(&self) -> usize {
        self.segments.back().map_or(0, |last| last.bytes.capacity() - last.bytes.len())
    }

    /// Appends bytes to the last segment, up to [`spare`](Self::spare) of them.
    fn fill(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        let Some(last) = self.segments.back_mut() else { return Ok(()) };
        let (old, needed) = (last.bytes.capacity(), last.bytes.len() + bytes.len());
        if needed > old {
            let capacity = needed.max(2 * old).min(Self::SEGMENT);
            last.bytes
                .try_reserve_exact(capacity.saturating_sub(last.bytes.len()))
                .map_err(|_| NoMemory)?;
            self.memory += last.bytes.capacity() - old;
        }
        last.bytes.extend_from_slice(bytes);
        self.len += bytes.len();
        Ok(())
    }

    /// Appends a segment, for which there is a place.
    fn append(&mut self, bytes: Vec<u8>, sent: usize) {
        self.len += bytes.len() - sent;
        self.memory += bytes.capacity();
        self.segments.push_back(Segment { bytes, sent });
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
            self.memory -= first.bytes.capacity();
            self.segments.pop_front();
        }
        self.segments = VecDeque::new();
    }
}

/// Gives back what `bytes` has for more than there is; a little is not worth it.
fn trim(bytes: &mut Vec<u8>) {
    // To shrink may mean to copy, and aborts where there is no memory for that.
    let slack = bytes.capacity() - bytes.len();
    if slack > bytes.len() / 32 + 64 && memory::has_room(bytes.len()) {
        bytes.shrink_to_fit();
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
            assert_eq!(outbox.held(), 0, "an empty outbox owns nothing");
        }
    }

    /// What is counted is what there is, and little more than what waits.
    fn check(outbox: &Outbox, per_mille: usize) {
        let capacity: usize = outbox.segments.iter().map(|s| s.bytes.capacity()).sum();
        assert_eq!(outbox.held(), capacity + outbox.segments.capacity() * size_of::<Segment>());
        let bound = outbox.len() / 1000 * per_mille;
        assert!(outbox.held() < bound, "{} for {}", outbox.held(), outbox.len());
    }

    #[test]
    fn small_pieces_share_segments_whoever_owned_them() {
        for owned in [false, true] {
            let mut outbox = Outbox::default();
            while outbox.len() < 1 << 20 {
                match owned {
                    false => outbox.push(b"0123456789").unwrap(),
                    true => outbox.push_owned(b"__0123456789".to_vec(), 2).unwrap(),
                }
            }
            check(&outbox, 1050);
            assert_eq!(outbox.segments.len(), outbox.len().div_ceil(Outbox::SEGMENT));
            outbox.advance(outbox.len());
            assert_eq!(outbox.held(), 0);
        }
    }

    #[test]
    fn memory_is_close_to_what_waits_whatever_comes() {
        // Sizes that take turns, and the capacity of what is owned in percent.
        let mixes: [&[usize]; 6] =
            [&[65_536], &[5000], &[10, 5000], &[4096, 100], &[10, 65_536, 10], &[20_000, 3000]];
        for sizes in mixes {
            for percent in [100, 150, 400] {
                let mut outbox = Outbox::default();
                let mut expected = 0;
                for (i, size) in sizes.iter().cycle().enumerate() {
                    if expected >= 1 << 20 {
                        break;
                    }
                    if i % 3 == 2 {
                        outbox.push(&vec![1; *size]).unwrap();
                    } else {
                        let mut bytes = Vec::with_capacity(10 + size * percent / 100);
                        bytes.resize(10 + size, 1);
                        outbox.push_owned(bytes, 10).unwrap();
                    }
                    expected += size;
                    assert_eq!(outbox.len(), expected);
                }
                check(&outbox, 1100);
                assert_eq!(drain(&mut outbox, 30_000).len(), expected);
                assert_eq!(outbox.held(), 0);
            }
        }
    }

    #[test]
    fn a_few_bytes_take_little() {
        let mut outbox = Outbox::default();
        outbox.push(b"\x8a\x00").unwrap();
        assert!(outbox.held() <= 1200, "{}", outbox.held());
    }
}
