//! Parsing of directives: one setter per kind of value.
//!
//! nginx calls a setter with the configuration structure of the block; `cmd.offset` names the field
//! and `cmd.post` its bounds.

use core::ffi::{c_char, c_void};
use core::fmt;

use nginx_sys::{ngx_command_t, ngx_conf_t, ngx_str_t};

use super::location::{CONFLICT, LocationConf};
use crate::handler::upgrade::Upgrade;
use crate::nginx::config::{self, Conf};
use crate::nginx::content;
use crate::proto::call::header_names;
use crate::proto::call::path;
use crate::proto::call::route::{BadRoute, Route};
use crate::proto::handshake::origin::OriginPolicy;
use crate::proto::handshake::token;

/// The values a directive takes, both ends included.
#[derive(Debug)]
pub(super) struct Bounds {
    pub(super) min: u64,
    pub(super) max: u64,
}

/// `ws_max_message size;` and its like.
pub(super) unsafe extern "C" fn set_size(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: by nginx's contract with setters, passed on.
    unsafe { set_number(cf, cmd, conf, &SIZE) }
}

/// `ws_idle_timeout time;` and its like.
pub(super) unsafe extern "C" fn set_time(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: by nginx's contract with setters, passed on.
    unsafe { set_number(cf, cmd, conf, &TIME) }
}

/// `ws_max_fragments number;`.
pub(super) unsafe extern "C" fn set_count(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: by nginx's contract with setters, passed on.
    unsafe { set_number(cf, cmd, conf, &COUNT) }
}

/// A way to write a number.
struct Kind {
    name: &'static str,
    parse: fn(&ngx_str_t) -> Option<u64>,
    example: &'static str,
    /// Writes a bound the way it is written in a configuration.
    show: fn(u64, &mut fmt::Formatter<'_>) -> fmt::Result,
}

const SIZE: Kind = Kind {
    name: "size",
    parse: config::parse_size,
    example: "a size such as 64k or 1m",
    show: |n, f| match n {
        n if n >= 1 << 30 && n % (1 << 30) == 0 => write!(f, "{}g", n >> 30),
        n if n >= 1 << 20 && n % (1 << 20) == 0 => write!(f, "{}m", n >> 20),
        n if n >= 1 << 10 && n % (1 << 10) == 0 => write!(f, "{}k", n >> 10),
        n => write!(f, "{n}"),
    },
};

const TIME: Kind = Kind {
    name: "time",
    parse: config::parse_msec,
    example: "a time such as 30s or 500ms",
    show: |n, f| match n {
        n if n >= 86_400_000 && n % 86_400_000 == 0 => write!(f, "{}d", n / 86_400_000),
        n if n >= 1000 && n % 1000 == 0 => write!(f, "{}s", n / 1000),
        n => write!(f, "{n}ms"),
    },
};

const COUNT: Kind = Kind {
    name: "number",
    parse: |arg| arg.to_str().ok().filter(|s| !s.starts_with('+'))?.parse().ok(),
    example: "a whole number",
    show: |n, f| write!(f, "{n}"),
};

struct Shown<'k>(&'k Kind, u64);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0.show)(self.1, f)
    }
}

/// # Safety
///
/// The arguments are those nginx passed to the setter of a directive whose `offset` is that of an
/// `Option<u64>` in [`LocationConf`] and whose `post` is a [`Bounds`].
unsafe fn set_number(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
    kind: &Kind,
) -> *mut c_char {
    // SAFETY: by the contract of this function; `conf` came from `create_location`, and no other
    // reference to it exists while its block is read.
    let (cf, cmd, field, bounds) = unsafe {
        let cmd = &*cmd;
        let field = conf.byte_add(cmd.offset).cast::<Option<u64>>();
        (Conf::new(cf), cmd, &mut *field, &*cmd.post.cast::<Bounds>())
    };
    if field.is_some() {
        return config::DUPLICATE;
    }
    for arg in cf.args() {
        let Some(value) = (kind.parse)(arg) else {
            let (name, example) = (kind.name, kind.example);
            return cf.error(
                config::name(cmd),
                format_args!("invalid {name} \"{arg}\": expected {example}"),
            );
        };
        if !(bounds.min..=bounds.max).contains(&value) {
            let (name, min, max) = (kind.name, Shown(kind, bounds.min), Shown(kind, bounds.max));
            return cf.error(
                config::name(cmd),
                format_args!("invalid {name} \"{arg}\": expected {min} to {max}"),
            );
        }
        *field = Some(value);
    }
    config::OK
}

/// `ws_compression on | off;` and its like.
pub(super) unsafe extern "C" fn set_flag(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration and a directive of ours whose `offset` is that of an
    // `Option<bool>` in the structure it passes.
    let (cf, cmd, field) = unsafe {
        let cmd = &*cmd;
        (Conf::new(cf), cmd, &mut *conf.byte_add(cmd.offset).cast::<Option<bool>>())
    };
    if field.is_some() {
        return config::DUPLICATE;
    }
    *field = match cf.text_args().next().unwrap_or_default() {
        "on" => Some(true),
        "off" => Some(false),
        other => {
            return cf.error(
                config::name(cmd),
                format_args!("invalid value \"{other}\": expected on or off"),
            );
        }
    };
    config::OK
}

/// Makes the location ours.
///
/// # Errors
///
/// What the setter must return: another module, or another directive of ours, has it.
fn claim(cf: Conf, cmd: &ngx_command_t, conf: &LocationConf) -> Result<(), *mut c_char> {
    match cf.content_handler() {
        None => cf.set_content_handler(content::handler::<Upgrade>()),
        Some(_) if conf.is_rest() => {}
        Some(_) => return Err(cf.error(config::name(cmd), format_args!("{CONFLICT}"))),
    }
    Ok(())
}

/// `ws_rest prefix;`
pub(super) unsafe extern "C" fn set_rest(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    if conf.rest.is_some() {
        return config::DUPLICATE;
    }
    let prefix = cf.text_args().next().unwrap_or_default();
    // It is compared with paths that nginx has normalised, so it has to be one.
    let is_normal = !prefix.contains(['?', '%'])
        && !prefix.contains("//")
        && !prefix.split('/').any(|segment| matches!(segment, "." | ".."));
    if !path::is_sane(prefix) || !is_normal {
        return cf.error(
            config::name(cmd),
            format_args!("invalid prefix \"{prefix}\": expected a path such as /api/"),
        );
    }
    if let Err(error) = claim(cf, cmd, conf) {
        return error;
    }
    conf.rest = Some((prefix.to_owned(), cf.place()));
    config::OK
}

/// `ws_route action method uri;`
pub(super) unsafe extern "C" fn set_route(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    let mut args = cf.text_args();
    let mut next = || args.next().unwrap_or_default();
    let (action, method, uri) = (next(), next(), next());
    let name = config::name(cmd);
    let route = match Route::parse(action, method, uri) {
        Ok(route) => route,
        Err(BadRoute::Action) => return cf.error(name, format_args!("has an empty action")),
        Err(BadRoute::Method) => {
            return cf.error(
                name,
                format_args!(
                    "invalid method \"{method}\": expected GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS"
                ),
            );
        }
        Err(BadRoute::Uri) => {
            return cf.error(
                name,
                format_args!("invalid URI \"{uri}\": expected a path such as /api/users"),
            );
        }
        Err(BadRoute::Variable) => {
            return cf.error(
                name,
                format_args!("invalid variable in \"{uri}\": expected $ws_arg_name only"),
            );
        }
    };
    if conf.routes.iter().any(|other| other.action == route.action) {
        return cf.error(name, format_args!("repeats the action \"{action}\""));
    }
    if let Err(error) = claim(cf, cmd, conf) {
        return error;
    }
    conf.routes.push(route);
    conf.route.get_or_insert_with(|| cf.place());
    config::OK
}

/// `ws_order completion | strict;`
pub(super) unsafe extern "C" fn set_order(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    if conf.strict_order.is_some() {
        return config::DUPLICATE;
    }
    conf.strict_order = match cf.text_args().next().unwrap_or_default() {
        "completion" => Some(false),
        "strict" => Some(true),
        other => {
            return cf.error(
                config::name(cmd),
                format_args!("invalid value \"{other}\": expected completion or strict"),
            );
        }
    };
    config::OK
}

/// `ws_client_headers name ...;`
pub(super) unsafe extern "C" fn set_client_headers(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    if conf.client_headers.is_some() {
        return config::DUPLICATE;
    }
    // One of these would let a client reshape the request or smuggle another one behind it.
    match header_names(cf, cmd, header_names::is_reserved) {
        Ok(names) => conf.client_headers = Some(names),
        Err(error) => return error,
    }
    config::OK
}

/// `ws_response_headers name ...;`
pub(super) unsafe extern "C" fn set_response_headers(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    if conf.response_headers.is_some() {
        return config::DUPLICATE;
    }
    match header_names(cf, cmd, |_| false) {
        Ok(names) => conf.response_headers = Some(names),
        Err(error) => return error,
    }
    config::OK
}

/// The arguments as names of headers, in lower case.
fn header_names(
    cf: Conf,
    cmd: &ngx_command_t,
    is_reserved: fn(&str) -> bool,
) -> Result<Vec<String>, *mut c_char> {
    cf.text_args()
        .map(|name| {
            if !token::is_token(name) {
                let message = format_args!("invalid header name \"{name}\"");
                return Err(cf.error(config::name(cmd), message));
            }
            if is_reserved(name) {
                let message = format_args!("cannot allow \"{name}\": it belongs to nginx");
                return Err(cf.error(config::name(cmd), message));
            }
            Ok(name.to_ascii_lowercase())
        })
        .collect()
}

/// `ws_echo;`
pub(super) unsafe extern "C" fn set_echo(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    if conf.echo.is_some() {
        return config::DUPLICATE;
    }
    if cf.content_handler().is_some() {
        return cf.error(config::name(cmd), format_args!("{CONFLICT}"));
    }
    conf.echo = Some(cf.place());
    cf.set_content_handler(content::handler::<Upgrade>());
    config::OK
}

/// `ws_origin any | same | host ...;`
pub(super) unsafe extern "C" fn set_origin(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    if conf.origin.is_some() {
        return config::DUPLICATE;
    }
    match OriginPolicy::parse(cf.text_args()) {
        Ok(policy) => {
            conf.origin = Some(policy);
            config::OK
        }
        Err((i, why)) => {
            let arg = cf.text_args().nth(i).unwrap_or_default();
            cf.error(config::name(cmd), format_args!("invalid value \"{arg}\": {why}"))
        }
    }
}

/// `ws_subprotocol name ...;`
pub(super) unsafe extern "C" fn set_subprotocol(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, our directive and our structure.
    let (cf, cmd, conf) = unsafe { (Conf::new(cf), &*cmd, &mut *conf.cast::<LocationConf>()) };
    if conf.subprotocol.is_some() {
        return config::DUPLICATE;
    }
    let mut names = Vec::new();
    for arg in cf.text_args() {
        if !token::is_token(arg) {
            return cf.error(
                config::name(cmd),
                format_args!("invalid name \"{arg}\": expected an HTTP token such as chat.v1"),
            );
        }
        if names.iter().any(|name| name == arg) {
            return cf.error(config::name(cmd), format_args!("repeats the name \"{arg}\""));
        }
        names.push(arg.to_owned());
    }
    conf.subprotocol = Some(names);
    config::OK
}
