//! What a location is told to do, complete: directives and defaults are behind it.
//!
//! Sizes are in bytes, times in milliseconds.

use crate::nginx::complex_value::ComplexValue;
use crate::nginx::request::Request;
use crate::nginx::shm::Zone;
use crate::proto::call::route::Route;
use crate::proto::endpoint::life::Timeouts;
use crate::proto::frame::receiver::Limits;
use crate::proto::handshake::extension::Policy;
use crate::proto::handshake::origin::OriginPolicy;
use crate::proto::rate::Action;
use crate::proto::rate::bucket::Rate;

/// The settings of the location a request is in.
pub(crate) fn of(request: Request) -> Option<&'static Settings> {
    request.location_conf::<Option<Settings>>().and_then(Option::as_ref)
}

/// The settings of a location.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    /// `ws_send_queue`: unsent bytes above which the client is not read.
    pub(crate) send_queue: usize,
    /// `ws_send_timeout`: milliseconds without progress in sending; 0 is forever.
    pub(crate) send_timeout: u64,
    /// `ws_drain`: milliseconds over which a leaving worker spreads its Close frames.
    pub(crate) drain: u64,
    pub(crate) origins: OriginPolicy,
    pub(crate) subprotocols: Vec<String>,
    /// `ws_zone`: where is counted; the only zone there is, if nothing is said.
    pub(crate) zone: Option<Zone>,
    pub(crate) counter_zones: Vec<CounterZone>,
    /// `ws_status`.
    pub(crate) status: Option<StatusConf>,
    /// `ws_message_rate`.
    pub(crate) message_rate: Option<SocketRate>,
    pub(crate) message_zones: Vec<MessageZone>,
    /// `ws_message_limit`.
    pub(crate) message_limits: Vec<SharedLimit>,
    /// `None` when `ws_compression` is off.
    pub(crate) compression: Option<CompressionSettings>,
    /// `None` in a location that echoes.
    pub(crate) rest: Option<RestSettings>,
}

/// The settings of permessage-deflate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompressionSettings {
    /// zlib's level, 1 to 9.
    pub(crate) level: u32,
    /// Shorter messages go out as they are.
    pub(crate) min_length: usize,
    /// What may be agreed with a client.
    pub(crate) policy: Policy,
}

/// The settings of `ws_rest` and `ws_route`.
#[derive(Debug)]
pub(crate) struct RestSettings {
    /// `ws_rest`: what a client's `path` must be under; `None` when it may choose actions only.
    pub(crate) prefix: Option<String>,
    pub(crate) routes: Vec<Route>,
    /// `ws_inflight`: calls of a socket at once.
    pub(crate) inflight: usize,
    /// `ws_worker_inflight`: calls of a worker at once.
    pub(crate) worker_inflight: usize,
    /// `ws_request_timeout`, in milliseconds.
    pub(crate) request_timeout: u64,
    /// `ws_max_response`, in bytes.
    pub(crate) max_response: usize,
    /// `ws_order strict`: replies come in the order of their messages.
    pub(crate) strict: bool,
    pub(crate) client_headers: Vec<String>,
    /// In lower case.
    pub(crate) response_headers: Vec<String>,
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
    pub(crate) zone: Zone,
    pub(crate) burst: u32,
    /// `None`: `Reject` where there are replies, `Delay` elsewhere.
    pub(crate) action: Option<Action>,
}

/// `ws_message_zone`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageZone {
    pub(crate) zone: Zone,
    pub(crate) key: ComplexValue,
    pub(crate) rate: Rate,
}

impl SharedLimit {
    /// The zone that was meant, and the rate with this location's burst.
    pub(crate) fn resolve<'z>(&self, zones: &'z [MessageZone]) -> Option<(&'z MessageZone, Rate)> {
        let zone = zones.iter().find(|zone| zone.zone == self.zone)?;
        Some((zone, zone.rate.with_burst(self.burst)))
    }
}

/// `ws_zone name size;`
#[derive(Clone, Debug)]
pub(crate) struct CounterZone {
    pub(crate) name: String,
    pub(crate) zone: Zone,
}

/// How `ws_status` shows the counters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    /// As the request's `Accept` asks for.
    Negotiated,
    Json,
    Prometheus,
}

/// `ws_status` of a location.
#[derive(Clone, Debug)]
pub(crate) struct StatusConf {
    /// The one zone to show; all when `None`.
    pub(crate) zone: Option<Zone>,
    pub(crate) format: Format,
}
