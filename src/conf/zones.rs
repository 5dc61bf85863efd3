//! `ws_zone`, `ws_status`: where is counted, and where it is shown.

use core::ffi::{CStr, c_char, c_void};

use nginx_sys::{ngx_command_t, ngx_conf_t, ngx_str_t};

use super::location::{CONFLICT, LocationConf};
use crate::handler::status::Status;
use crate::nginx::config::{self, Conf};
use crate::nginx::content;
use crate::nginx::shm::{BadZone, Zone};
use crate::settings::{CounterZone, Format, StatusConf};

/// `ws_zone name [size];`
pub(super) unsafe extern "C" fn set_zone(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    let name = config::name(cmd);
    let mut args = cf.args();
    let Some(zone_name) = args.next() else { return config::ERROR };
    let Some(size_arg) = args.next() else {
        // A reference: this block counts there.
        if conf.zone.is_some() {
            return config::DUPLICATE;
        }
        let Ok(zone) = Zone::refer(cf, zone_name) else { return config::ERROR };
        conf.zone = Some(zone);
        return config::OK;
    };
    if !cf.is_http_block() {
        return cf.error(name, format_args!("defines a zone outside of the http block"));
    }
    let Some(size) = config::parse_size(size_arg) else {
        return cf.error(
            name,
            format_args!("invalid size \"{size_arg}\": expected a size such as 64k or 1m"),
        );
    };
    match define(cf, name, zone_name, size, "a ws_zone".to_owned()) {
        Ok(zone) => {
            conf.counter_zones.push(CounterZone { name: zone_name.to_string(), zone });
            config::OK
        }
        Err(error) => error,
    }
}

/// Defines a zone for the directive `name`.
///
/// # Errors
///
/// What the setter must return.
pub(super) fn define(
    cf: Conf,
    name: &CStr,
    zone_name: &ngx_str_t,
    size: u64,
    meaning: String,
) -> Result<Zone, *mut c_char> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    Zone::define(cf, zone_name, size, meaning).map_err(|why| match why {
        BadZone::TooSmall => cf.error(name, format_args!("zone \"{zone_name}\" is too small")),
        BadZone::Taken => cf.error(name, format_args!("zone \"{zone_name}\" is already defined")),
        BadZone::Refused => config::ERROR,
    })
}

/// `ws_status [zone] [json|prometheus];`
pub(super) unsafe extern "C" fn set_status(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    let name = config::name(cmd);
    if conf.status.is_some() {
        return config::DUPLICATE;
    }
    let mut status = StatusConf { zone: None, format: Format::Negotiated };
    for arg in cf.args() {
        match arg.as_bytes() {
            b"json" if status.format == Format::Negotiated => status.format = Format::Json,
            b"prometheus" if status.format == Format::Negotiated => {
                status.format = Format::Prometheus;
            }
            b"json" | b"prometheus" => {
                return cf.error(name, format_args!("names two formats"));
            }
            _ if status.zone.is_some() => {
                return cf.error(name, format_args!("invalid parameter \"{arg}\""));
            }
            _ => match Zone::refer(cf, arg) {
                Ok(zone) => status.zone = Some(zone),
                Err(_) => return config::ERROR,
            },
        }
    }
    if cf.content_handler().is_some() {
        return cf.error(name, format_args!("{}", CONFLICT));
    }
    cf.set_content_handler(content::handler::<Status>());
    conf.status = Some((status, cf.place()));
    config::OK
}
