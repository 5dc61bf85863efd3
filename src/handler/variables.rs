//! The `$ws_*` variables: what an access log can say of a socket.
//!
//! Of a request that did not become a socket all of them are "not found", which logs as `-`.

use core::fmt::Write as _;

use crate::nginx::content::Getter;
use crate::nginx::request::Request;
use crate::nginx::tenancy;
use crate::proto::endpoint::facts::Facts;

/// Name and value of each variable.
#[rustfmt::skip]
pub(crate) static VARIABLES: [(&str, Getter); 9] = [
    ("ws_close_code", |r, out| write!(out, "{}", of(r)?.close_code()?).ok()),
    ("ws_close_reason", |r, out| { out.push_str(of(r)?.close_reason()?); Some(()) }),
    ("ws_duration", |r, out| {
        let ms = of(r)?.duration();
        write!(out, "{}.{:03}", ms / 1000, ms % 1000).ok()
    }),
    ("ws_messages_in", |r, out| write!(out, "{}", of(r)?.traffic().messages_in).ok()),
    ("ws_messages_out", |r, out| write!(out, "{}", of(r)?.traffic().messages_out).ok()),
    ("ws_bytes_in", |r, out| write!(out, "{}", of(r)?.traffic().bytes_in).ok()),
    ("ws_bytes_out", |r, out| write!(out, "{}", of(r)?.traffic().bytes_out).ok()),
    ("ws_subprotocol", |r, out| { out.push_str(of(r)?.subprotocol()?); Some(()) }),
    ("ws_connection_id", |r, out| of(r)?.id().iter().try_for_each(|b| write!(out, "{b:02x}")).ok()),
];

fn of<'r>(request: Request) -> Option<&'r Facts> {
    tenancy::facts(request)
}
