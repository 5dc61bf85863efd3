//! How many messages of a socket may pass: its own rate and those it shares by key.

use crate::nginx::connection::random_bytes;
use crate::nginx::request::Request;
use crate::proto::rate::bucket::{Bucket, Rate, Verdict};
use crate::proto::rate::shared::{Key, SharedRates};
use crate::settings::{Action, Settings};

/// Control frames of a client: so many in a second, and as many at once.  More than any client
/// sends in good faith; a flood is slowed down to it.
const CONTROL: Rate = Rate { per_second: 1_000_000, burst: 1_000_000 };

/// The limits of a socket.
#[derive(Debug)]
pub(crate) struct Limits {
    own: Option<(Rate, Action, Bucket)>,
    shared: Vec<Shared>,
    control: Bucket,
    /// Whether a message over a rate can be answered.
    replies: bool,
}

#[derive(Debug)]
struct Shared {
    rates: SharedRates<'static>,
    key: Key,
    rate: Rate,
    action: Action,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Admission {
    /// It passes; the next one may in so many milliseconds.
    Pass { pause: u64 },
    /// It is refused, and welcome in so many milliseconds.
    Reject { wait: u64 },
    /// It ends the socket.
    Close,
}

impl Limits {
    /// The limits of a handshake; an empty key is not limited, as in `limit_req`.
    pub(crate) fn new(request: Request, settings: &'static Settings) -> Self {
        let replies = settings.rest.is_some();
        let default = if replies { Action::Reject } else { Action::Delay };
        let shared = settings.message_limits.iter().filter_map(|limit| {
            let (zone, rate) = limit.resolve(&settings.message_zones)?;
            let rates = SharedRates::new(zone.zone.words(), u64::from_ne_bytes(random_bytes()))?;
            let value = zone.key.evaluate(request).filter(|value| !value.is_empty())?;
            let action = limit.action.unwrap_or(default);
            Some(Shared { rates, key: rates.key(value), rate, action })
        });
        Self {
            own: settings.message_rate.map(|own| (own.rate, own.action, Bucket::default())),
            shared: shared.collect(),
            control: Bucket::default(),
            replies,
        }
    }

    /// Counts a data message.
    pub(super) fn message(&mut self, now: u64) -> Admission {
        let replies = self.replies;
        let mut pause = 0;
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

    /// Counts a control frame; the client is not to be read for so many milliseconds.
    pub(super) fn control(&mut self, now: u64) -> u64 {
        self.control.charge(CONTROL, now)
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
