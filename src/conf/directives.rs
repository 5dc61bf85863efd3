//! The table of directives, as nginx reads it.

use core::ffi::{c_char, c_void};
use core::mem::offset_of;
use core::ptr;

use nginx_sys::{
    NGX_CONF_1MORE, NGX_CONF_NOARGS, NGX_CONF_TAKE1, NGX_CONF_TAKE3, NGX_CONF_TAKE12,
    NGX_HTTP_LOC_CONF, NGX_HTTP_LOC_CONF_OFFSET, NGX_HTTP_MAIN_CONF, NGX_HTTP_SRV_CONF,
    ngx_command_t, ngx_conf_t,
};

use super::location::LocationConf;
use super::setters::{
    Bounds, set_client_headers, set_count, set_echo, set_flag, set_order, set_origin,
    set_response_headers, set_rest, set_route, set_size, set_subprotocol, set_time,
};
use super::{rates, zones};
use crate::nginx::string::static_str;

type Setter = unsafe extern "C" fn(*mut ngx_conf_t, *mut ngx_command_t, *mut c_void) -> *mut c_char;

const ANYWHERE: u32 = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

/// Any time that fits nginx's timers; 0 turns the timeout off.
const OPTIONAL_TIME: &Bounds = &Bounds { min: 0, max: MAX_TIME };
/// A timeout that cannot be turned off.
const TIME: &Bounds = &Bounds { min: 1, max: MAX_TIME };
/// A year, in milliseconds.
const MAX_TIME: u64 = 365 * 86_400_000;
/// One byte to 1g: a message is held in memory.
const MESSAGE: &Bounds = &Bounds { min: 1, max: 1 << 30 };
const QUEUE: &Bounds = &Bounds { min: 1 << 10, max: 1 << 30 };
/// zlib's levels, without "none".
const LEVEL: &Bounds = &Bounds { min: 1, max: 9 };
/// Base-2 logarithms of bytes; zlib cannot produce a raw stream with 8 (RFC 7692 §7.1.2.1).
const WINDOW: &Bounds = &Bounds { min: 9, max: 15 };
const LENGTH: &Bounds = &Bounds { min: 0, max: 1 << 30 };
const INFLIGHT: &Bounds = &Bounds { min: 1, max: 65_535 };
const FRAGMENTS: &Bounds = &Bounds { min: 1, max: u32::MAX as u64 };

const fn plain(name: &'static str, flags: u32, set: Setter) -> ngx_command_t {
    ngx_command_t {
        // nginx prints names up to a NUL, so the literals below end in one, which is not counted.
        name: nginx_sys::ngx_str_t { len: name.len() - 1, data: static_str(name).data },
        type_: flags as usize,
        set: Some(set),
        conf: NGX_HTTP_LOC_CONF_OFFSET,
        offset: 0,
        post: ptr::null_mut(),
    }
}

const fn number(
    name: &'static str,
    set: Setter,
    offset: usize,
    bounds: &'static Bounds,
) -> ngx_command_t {
    ngx_command_t {
        offset,
        post: ptr::from_ref(bounds).cast_mut().cast(),
        ..plain(name, ANYWHERE | NGX_CONF_TAKE1, set)
    }
}

const fn flag(name: &'static str, offset: usize) -> ngx_command_t {
    ngx_command_t { offset, ..plain(name, ANYWHERE | NGX_CONF_TAKE1, set_flag) }
}

/// A number for the whole server; locations inherit it.
const fn http(
    name: &'static str,
    set: Setter,
    offset: usize,
    bounds: &'static Bounds,
) -> ngx_command_t {
    ngx_command_t {
        type_: (NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1) as usize,
        ..number(name, set, offset, bounds)
    }
}

const fn end() -> ngx_command_t {
    ngx_command_t {
        name: nginx_sys::ngx_str_t::empty(),
        type_: 0,
        set: None,
        conf: 0,
        offset: 0,
        post: ptr::null_mut(),
    }
}

macro_rules! field {
    ($name:ident) => {
        offset_of!(LocationConf, $name)
    };
}

/// What `ngx_module_t.commands` points to.
#[rustfmt::skip]
pub(crate) static mut COMMANDS: [ngx_command_t; 33] = [
    plain("ws_echo\0", NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, set_echo),
    plain("ws_origin\0", ANYWHERE | NGX_CONF_1MORE, set_origin),
    plain("ws_subprotocol\0", ANYWHERE | NGX_CONF_1MORE, set_subprotocol),
    number("ws_max_message\0", set_size, field!(max_message), MESSAGE),
    number("ws_max_fragments\0", set_count, field!(max_fragments), FRAGMENTS),
    number("ws_idle_timeout\0", set_time, field!(idle_timeout), OPTIONAL_TIME),
    number("ws_ping_interval\0", set_time, field!(ping_interval), OPTIONAL_TIME),
    number("ws_pong_timeout\0", set_time, field!(pong_timeout), TIME),
    number("ws_close_timeout\0", set_time, field!(close_timeout), TIME),
    number("ws_max_lifetime\0", set_time, field!(max_lifetime), OPTIONAL_TIME),
    number("ws_send_queue\0", set_size, field!(send_queue), QUEUE),
    number("ws_send_timeout\0", set_time, field!(send_timeout), OPTIONAL_TIME),
    number("ws_drain\0", set_time, field!(drain), OPTIONAL_TIME),
    plain("ws_rest\0", NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1, set_rest),
    plain("ws_route\0", NGX_HTTP_LOC_CONF | NGX_CONF_TAKE3, set_route),
    plain("ws_order\0", ANYWHERE | NGX_CONF_TAKE1, set_order),
    plain("ws_client_headers\0", ANYWHERE | NGX_CONF_1MORE, set_client_headers),
    plain("ws_response_headers\0", ANYWHERE | NGX_CONF_1MORE, set_response_headers),
    number("ws_inflight\0", set_count, field!(inflight), INFLIGHT),
    http("ws_worker_inflight\0", set_count, field!(worker_inflight), INFLIGHT),
    number("ws_request_timeout\0", set_time, field!(request_timeout), TIME),
    number("ws_max_response\0", set_size, field!(max_response), MESSAGE),
    plain("ws_zone\0", ANYWHERE | NGX_CONF_TAKE12, zones::set_zone),
    plain("ws_status\0", NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE12, zones::set_status),
    plain("ws_message_rate\0", ANYWHERE | NGX_CONF_1MORE, rates::set_rate),
    plain("ws_message_zone\0", NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE3, rates::set_zone),
    plain("ws_message_limit\0", ANYWHERE | NGX_CONF_1MORE, rates::set_limit),
    flag("ws_compression\0", field!(compression)),
    number("ws_compression_level\0", set_count, field!(compression_level), LEVEL),
    number("ws_compression_min_length\0", set_size, field!(compression_min_length), LENGTH),
    number("ws_compression_window\0", set_count, field!(compression_window), WINDOW),
    flag("ws_compression_context_takeover\0", field!(context_takeover)),
    end(),
];
