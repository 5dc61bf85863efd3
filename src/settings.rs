//! What a location is told to do, complete: directives and defaults are behind it.  A file a topic.
//!
//! Sizes are in bytes, times in milliseconds.

pub(crate) mod calls;
pub(crate) mod http;
pub(crate) mod rates;
pub(crate) mod socket;
pub(crate) mod status;

use core::ops::Deref;
use std::rc::Rc;

use crate::nginx::config::block;
use crate::nginx::request::Request;
use crate::nginx::shm::Zone;
use calls::CallSettings;
use http::{CounterZone, HttpSettings};
use rates::RateSettings;
use socket::SocketSettings;
use status::StatusSettings;

/// The settings of the location a request is in.
pub(crate) fn of(request: Request) -> Option<&'static Settings> {
    block::settings(request)
}

/// The settings of a location.  Those of its sockets are read as its own.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) http: Rc<HttpSettings>,
    pub(crate) socket: SocketSettings,
    /// `None` in a location that echoes.
    pub(crate) rest: Option<CallSettings>,
    pub(crate) rates: RateSettings,
    /// `ws_zone`: where is counted.
    pub(crate) zone: Option<&'static Zone<CounterZone>>,
    pub(crate) status: Option<StatusSettings>,
}

impl Deref for Settings {
    type Target = SocketSettings;

    fn deref(&self) -> &SocketSettings {
        &self.socket
    }
}
