//! `ws_rest`, `ws_route`, and what is said of calls.

use std::rc::Rc;

use super::location::{CONFLICT, LocationConf};
use super::row::{
    ANYWHERE, Block, LOCATION, ONE, SOME, THREE, Wrong, directives, each, once, wrong,
};
use super::socket::{MESSAGE, TIME};
use super::value::{Bounds, count, one_of, size, time};
use crate::handler::upgrade::Upgrade;
use crate::nginx::config::Place;
use crate::nginx::content;
use crate::proto::call::header_names::is_reserved;
use crate::proto::call::path;
use crate::proto::call::route::{BadRoute, Route};
use crate::proto::handshake::token;
use crate::settings::calls::CallSettings;
use crate::settings::http::HttpSettings;

pub(super) const INFLIGHT: Bounds = Bounds { min: 1, max: 65_535 };
const RESPONSE_HEADERS: [&str; 4] = ["content-type", "etag", "location", "retry-after"];

directives! {
    /// Sizes are in bytes, times in milliseconds.
    struct CallConf at block.location.calls of LocationConf;

    own       c"ws_rest",             LOCATION | ONE,   prefix: (String, Place),                once(read_prefix);
    own       c"ws_route",            LOCATION | THREE, routes: Vec<(Route, Place)>,            each(read_route);
    inherited c"ws_order",            ANYWHERE | ONE,   strict_order: bool = false,             once(read_order);
    inherited c"ws_client_headers",   ANYWHERE | SOME,  client_headers: Vec<String> = vec![],   once(read_client_headers);
    inherited c"ws_response_headers", ANYWHERE | SOME,  response_headers: Vec<String> = RESPONSE_HEADERS.map(str::to_owned).to_vec(), once(read_response_headers);
    inherited c"ws_inflight",         ANYWHERE | ONE,   inflight: usize = 16,                   once(count(INFLIGHT));
    inherited c"ws_request_timeout",  ANYWHERE | ONE,   request_timeout: u64 = 60_000,          once(time(TIME));
    inherited c"ws_max_response",     ANYWHERE | ONE,   max_response: usize = 1 << 20,          once(size(MESSAGE));
}

impl CallConf {
    /// Whether messages of the location are calls.
    pub(super) const fn is_said(&self) -> bool {
        self.prefix.is_some() || self.routes.is_some()
    }

    /// Which directive made them calls, and where.
    pub(super) fn owner(&self) -> Option<(&'static core::ffi::CStr, &Place)> {
        let prefix = self.prefix.as_ref().map(|(_, place)| (c"ws_rest", place));
        let route = self.routes.as_ref().and_then(|routes| routes.first());
        prefix.or(route.map(|(_, place)| (c"ws_route", place)))
    }
}

pub(super) fn complete(location: &LocationConf, http: &Rc<HttpSettings>) -> Option<CallSettings> {
    let calls = &location.calls;
    calls.is_said().then(|| CallSettings {
        http: Rc::clone(http),
        prefix: calls.prefix.as_ref().map(|(prefix, _)| prefix.clone()),
        routes: calls.routes.iter().flatten().map(|(route, _)| route.clone()).collect(),
        inflight: inflight(location),
        request_timeout: request_timeout(location),
        max_response: max_response(location),
        strict: strict_order(location),
        client_headers: client_headers(location),
        response_headers: response_headers(location),
    })
}

/// Makes the location ours, unless another module, or another directive of ours, has it.
fn claim(block: &mut Block<'_>) -> Result<Place, Wrong> {
    if block.cf.has_content_handler() && !block.location.calls.is_said() {
        return wrong(CONFLICT);
    }
    block.cf.set_content_handler(content::handler::<Upgrade>());
    Ok(block.cf.place())
}

/// `ws_rest prefix;`
fn read_prefix(block: &mut Block<'_>) -> Result<(String, Place), Wrong> {
    let prefix = block.cf.text_arg();
    if prefix.contains('$') {
        return wrong(format!("invalid prefix \"{prefix}\": it cannot have variables"));
    }
    // It is compared with paths that nginx has normalised, so it has to be one.
    let is_normal = !prefix.contains(['?', '%'])
        && !prefix.contains("//")
        && !prefix.split('/').any(|segment| matches!(segment, "." | ".."));
    if !path::is_sane(prefix) || !is_normal {
        return wrong(format!("invalid prefix \"{prefix}\": expected a path such as /api/"));
    }
    Ok((prefix.to_owned(), claim(block)?))
}

/// `ws_route action method uri;`
fn read_route(block: &mut Block<'_>) -> Result<(Route, Place), Wrong> {
    let mut args = block.cf.text_args();
    let mut next = || args.next().unwrap_or_default();
    let (action, method, uri) = (next(), next(), next());
    let route = Route::parse(action, method, uri).or_else(|bad| {
        wrong(match bad {
            BadRoute::Action => "has an empty action".to_owned(),
            BadRoute::Method => format!(
                "invalid method \"{method}\": expected GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS"
            ),
            BadRoute::Uri => {
                format!("invalid URI \"{uri}\": expected a path such as /api/users")
            }
            BadRoute::Variable => {
                format!("invalid variable in \"{uri}\": expected $ws_arg_name only")
            }
        })
    })?;
    let mut others = block.location.calls.routes.iter().flatten();
    if others.any(|(other, _)| other.action == route.action) {
        return wrong(format!("repeats the action \"{action}\""));
    }
    Ok((route, claim(block)?))
}

/// `ws_order completion | strict;`
fn read_order(block: &mut Block<'_>) -> Result<bool, Wrong> {
    one_of(block, [("completion", false), ("strict", true)])
}

/// `ws_client_headers name ...;`
fn read_client_headers(block: &mut Block<'_>) -> Result<Vec<String>, Wrong> {
    let names = read_response_headers(block)?;
    // One of these would let a client reshape the request or smuggle another one behind it.
    if let Some(name) = block.cf.text_args().find(|name| is_reserved(name)) {
        return wrong(format!("cannot allow \"{name}\": it belongs to nginx"));
    }
    Ok(names)
}

/// `ws_response_headers name ...;`: in lower case.
fn read_response_headers(block: &mut Block<'_>) -> Result<Vec<String>, Wrong> {
    if let Some(name) = block.cf.text_args().find(|name| !token::is_token(name)) {
        return wrong(format!("invalid header name \"{name}\""));
    }
    Ok(block.cf.text_args().map(str::to_ascii_lowercase).collect())
}
