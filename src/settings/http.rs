//! What is said once for all of http.

use crate::nginx::shm::{Kind, Mark, Zone};

/// The settings that all locations share.
#[derive(Debug)]
pub(crate) struct HttpSettings {
    /// `ws_worker_inflight`: calls of a worker at once.
    pub(crate) worker_inflight: usize,
    /// Every `ws_zone`.
    pub(crate) counter_zones: Vec<&'static Zone<CounterZone>>,
}

/// `ws_zone name size;`
#[derive(Clone, Copy, Debug)]
pub(crate) struct CounterZone;

impl Kind for CounterZone {
    fn mark() -> &'static Mark {
        static MARK: Mark = Mark("ws_zone");
        &MARK
    }

    fn meaning(&self) -> String {
        "a ws_zone".to_owned()
    }
}
