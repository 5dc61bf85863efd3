//! How many messages may pass.

use crate::nginx::complex_value::ComplexValue;
use crate::nginx::shm::{Kind, Mark, Zone};
use crate::proto::rate::Action;
use crate::proto::rate::bucket::Rate;

/// The rates of a location.
#[derive(Debug)]
pub(crate) struct RateSettings {
    /// `ws_message_rate`: of each socket.
    pub(crate) own: Option<SocketRate>,
    /// `ws_message_limit`: of all with the same key.
    pub(crate) shared: Vec<SharedLimit>,
}

/// `ws_message_rate` of a location.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SocketRate {
    pub(crate) rate: Rate,
    pub(crate) action: Action,
}

/// `ws_message_limit` of a location.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedLimit {
    pub(crate) zone: &'static Zone<MessageZone>,
    /// The zone's rate with this location's burst.
    pub(crate) rate: Rate,
    /// `None`: `Reject` where there are replies, `Delay` elsewhere.
    pub(crate) action: Option<Action>,
}

/// `ws_message_zone`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageZone {
    pub(crate) key: ComplexValue,
    pub(crate) rate: Rate,
}

impl Kind for MessageZone {
    fn mark() -> &'static Mark {
        static MARK: Mark = Mark("ws_message_zone");
        &MARK
    }

    fn meaning(&self) -> String {
        format!("a ws_message_zone with the key \"{}\"", self.key)
    }
}
