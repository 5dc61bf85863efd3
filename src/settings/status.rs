//! What `ws_status` is told.

use super::http::CounterZone;
use crate::nginx::shm::Zone;

/// `ws_status` of a location.
#[derive(Debug)]
pub(crate) struct StatusSettings {
    /// The one zone to show; all when `None`.
    pub(crate) zone: Option<&'static Zone<CounterZone>>,
    pub(crate) format: Format,
}

/// How the counters are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    /// As the request's `Accept` asks for.
    Negotiated,
    Json,
    Prometheus,
}
