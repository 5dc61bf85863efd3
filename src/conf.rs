//! The configuration of a location: what each directive says, its defaults and inheritance.
//!
//! The table of directives is in [`directives`], their parsing in [`setters`].

pub(crate) mod directives;
mod setters;

use core::ffi::{c_char, c_void};

use nginx_sys::ngx_conf_t;

use crate::nginx::config::{self, Conf, Place};
use crate::proto::liveness::Timeouts;
use crate::proto::origin::OriginPolicy;
use crate::proto::receiver::Limits;
use crate::upgrade;

/// What was said in one block, `None` where nothing was; and what it amounts to.
///
/// Sizes are in bytes, times in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct LocationConf {
    echo: Option<Place>,
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
            subprotocol
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
            send_queue: self.send_queue.map_or(1 << 20, |n| n.try_into().unwrap_or(usize::MAX)),
            send_timeout: self.send_timeout.unwrap_or(30_000),
            drain: self.drain.unwrap_or(10_000),
            origins: self.origin.clone().unwrap_or(OriginPolicy::Any),
            subprotocols: self.subprotocol.clone().unwrap_or_default(),
        }
    }
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

    conf.inherit(prev);
    conf.settings = Some(conf.complete());

    // The inside of an `if` is a location without a name; it keeps the handler around it.
    if cf.is_nameless() && cf.content_handler().is_none() && prev.echo.is_some() {
        conf.echo.clone_from(&prev.echo);
        cf.set_content_handler(upgrade::HANDLER);
    }
    // A directive behind ours may have taken the location for its own module.
    if let Some(place) = &conf.echo
        && cf.content_handler().map(|h| h as usize) != upgrade::HANDLER.map(|h| h as usize)
    {
        return cf.error_at(c"ws_echo", format_args!("{}", setters::CONFLICT), place);
    }
    config::OK
}
