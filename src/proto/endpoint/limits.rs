//! How many messages of a socket may pass: its own rate and those it shares by key.

use crate::proto::rate::Action;
use crate::proto::rate::bucket::{Bucket, Rate, Verdict};
use crate::proto::rate::shared::{Key, SharedRates};

/// Control frames of a peer: so many in a second, and as many at once.  More than anybody sends in
/// good faith; a flood is slowed down to it.
const CONTROL: Rate = Rate { per_second: 1_000_000, burst: 1_000_000 };

/// The limits of a socket.
#[derive(Debug)]
pub struct Limits {
    own: Option<(Rate, Action, Bucket)>,
    shared: Vec<Shared>,
    control: Bucket,
    /// Whether a message over a rate can be answered.
    replies: bool,
    /// How often the next message was made to wait for a rate that is shared.
    refused: u32,
}

/// A rate that the socket shares with others.
#[derive(Debug)]
pub struct Shared {
    /// The table of its zone.
    pub rates: SharedRates<'static>,
    /// Whom it counts for.
    pub key: Key,
    /// With the location's burst.
    pub rate: Rate,
    /// What happens over it.
    pub action: Action,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Admission {
    /// It passes; the next one may in so many milliseconds.
    Pass {
        /// 0 for now.
        pause: u64,
    },
    /// It is refused, and welcome in so many milliseconds.
    Reject {
        /// At least 1.
        wait: u64,
    },
    /// It ends the socket.
    Close,
}

impl Limits {
    /// The limits of a socket; `replies` says whether a message over a rate can be answered, and is
    /// delayed where it cannot.
    pub fn new(own: Option<(Rate, Action)>, shared: Vec<Shared>, replies: bool) -> Self {
        Self {
            own: own.map(|(rate, action)| (rate, action, Bucket::default())),
            shared,
            control: Bucket::default(),
            replies,
            refused: 0,
        }
    }

    /// Milliseconds for which no message may be taken, because others that share a rate have used
    /// it up; counts nothing.  A rate of the socket's own makes the next message wait when one has
    /// come ([`Admission::Pass`]); what many share has to be asked first, or each of them would
    /// exceed it by a message.
    #[inline]
    pub fn wait(&self, now: u64) -> u64 {
        let delays = |shared: &&Shared| {
            shared.action == Action::Delay || shared.action == Action::Reject && !self.replies
        };
        let waits = self.shared.iter().filter(delays);
        waits.map(|shared| shared.rates.wait(shared.key, shared.rate, now)).max().unwrap_or(0)
    }

    /// Notes that a message waits; how often it did, this time included.
    pub const fn waits(&mut self) -> u32 {
        self.refused = self.refused.saturating_add(1);
        self.refused
    }

    /// Counts a data message.
    pub fn message(&mut self, now: u64) -> Admission {
        let replies = self.replies;
        let mut pause = 0;
        self.refused = 0;
        let own = self.own.as_mut().map(|(rate, action, bucket)| {
            admit(
                *action,
                replies,
                bucket,
                |bucket| bucket.pass(*rate, now),
                |bucket| bucket.charge(*rate, now),
            )
        });
        let shared = self.shared.iter().map(|shared| {
            let Shared { rates, key, rate, action } = shared;
            admit(
                *action,
                replies,
                &mut (),
                |()| rates.pass(*key, *rate, now),
                |()| rates.charge(*key, *rate, now),
            )
        });
        for admission in own.into_iter().chain(shared) {
            match admission {
                Admission::Pass { pause: more } => pause = pause.max(more),
                refused => return refused,
            }
        }
        Admission::Pass { pause }
    }

    /// Counts a control frame; the peer is not to be read for so many milliseconds.
    pub fn control(&mut self, now: u64) -> u64 {
        self.control.charge(CONTROL, now)
    }

    /// Bytes on the heap.
    pub const fn held(&self) -> usize {
        let Self { own: _, shared, control: _, replies: _, refused: _ } = self;
        shared.capacity() * size_of::<Shared>()
    }
}

fn admit<B>(
    action: Action,
    replies: bool,
    bucket: &mut B,
    pass: impl FnOnce(&mut B) -> Verdict,
    charge: impl FnOnce(&mut B) -> u64,
) -> Admission {
    match action {
        // It has been read, so it passes; what it owes delays the next one.
        Action::Delay => Admission::Pass { pause: charge(bucket) },
        Action::Reject if !replies => Admission::Pass { pause: charge(bucket) },
        Action::Reject | Action::Close => match pass(bucket) {
            Verdict::Pass => Admission::Pass { pause: 0 },
            Verdict::Wait(wait) if action == Action::Reject => Admission::Reject { wait },
            Verdict::Wait(_) => Admission::Close,
        },
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::AtomicU64;

    use super::*;

    fn limits(action: Action, replies: bool) -> Limits {
        let rate = Rate::parse("10r/s").unwrap().with_burst(1);
        Limits::new(Some((rate, action)), Vec::new(), replies)
    }

    #[test]
    fn what_becomes_of_a_third_message_at_once() {
        for (action, replies, third) in [
            (Action::Delay, true, Admission::Pass { pause: 100 }),
            (Action::Reject, true, Admission::Reject { wait: 100 }),
            (Action::Reject, false, Admission::Pass { pause: 100 }),
            (Action::Close, false, Admission::Close),
        ] {
            let mut limits = limits(action, replies);
            for _ in 0..2 {
                assert_eq!(limits.message(0), Admission::Pass { pause: 0 }, "{action:?}");
            }
            assert_eq!(limits.message(0), third, "{action:?} {replies}");
        }
    }

    #[test]
    fn sockets_that_share_a_rate_keep_it_together() {
        let words: &'static [AtomicU64] = Vec::leak((0..1024).map(|_| AtomicU64::new(0)).collect());
        let rates = SharedRates::new(words, 1).unwrap();
        let rate = Rate::parse("10r/s").unwrap().with_burst(2);
        let mut sockets: Vec<Limits> = (0..50)
            .map(|_| {
                let key = rates.key(b"k");
                Limits::new(None, vec![Shared { rates, key, rate, action: Action::Delay }], true)
            })
            .collect();
        let mut passed = 0;
        for now in 0..10_000 {
            for limits in &mut sockets {
                if limits.wait(now) == 0 {
                    assert_eq!(limits.message(now), Admission::Pass { pause: 0 });
                    passed += 1;
                }
            }
        }
        assert_eq!(passed, 102);
    }

    #[test]
    fn a_flood_of_control_frames_is_slowed_down() {
        let mut limits = Limits::new(None, Vec::new(), false);
        let paused = (0..3000).filter(|_| limits.control(0) > 0).count();
        assert_eq!(paused, 1999);
    }
}
