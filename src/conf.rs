//! The configuration of a location: what each directive says, its defaults and inheritance.
//!
//! The table of directives is in [`directives`], their parsing in [`setters`].

pub(crate) mod directives;
pub(crate) mod rates;
mod setters;
pub(crate) mod zones;

use core::ffi::{c_char, c_void};

use nginx_sys::ngx_conf_t;

use crate::nginx::config::{self, Conf, Place};
use crate::nginx::shm::Zone;
use crate::proto::extension::Policy;
use crate::proto::liveness::Timeouts;
use crate::proto::origin::{OriginPolicy, Pattern};
use crate::proto::receiver::Limits;
use crate::proto::route::Route;
use crate::status;
use crate::upgrade;
use rates::{MessageZone, SharedLimit, SocketRate};
use zones::{CounterZone, StatusConf};

/// What was said in one block, `None` where nothing was; and what it amounts to.
///
/// Sizes are in bytes, times in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct LocationConf {
    echo: Option<Place>,
    rest: Option<(String, Place)>,
    routes: Vec<Route>,
    /// The first `ws_route`.
    route: Option<Place>,
    max_message: Option<u64>,
    max_fragments: Option<u64>,
    idle_timeout: Option<u64>,
    ping_interval: Option<u64>,
    pong_timeout: Option<u64>,
    close_timeout: Option<u64>,
    max_lifetime: Option<u64>,
    send_queue: Option<u64>,
    send_timeout: Option<u64>,
    drain: Option<u64>,
    origin: Option<OriginPolicy>,
    subprotocol: Option<Vec<String>>,
    compression: Option<bool>,
    compression_level: Option<u64>,
    compression_min_length: Option<u64>,
    compression_window: Option<u64>,
    context_takeover: Option<bool>,
    inflight: Option<u64>,
    worker_inflight: Option<u64>,
    request_timeout: Option<u64>,
    max_response: Option<u64>,
    strict_order: Option<bool>,
    zone: Option<Zone>,
    /// Only in the http block; every block below has a copy.
    counter_zones: Vec<CounterZone>,
    status: Option<(StatusConf, Place)>,
    message_rate: Option<SocketRate>,
    /// Only in the http block; every block below has a copy.
    message_zones: Vec<MessageZone>,
    message_limits: Option<Vec<SharedLimit>>,
    client_headers: Option<Vec<String>>,
    response_headers: Option<Vec<String>>,
    settings: Option<Settings>,
}

/// The settings of a location, complete.
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

impl LocationConf {
    /// The settings; `None` before the configuration is complete.
    pub(crate) const fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
    }

    fn inherit(&mut self, prev: &Self) {
        macro_rules! inherit {
            ($($field:ident),*) => { $(
                if self.$field.is_none() {
                    self.$field.clone_from(&prev.$field);
                }
            )* };
        }
        inherit!(
            max_message,
            max_fragments,
            idle_timeout,
            ping_interval,
            pong_timeout,
            close_timeout,
            max_lifetime,
            send_queue,
            send_timeout,
            drain,
            origin,
            subprotocol,
            compression,
            compression_level,
            compression_min_length,
            compression_window,
            context_takeover,
            inflight,
            worker_inflight,
            request_timeout,
            max_response,
            strict_order,
            zone,
            message_rate,
            message_limits,
            client_headers,
            response_headers
        );
    }

    /// The defaults of design and reference live here and nowhere else.
    fn complete(&self) -> Settings {
        Settings {
            limits: Limits {
                message: self.max_message.unwrap_or(1 << 20),
                fragments: self.max_fragments.map_or(1024, |n| n.try_into().unwrap_or(u32::MAX)),
            },
            timeouts: Timeouts {
                idle: self.idle_timeout.unwrap_or(120_000),
                ping_interval: self.ping_interval.unwrap_or(0),
                pong: self.pong_timeout.unwrap_or(10_000),
                lifetime: self.max_lifetime.unwrap_or(0),
                close: self.close_timeout.unwrap_or(5_000),
            },
            send_queue: size(self.send_queue, 1 << 20),
            send_timeout: self.send_timeout.unwrap_or(30_000),
            drain: self.drain.unwrap_or(10_000),
            // A bridge acts with the cookies of the page's user; an echo has nothing to protect.
            origins: self.origin.clone().unwrap_or_else(|| match self.is_rest() {
                true => OriginPolicy::List(vec![Pattern::Same]),
                false => OriginPolicy::Any,
            }),
            subprotocols: self.subprotocol.clone().unwrap_or_default(),
            zone: self.zone.or(match &*self.counter_zones {
                [only] => Some(only.zone),
                _ => None,
            }),
            counter_zones: self.counter_zones.clone(),
            status: self.status.as_ref().map(|(status, _)| status.clone()),
            message_rate: self.message_rate,
            message_zones: self.message_zones.clone(),
            message_limits: self.message_limits.clone().unwrap_or_default(),
            compression: self.compression.unwrap_or(false).then(|| CompressionSettings {
                level: self.compression_level.map_or(1, |n| n as u32),
                min_length: size(self.compression_min_length, 1024),
                policy: Policy {
                    window_bits: self.compression_window.map_or(15, |n| n as u8),
                    context_takeover: self.context_takeover.unwrap_or(false),
                },
            }),
            rest: self.is_rest().then(|| self.complete_rest()),
        }
    }

    fn complete_rest(&self) -> RestSettings {
        const RESPONSE_HEADERS: [&str; 4] = ["content-type", "etag", "location", "retry-after"];
        RestSettings {
            prefix: self.rest.as_ref().map(|(prefix, _)| prefix.clone()),
            routes: self.routes.clone(),
            inflight: size(self.inflight, 16),
            worker_inflight: size(self.worker_inflight, 512),
            request_timeout: self.request_timeout.unwrap_or(60_000),
            max_response: size(self.max_response, 1 << 20),
            strict: self.strict_order.unwrap_or(false),
            client_headers: self.client_headers.clone().unwrap_or_default(),
            response_headers: self
                .response_headers
                .clone()
                .unwrap_or_else(|| RESPONSE_HEADERS.map(str::to_owned).to_vec()),
        }
    }

    const fn is_rest(&self) -> bool {
        self.rest.is_some() || self.route.is_some()
    }

    /// Which directive made this a WebSocket location, and where.
    fn owner(&self) -> Option<(&'static core::ffi::CStr, &Place)> {
        let echo = self.echo.as_ref().map(|place| (c"ws_echo", place));
        let rest = self.rest.as_ref().map(|(_, place)| (c"ws_rest", place));
        echo.or(rest).or(self.route.as_ref().map(|place| (c"ws_route", place)))
    }

    /// Takes over from the location around an `if`.
    fn take_handler(&mut self, prev: &Self) {
        self.echo.clone_from(&prev.echo);
        self.rest.clone_from(&prev.rest);
        self.routes.clone_from(&prev.routes);
        self.route.clone_from(&prev.route);
    }
}

fn size(value: Option<u64>, default: usize) -> usize {
    value.map_or(default, |n| n.try_into().unwrap_or(usize::MAX))
}

/// `create_loc_conf` of the module context.
pub(crate) unsafe extern "C" fn create_location(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: nginx passes its configuration.
    let cf = unsafe { Conf::new(cf) };
    cf.allocate(LocationConf::default()).cast()
}

/// `merge_loc_conf` of the module context.
pub(crate) unsafe extern "C" fn merge_location(
    cf: *mut ngx_conf_t,
    prev: *mut c_void,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, and two different structures that
    // `create_location` made.
    let (cf, prev, conf) = unsafe {
        (Conf::new(cf), &*prev.cast::<LocationConf>(), &mut *conf.cast::<LocationConf>())
    };

    // The inside of an `if` is a location without a name; it keeps the handler around it.
    if cf.is_nameless() && cf.content_handler().is_none() && prev.owner().is_some() {
        conf.take_handler(prev);
        cf.set_content_handler(upgrade::HANDLER);
    }
    conf.inherit(prev);
    conf.message_zones.clone_from(&prev.message_zones);
    conf.counter_zones.clone_from(&prev.counter_zones);
    conf.settings = Some(conf.complete());

    // A directive behind ours may have taken the location for its own module.
    if let Some((name, place)) = conf.owner()
        && cf.content_handler().map(|h| h as usize) != upgrade::HANDLER.map(|h| h as usize)
    {
        return cf.error_at(name, format_args!("{}", setters::CONFLICT), place);
    }
    if let Some((_, place)) = &conf.status
        && cf.content_handler().map(|h| h as usize) != status::HANDLER.map(|h| h as usize)
    {
        return cf.error_at(c"ws_status", format_args!("{}", setters::CONFLICT), place);
    }
    config::OK
}
