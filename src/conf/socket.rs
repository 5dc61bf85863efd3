//! What is said of a socket, whatever its location does with messages.

use super::location::{CONFLICT, LocationConf};
use super::row::{ANYWHERE, Block, LOCATION, NONE, ONE, SOME, Wrong, directives, once, wrong};
use super::value::{Bounds, count, flag, size, time};
use crate::handler::upgrade::Upgrade;
use crate::nginx::config::{Conf, Place};
use crate::nginx::content;
use crate::nginx::log::Level;
use crate::proto::endpoint::life::Timeouts;
use crate::proto::frame::receiver::Limits;
use crate::proto::handshake::extension::Policy;
use crate::proto::handshake::origin::{OriginPolicy, Pattern};
use crate::proto::handshake::token;
use crate::settings::socket::{CompressionSettings, SocketSettings};

/// Any time that fits nginx's timers; 0 turns the timeout off.
const OPTIONAL_TIME: Bounds = Bounds { min: 0, max: MAX_TIME };
/// A timeout that cannot be turned off.
pub(super) const TIME: Bounds = Bounds { min: 1, max: MAX_TIME };
/// A year, in milliseconds.
const MAX_TIME: u64 = 365 * 86_400_000;
/// One byte to 1g: a message is held in memory.
pub(super) const MESSAGE: Bounds = Bounds { min: 1, max: 1 << 30 };
const QUEUE: Bounds = Bounds { min: 1 << 10, max: 1 << 30 };
/// zlib's levels, without "none".
const LEVEL: Bounds = Bounds { min: 1, max: 9 };
/// Base-2 logarithms of bytes; zlib cannot produce a raw stream with 8 (RFC 7692 §7.1.2.1).
const WINDOW: Bounds = Bounds { min: 9, max: 15 };
const LENGTH: Bounds = Bounds { min: 0, max: 1 << 30 };
const FRAGMENTS: Bounds = Bounds { min: 1, max: u32::MAX as u64 };

directives! {
    /// Sizes are in bytes, times in milliseconds.
    struct SocketConf at block.location.socket of LocationConf;

    own       c"ws_echo",                         LOCATION | NONE, echo: Place,                             once(read_echo);
    inherited c"ws_origin",                       ANYWHERE | SOME, origin: OriginPolicy = same_if_calls(location), once(read_origin);
    inherited c"ws_subprotocol",                  ANYWHERE | SOME, subprotocol: Vec<String> = vec![],  once(read_subprotocol);
    inherited c"ws_max_message",                  ANYWHERE | ONE, max_message: u64 = 1 << 20,          once(size(MESSAGE));
    inherited c"ws_max_fragments",                ANYWHERE | ONE, max_fragments: u32 = 1024,           once(count(FRAGMENTS));
    inherited c"ws_idle_timeout",                 ANYWHERE | ONE, idle_timeout: u64 = 120_000,         once(time(OPTIONAL_TIME));
    inherited c"ws_ping_interval",                ANYWHERE | ONE, ping_interval: u64 = 0,              once(time(OPTIONAL_TIME));
    inherited c"ws_pong_timeout",                 ANYWHERE | ONE, pong_timeout: u64 = 10_000,          once(time(TIME));
    inherited c"ws_close_timeout",                ANYWHERE | ONE, close_timeout: u64 = 5_000,          once(time(TIME));
    inherited c"ws_max_lifetime",                 ANYWHERE | ONE, max_lifetime: u64 = 0,               once(time(OPTIONAL_TIME));
    inherited c"ws_send_queue",                   ANYWHERE | ONE, send_queue: usize = 1 << 20,         once(size(QUEUE));
    inherited c"ws_send_timeout",                 ANYWHERE | ONE, send_timeout: u64 = 30_000,          once(time(OPTIONAL_TIME));
    inherited c"ws_drain",                        ANYWHERE | ONE, drain: u64 = 10_000,                 once(time(OPTIONAL_TIME));
    inherited c"ws_compression",                  ANYWHERE | ONE, compression: bool = false,           once(flag);
    inherited c"ws_compression_level",            ANYWHERE | ONE, compression_level: u32 = 1,          once(count(LEVEL));
    inherited c"ws_compression_min_length",       ANYWHERE | ONE, compression_min_length: usize = 1024, once(size(LENGTH));
    inherited c"ws_compression_window",           ANYWHERE | ONE, compression_window: u8 = 15,         once(count(WINDOW));
    inherited c"ws_compression_context_takeover", ANYWHERE | ONE, context_takeover: bool = false,      once(flag);
}

/// `same` for calls, `any` for others: a bridge acts with the cookies of the page's user, an echo has
/// nothing to protect.
fn same_if_calls(location: &LocationConf) -> OriginPolicy {
    match location.calls.is_said() {
        true => OriginPolicy::List(vec![Pattern::Same]),
        false => OriginPolicy::Any,
    }
}

pub(super) fn complete(location: &LocationConf) -> SocketSettings {
    SocketSettings {
        limits: Limits { message: max_message(location), fragments: max_fragments(location) },
        timeouts: Timeouts {
            idle: idle_timeout(location),
            ping_interval: ping_interval(location),
            pong: pong_timeout(location),
            lifetime: max_lifetime(location),
            close: close_timeout(location),
        },
        send_queue: send_queue(location),
        send_timeout: send_timeout(location),
        drain: drain(location),
        origins: origin(location),
        subprotocols: subprotocol(location),
        compression: compression(location).then(|| CompressionSettings {
            level: compression_level(location),
            min_length: compression_min_length(location),
            policy: Policy {
                window_bits: compression_window(location),
                context_takeover: context_takeover(location),
            },
        }),
    }
}

/// Says what does not do what it seems to, of a location with sockets.
pub(super) fn warn(location: &LocationConf, cf: Conf, place: &Place) {
    let (ping, idle) = (ping_interval(location), idle_timeout(location));
    if idle > 0 && ping >= idle {
        let message = format_args!(
            "is not below ws_idle_timeout, which ends a silent socket before it is pinged,"
        );
        cf.log_at(Level::Warn, c"ws_ping_interval", message, place);
    }
}

/// `ws_echo;`
fn read_echo(block: &mut Block<'_>) -> Result<Place, Wrong> {
    if block.cf.has_content_handler() {
        return wrong(CONFLICT);
    }
    block.cf.set_content_handler(content::handler::<Upgrade>());
    Ok(block.cf.place())
}

/// `ws_origin any | same | host ...;`
fn read_origin(block: &mut Block<'_>) -> Result<OriginPolicy, Wrong> {
    OriginPolicy::parse(block.cf.text_args()).or_else(|(i, why)| {
        let arg = block.cf.text_args().nth(i).unwrap_or_default();
        wrong(format!("invalid value \"{arg}\": {why}"))
    })
}

/// `ws_subprotocol name ...;`
fn read_subprotocol(block: &mut Block<'_>) -> Result<Vec<String>, Wrong> {
    let mut names = Vec::new();
    for arg in block.cf.text_args() {
        if !token::is_token(arg) {
            return wrong(format!(
                "invalid name \"{arg}\": expected an HTTP token such as chat.v1"
            ));
        }
        if names.iter().any(|name| name == arg) {
            return wrong(format!("repeats the name \"{arg}\""));
        }
        names.push(arg.to_owned());
    }
    Ok(names)
}
