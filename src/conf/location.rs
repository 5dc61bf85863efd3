//! The configuration of a location, from what its directives and those around it say.

use core::ffi::{c_char, c_void};
use core::mem::offset_of;

use nginx_sys::ngx_conf_t;

use crate::handler::status::Status;
use crate::handler::upgrade::Upgrade;
use crate::nginx::config::{self, Conf, Place};
use crate::nginx::content;
use crate::nginx::shm::Zone;
use crate::proto::call::route::Route;
use crate::proto::endpoint::life::Timeouts;
use crate::proto::frame::receiver::Limits;
use crate::proto::handshake::extension::Policy;
use crate::proto::handshake::origin::{OriginPolicy, Pattern};
use crate::settings::{
    CompressionSettings, CounterZone, MessageZone, RestSettings, Settings, SharedLimit, SocketRate,
    StatusConf,
};

/// What was said in one block, `None` where nothing was; and what it amounts to.
///
/// Sizes are in bytes, times in milliseconds.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct LocationConf {
    /// What [`settings::of`](crate::settings::of) reads.
    settings: Option<Settings>,
    pub(super) echo: Option<Place>,
    pub(super) rest: Option<(String, Place)>,
    pub(super) routes: Vec<Route>,
    /// The first `ws_route`.
    pub(super) route: Option<Place>,
    pub(super) max_message: Option<u64>,
    pub(super) max_fragments: Option<u64>,
    pub(super) idle_timeout: Option<u64>,
    pub(super) ping_interval: Option<u64>,
    pub(super) pong_timeout: Option<u64>,
    pub(super) close_timeout: Option<u64>,
    pub(super) max_lifetime: Option<u64>,
    pub(super) send_queue: Option<u64>,
    pub(super) send_timeout: Option<u64>,
    pub(super) drain: Option<u64>,
    pub(super) origin: Option<OriginPolicy>,
    pub(super) subprotocol: Option<Vec<String>>,
    pub(super) compression: Option<bool>,
    pub(super) compression_level: Option<u64>,
    pub(super) compression_min_length: Option<u64>,
    pub(super) compression_window: Option<u64>,
    pub(super) context_takeover: Option<bool>,
    pub(super) inflight: Option<u64>,
    pub(super) worker_inflight: Option<u64>,
    pub(super) request_timeout: Option<u64>,
    pub(super) max_response: Option<u64>,
    pub(super) strict_order: Option<bool>,
    pub(super) zone: Option<Zone>,
    /// Only in the http block; every block below has a copy.
    pub(super) counter_zones: Vec<CounterZone>,
    pub(super) status: Option<(StatusConf, Place)>,
    pub(super) message_rate: Option<SocketRate>,
    /// Only in the http block; every block below has a copy.
    pub(super) message_zones: Vec<MessageZone>,
    pub(super) message_limits: Option<Vec<SharedLimit>>,
    pub(super) client_headers: Option<Vec<String>>,
    pub(super) response_headers: Option<Vec<String>>,
}

const _: () = assert!(offset_of!(LocationConf, settings) == 0);

pub(super) const CONFLICT: &str = "conflicts with another content handler of this location";

impl LocationConf {
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

    pub(super) const fn is_rest(&self) -> bool {
        self.rest.is_some() || self.route.is_some()
    }

    /// Which directive made this a WebSocket location, and where.
    pub(super) fn owner(&self) -> Option<(&'static core::ffi::CStr, &Place)> {
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
        cf.set_content_handler(content::handler::<Upgrade>());
    }
    conf.inherit(prev);
    conf.message_zones.clone_from(&prev.message_zones);
    conf.counter_zones.clone_from(&prev.counter_zones);
    conf.settings = Some(conf.complete());

    // A directive behind ours may have taken the location for its own module.
    if let Some((name, place)) = conf.owner()
        && cf.content_handler().map(|h| h as usize)
            != content::handler::<Upgrade>().map(|h| h as usize)
    {
        return cf.error_at(name, format_args!("{}", CONFLICT), place);
    }
    if let Some((_, place)) = &conf.status
        && cf.content_handler().map(|h| h as usize)
            != content::handler::<Status>().map(|h| h as usize)
    {
        return cf.error_at(c"ws_status", format_args!("{}", CONFLICT), place);
    }
    config::OK
}
