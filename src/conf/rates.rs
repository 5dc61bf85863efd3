//! `ws_message_rate`, `ws_message_zone`, `ws_message_limit`: how many messages may pass.

use core::ffi::{c_char, c_void};

use nginx_sys::{ngx_command_t, ngx_conf_t, ngx_str_t};

use super::location::LocationConf;
use super::zones;
use crate::nginx::complex_value::ComplexValue;
use crate::nginx::config::{self, Conf};
use crate::nginx::shm::Zone;
use crate::proto::rate::Action;
use crate::proto::rate::bucket::{MAX_BURST, Rate};
use crate::settings::{MessageZone, SharedLimit, SocketRate};

/// The tail of `ws_message_rate` and `ws_message_limit`: `[burst=n] [close|delay|reject]`.
fn tail<'a>(args: impl Iterator<Item = &'a str>) -> Result<(u32, Option<Action>), &'a str> {
    let (mut burst, mut action) = (None, None);
    for arg in args {
        let parsed = match arg {
            "close" => Some(Action::Close),
            "delay" => Some(Action::Delay),
            "reject" => Some(Action::Reject),
            _ => None,
        };
        match (parsed, arg.strip_prefix("burst=")) {
            (Some(parsed), _) if action.is_none() => action = Some(parsed),
            (None, Some(number)) if burst.is_none() => {
                let number: u32 = number.parse().map_err(|_| arg)?;
                burst = Some(number).filter(|n| u64::from(*n) <= MAX_BURST);
                burst.ok_or(arg)?;
            }
            _ => return Err(arg),
        }
    }
    Ok((burst.unwrap_or(0), action))
}

const TAIL: &str = "expected burst=0 to burst=60000, close, delay or reject";

/// `ws_message_rate rate [burst=n] [close|delay|reject];`
pub(super) unsafe extern "C" fn set_rate(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    if conf.message_rate.is_some() {
        return config::DUPLICATE;
    }
    let mut args = cf.text_args();
    let text = args.next().unwrap_or_default();
    let Some(rate) = Rate::parse(text) else {
        return bad_rate(cf, cmd, text);
    };
    match tail(args) {
        Ok((burst, action)) => {
            let rate = rate.with_burst(burst);
            let action = action.unwrap_or(Action::Delay);
            conf.message_rate = Some(SocketRate { rate, action });
            config::OK
        }
        Err(arg) => {
            cf.error(config::name(cmd), format_args!("invalid parameter \"{arg}\": {TAIL}"))
        }
    }
}

/// `ws_message_zone key zone=name:size rate=rate;`
pub(super) unsafe extern "C" fn set_zone(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    let name = config::name(cmd);
    let mut args = cf.args();
    let Some(key_source) = args.next() else { return config::ERROR };
    let (mut zone, mut rate) = (None, None);
    for arg in args {
        let text = arg.to_str().unwrap_or_default();
        if let Some(definition) = text.strip_prefix("zone=") {
            zone = Some(definition);
        } else if let Some(text) = text.strip_prefix("rate=") {
            rate = Rate::parse(text);
            if rate.is_none() {
                return bad_rate(cf, cmd, text);
            }
        } else {
            return cf.error(name, format_args!("invalid parameter \"{text}\""));
        }
    }
    let (Some(zone), Some(rate)) = (zone, rate) else {
        return cf.error(name, format_args!("needs zone=name:size and rate=rate"));
    };
    let Some((zone_name, size)) = zone.split_once(':').filter(|(name, _)| !name.is_empty()) else {
        return cf.error(name, format_args!("invalid zone \"{zone}\": expected name:size"));
    };
    let Some(size) = config::parse_size(&text_str(size)) else {
        return cf.error(name, format_args!("invalid zone size \"{size}\""));
    };
    let Some(key) = ComplexValue::compile(cf, key_source) else { return config::ERROR };
    let meaning = format!("a ws_message_zone with the key \"{key_source}\"");
    match zones::define(cf, name, &text_str(zone_name), size, meaning) {
        Ok(zone) => {
            conf.message_zones.push(MessageZone { zone, key, rate });
            config::OK
        }
        Err(error) => error,
    }
}

/// `ws_message_limit zone=name [burst=n] [close|delay|reject];`
pub(super) unsafe extern "C" fn set_limit(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    let name = config::name(cmd);
    let mut args = cf.text_args();
    let first = args.next().unwrap_or_default();
    let Some(zone_name) = first.strip_prefix("zone=").filter(|name| !name.is_empty()) else {
        return cf.error(name, format_args!("invalid parameter \"{first}\": expected zone=name"));
    };
    let (burst, action) = match tail(args) {
        Ok(tail) => tail,
        Err(arg) => return cf.error(name, format_args!("invalid parameter \"{arg}\": {TAIL}")),
    };
    let Ok(zone) = Zone::refer(cf, &text_str(zone_name)) else { return config::ERROR };
    let limits = conf.message_limits.get_or_insert_default();
    if limits.iter().any(|limit| limit.zone == zone) {
        return cf.error(name, format_args!("repeats the zone \"{zone_name}\""));
    }
    limits.push(SharedLimit { zone, burst, action });
    config::OK
}

fn bad_rate(cf: Conf, cmd: &ngx_command_t, text: &str) -> *mut c_char {
    cf.error(
        config::name(cmd),
        format_args!("invalid rate \"{text}\": expected a rate such as 20r/s or 30r/m"),
    )
}

/// A view of `s` for functions of nginx that copy or only read it.
const fn text_str(s: &str) -> ngx_str_t {
    ngx_str_t { len: s.len(), data: s.as_ptr().cast_mut() }
}
