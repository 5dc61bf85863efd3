//! What is known of a socket: who it is, what has passed, how it ended.

use crate::metrics::Side;

/// What logs, variables and metrics say of a socket.
#[derive(Debug)]
pub struct Facts {
    id: [u8; 16],
    subprotocol: Option<&'static str>,
    opened: u64,
    traffic: Traffic,
    ended: Option<Ended>,
}

/// Whole data messages and their payload bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// Messages of the peer.
    pub messages_in: u64,
    /// Messages to the peer.
    pub messages_out: u64,
    /// Payload bytes of the peer's messages, after decompression.
    pub bytes_in: u64,
    /// Payload bytes of messages to the peer, before compression.
    pub bytes_out: u64,
}

/// How and when a socket ended.
#[derive(Debug)]
struct Ended {
    code: u16,
    reason: Box<str>,
    side: Side,
    at: u64,
}

impl Facts {
    /// A socket that opened at `now`, in milliseconds; nobody can guess its `id`.
    pub const fn new(id: [u8; 16], subprotocol: Option<&'static str>, now: u64) -> Self {
        let traffic = Traffic { messages_in: 0, messages_out: 0, bytes_in: 0, bytes_out: 0 };
        Self { id, subprotocol, opened: now, traffic, ended: None }
    }

    /// A message of `len` payload bytes came.
    #[inline]
    pub const fn received(&mut self, len: usize) {
        self.traffic.messages_in += 1;
        self.traffic.bytes_in += len as u64;
    }

    /// A message of `len` payload bytes went.
    #[inline]
    pub const fn sent(&mut self, len: usize) {
        self.traffic.messages_out += 1;
        self.traffic.bytes_out += len as u64;
    }

    /// Notes how the socket ended; the first to say so is right, and the last about when: a socket
    /// lasts until TCP ends, or until nginx lingers.
    pub fn ended(&mut self, code: u16, reason: &str, side: Side, now: u64) {
        match &mut self.ended {
            Some(ended) => ended.at = now,
            None => self.ended = Some(Ended { code, reason: reason.into(), side, at: now }),
        }
    }

    /// Who ended the socket, and the code.
    pub fn end(&self) -> Option<(Side, u16)> {
        self.ended.as_ref().map(|ended| (ended.side, ended.code))
    }

    /// The code that ended the socket.
    pub fn close_code(&self) -> Option<u16> {
        self.ended.as_ref().map(|ended| ended.code)
    }

    /// The reason that came or went with the code.
    pub fn close_reason(&self) -> Option<&str> {
        self.ended.as_ref().map(|ended| &*ended.reason).filter(|reason| !reason.is_empty())
    }

    /// Milliseconds from the handshake to the end, 0 before it.
    pub fn duration(&self) -> u64 {
        self.ended.as_ref().map_or(0, |ended| ended.at.saturating_sub(self.opened))
    }

    /// What has passed.
    pub const fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The subprotocol that was agreed.
    pub const fn subprotocol(&self) -> Option<&'static str> {
        self.subprotocol
    }

    /// Names the socket.
    pub const fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// Bytes on the heap.
    pub fn held(&self) -> usize {
        let Self { id: _, subprotocol: _, opened: _, traffic: _, ended } = self;
        ended.as_ref().map_or(0, |ended| ended.reason.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_end_is_the_right_one_and_lasts_until_the_last() {
        let mut facts = Facts::new([7; 16], Some("chat"), 1000);
        assert_eq!((facts.close_code(), facts.close_reason(), facts.duration()), (None, None, 0));
        facts.ended(1001, "going away", Side::Server, 4000);
        facts.ended(1006, "", Side::Client, 4500);
        assert_eq!(facts.end(), Some((Side::Server, 1001)));
        assert_eq!(facts.close_reason(), Some("going away"));
        assert_eq!(facts.duration(), 3500);
    }

    #[test]
    fn traffic_counts_messages_and_bytes_by_direction() {
        let mut facts = Facts::new([0; 16], None, 0);
        facts.received(3);
        facts.received(0);
        facts.sent(10);
        let traffic = Traffic { messages_in: 2, messages_out: 1, bytes_in: 3, bytes_out: 10 };
        assert_eq!(facts.traffic(), traffic);
    }
}
