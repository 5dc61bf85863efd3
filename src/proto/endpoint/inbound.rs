//! The way in: bytes of the peer to messages, and what of them must wait.

use super::unserved::{Control, Unserved};
use crate::proto::frame::receiver::{Incoming, Limits, Receiver, Rsv1};
use crate::proto::frame::violation::Violation;

/// Bytes of an unfinished frame that count as much as a frame.
const PROGRESS: usize = 4096;

/// The way in of one end.
#[derive(Debug)]
pub struct Inbound {
    receiver: Receiver,
    unserved: Option<Box<Unserved>>,
    /// No message is taken before this time, in milliseconds; 0 if there is no such time.
    paused_until: u64,
    /// The same for control frames.
    flooded_until: u64,
    /// Bytes of a frame in progress since the peer was last heard.
    trickle: usize,
}

impl Inbound {
    /// The start of a stream.
    pub const fn new(limits: Limits, rsv1: Rsv1) -> Self {
        Self {
            receiver: Receiver::new(limits, rsv1),
            unserved: None,
            paused_until: 0,
            flooded_until: 0,
            trickle: 0,
        }
    }

    /// Consumes `buf` from `*pos` on until something is whole; `Ok(None)` when all is consumed.
    ///
    /// # Errors
    ///
    /// The peer's first violation: call [`fail`](Self::fail) then.
    #[inline]
    pub fn next(&mut self, buf: &mut [u8], pos: &mut usize) -> Result<Option<Incoming>, Violation> {
        self.receiver.next(buf, pos)
    }

    /// The stream has no meaning from here on; what has come of a message is forgotten.
    pub fn fail(&mut self, limits: Limits) {
        self.receiver = Receiver::new(limits, Rsv1::Reserved);
        self.unserved = None;
    }

    /// Frames that have come whole.
    pub const fn frames(&self) -> u64 {
        self.receiver.frames()
    }

    /// Takes no message for so many milliseconds.
    pub fn pause(&mut self, ms: u64, now: u64) {
        if ms > 0 {
            self.paused_until = self.paused_until.max(now.saturating_add(ms));
        }
    }

    /// Whether a rate is to be waited for.
    #[inline]
    pub const fn is_paused(&self, now: u64) -> bool {
        self.paused_until > now
    }

    /// Takes not even a control frame for so many milliseconds: there were too many.
    pub fn pause_control(&mut self, ms: u64, now: u64) {
        if ms > 0 {
            self.flooded_until = self.flooded_until.max(now.saturating_add(ms));
        }
    }

    /// Whether control frames have to wait.
    #[inline]
    pub const fn is_flooded(&self, now: u64) -> bool {
        self.flooded_until > now
    }

    /// Milliseconds until the end of a pause, the first of two.
    pub fn pause_left(&self, now: u64) -> Option<u64> {
        let left = [self.paused_until, self.flooded_until].map(|until| until.saturating_sub(now));
        left.into_iter().filter(|ms| *ms > 0).min()
    }

    /// Keeps bytes that must wait, behind those that do.
    ///
    /// # Errors
    ///
    /// [`Violation::OutOfMemory`].
    pub fn keep(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        if bytes.is_empty() {
            return Ok(());
        }
        let position = self.receiver.position();
        self.unserved.get_or_insert_with(|| Box::new(Unserved::behind(position))).push(bytes)
    }

    /// Takes the next control frame out of the bytes that wait.
    pub fn next_control(&mut self) -> Option<Control> {
        self.unserved.as_mut()?.next_control()
    }

    /// To be called after the last [`next_control`](Self::next_control).
    pub fn settle(&mut self) {
        if let Some(unserved) = &mut self.unserved {
            unserved.settle();
        }
        self.unserved.take_if(|unserved| unserved.is_empty());
    }

    /// Whether bytes wait.
    #[inline]
    pub const fn has_unserved(&self) -> bool {
        self.unserved.is_some()
    }

    /// Takes all bytes that wait.
    pub fn take_unserved(&mut self) -> Vec<u8> {
        self.unserved.take().map(|unserved| unserved.into_bytes()).unwrap_or_default()
    }

    /// How many bytes may be read in order to look for control frames among them.
    pub fn room(&self) -> usize {
        match &self.unserved {
            None => Unserved::MAX,
            Some(unserved) if unserved.is_looked_at() => {
                Unserved::MAX.saturating_sub(unserved.len())
            }
            Some(_) => 0,
        }
    }

    /// Whether what has come is a sign of life: a frame is, and so is the progress of a long one; a
    /// byte of a frame is not, or a peer could stay for ever with a byte each minute.
    #[inline]
    pub const fn hears(&mut self, has_frame: bool, bytes: usize) -> bool {
        self.trickle += bytes;
        let hears = has_frame || self.trickle >= PROGRESS;
        if hears {
            self.trickle = 0;
        }
        hears
    }

    /// Bytes on the heap.
    pub fn held(&self) -> usize {
        let Self { receiver, unserved, paused_until: _, flooded_until: _, trickle: _ } = self;
        receiver.held() + unserved.as_ref().map_or(0, |unserved| unserved.held())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { message: 1000, fragments: 10 };

    #[test]
    fn a_pause_ends_when_the_longest_one_does() {
        let mut inbound = Inbound::new(LIMITS, Rsv1::Reserved);
        inbound.pause(100, 1000);
        inbound.pause(50, 1000);
        inbound.pause(0, 5000);
        assert!(inbound.is_paused(1099) && !inbound.is_paused(1100));
        assert_eq!(inbound.pause_left(1099), Some(1));
        assert_eq!(inbound.pause_left(1100), None);
    }

    #[test]
    fn frames_and_progress_are_signs_of_life_and_single_bytes_are_not() {
        let mut inbound = Inbound::new(LIMITS, Rsv1::Reserved);
        assert!(!inbound.hears(false, 1));
        assert!(!inbound.hears(false, PROGRESS - 2));
        assert!(inbound.hears(false, 1));
        assert!(!inbound.hears(false, 1));
        assert!(inbound.hears(true, 1));
    }

    #[test]
    fn what_waits_is_bounded_and_given_back() {
        let mut inbound = Inbound::new(LIMITS, Rsv1::Reserved);
        assert_eq!(inbound.held(), 0);
        inbound.keep(&[]).unwrap();
        assert!(!inbound.has_unserved());
        let ping = [0x89, 0x80, 0, 0, 0, 0];
        let text = [0x81, 0x81, 0, 0, 0, 0, b'x'];
        inbound.keep(&[&ping[..], &text[..]].concat()).unwrap();
        assert!(inbound.next_control().is_some());
        assert!(inbound.next_control().is_none());
        inbound.settle();
        assert_eq!(inbound.room(), Unserved::MAX - text.len());
        assert_eq!(inbound.take_unserved(), text);
        assert_eq!((inbound.held(), inbound.room()), (0, Unserved::MAX));
        inbound.keep(&ping).unwrap();
        assert!(inbound.next_control().is_some());
        inbound.settle();
        assert!(!inbound.has_unserved(), "nothing but control frames leaves nothing");
    }

    #[test]
    fn a_violation_among_what_waits_ends_the_looking() {
        let mut inbound = Inbound::new(LIMITS, Rsv1::Reserved);
        inbound.keep(&[0x83, 0x80, 0, 0]).unwrap();
        assert!(inbound.next_control().is_none());
        inbound.settle();
        assert_eq!(inbound.room(), 0);
        assert_eq!(inbound.take_unserved().len(), 4);
    }

    #[test]
    fn messages_and_control_frames_are_paused_each_by_themselves() {
        let mut inbound = Inbound::new(LIMITS, Rsv1::Reserved);
        inbound.pause(100, 0);
        inbound.pause_control(10, 0);
        assert!(inbound.is_flooded(9) && !inbound.is_flooded(10) && inbound.is_paused(10));
        assert_eq!((inbound.pause_left(9), inbound.pause_left(10)), (Some(1), Some(90)));
    }
}
