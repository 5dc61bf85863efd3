//! The opening handshake, server side (RFC 6455 §4.2).
//!
//! Looks at a parsed HTTP request through an iterator of its headers; writes nothing.

pub mod extension;
pub mod origin;
pub mod token;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

use extension::{Agreement, Malformed, Policy};
use origin::OriginPolicy;
use token::is_token_byte;

/// HTTP as far as the handshake cares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HttpVersion {
    /// HTTP/0.9 or HTTP/1.0: knows no Upgrade.
    Before11,
    /// HTTP/1.1, or a later HTTP/1: the versions with `Upgrade` (RFC 9110 §7.8).
    Http11,
    /// HTTP/2 or HTTP/3: there, a WebSocket is an extended CONNECT (RFC 8441), not an upgrade.
    After11,
}

/// The request line and what a location allows.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Whether the method is GET.
    pub is_get: bool,
    /// The HTTP version.
    pub version: HttpVersion,
    /// Who may connect.
    pub origins: &'a OriginPolicy,
    /// Subprotocols the location speaks, best first.
    pub subprotocols: &'a [String],
    /// What may be agreed on compression; `None` when there is none.
    pub compression: Option<&'a Policy>,
}

/// Why a request is not answered with 101.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// 405: a handshake is a GET.
    Method,
    /// 426: no upgrade to WebSocket was asked for, or not over HTTP/1.1.
    NoUpgrade,
    /// 426: a `Sec-WebSocket-Version` other than 13, or none.
    Version,
    /// 400: `Sec-WebSocket-Key` is missing, repeated, or not 16 bytes in base64.
    Key,
    /// 400: the request has a body, which would be read as frames.
    Body,
    /// 400: a header that may appear once is repeated.
    Repeated,
    /// 400: `Sec-WebSocket-Extensions` breaks its grammar (RFC 6455 §9.1).
    Extensions,
    /// 400: `Sec-WebSocket-Protocol` is no list of tokens (RFC 6455 §4.3).
    Protocol,
    /// 403: the page is of a foreign origin.
    Origin,
}

impl Refusal {
    /// The HTTP status of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            Self::NoUpgrade | Self::Version => 426,
            Self::Key | Self::Body | Self::Repeated | Self::Extensions | Self::Protocol => 400,
            Self::Origin => 403,
        }
    }

    /// For the error log.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Method => "method is not GET",
            Self::NoUpgrade => "no upgrade to websocket was requested",
            Self::Version => "\"Sec-WebSocket-Version\" is not 13",
            Self::Key => "\"Sec-WebSocket-Key\" is not one base64 value of 16 bytes",
            Self::Body => "handshake with a request body",
            Self::Repeated => "repeated header",
            Self::Protocol => "malformed \"Sec-WebSocket-Protocol\"",
            Self::Extensions => "malformed \"Sec-WebSocket-Extensions\"",
            Self::Origin => "origin is not allowed",
        }
    }
}

/// What a good handshake leads to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Accepted {
    /// The value of `Sec-WebSocket-Accept`.
    pub accept: [u8; 28],
    /// Index of the selected subprotocol in [`Request::subprotocols`].
    pub subprotocol: Option<usize>,
    /// What was agreed on permessage-deflate.
    pub deflate: Option<Agreement>,
}

/// Padded, without spaces.  RFC 4648 §3.5 leaves it to a reader what it thinks of spare bits that
/// are not zero; the example of RFC 6455 §4.1 has some.
const KEY: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Headers of the handshake, collected in one pass over all the headers.
#[derive(Default)]
struct Headers<'h> {
    connection_upgrade: bool,
    upgrade_websocket: bool,
    body: bool,
    key: Once<'h>,
    version: Once<'h>,
    origin: Once<'h>,
    host: Option<&'h [u8]>,
    protocols: Vec<&'h [u8]>,
    bad_protocols: bool,
    extensions: Vec<&'h [u8]>,
}

/// A header that may appear at most once.
#[derive(Clone, Copy, Default)]
enum Once<'h> {
    #[default]
    Absent,
    Value(&'h [u8]),
    Repeated,
}

impl<'h> Once<'h> {
    const fn add(&mut self, value: &'h [u8]) {
        *self = match self {
            Self::Absent => Self::Value(value),
            _ => Self::Repeated,
        };
    }
}

/// Checks a handshake.
///
/// # Errors
///
/// The first [`Refusal`] in the order: method, upgrade, version, key, body, origin, subprotocol,
/// extensions.
pub fn check<'h>(
    request: &Request<'_>,
    headers: impl Iterator<Item = (&'h [u8], &'h [u8])>,
) -> Result<Accepted, Refusal> {
    if !request.is_get {
        return Err(Refusal::Method);
    }
    if request.version != HttpVersion::Http11 {
        return Err(Refusal::NoUpgrade);
    }
    let headers = Headers::collect(headers);
    if !headers.connection_upgrade || !headers.upgrade_websocket {
        return Err(Refusal::NoUpgrade);
    }
    match headers.version {
        Once::Value(b"13") => {}
        Once::Repeated => return Err(Refusal::Repeated),
        _ => return Err(Refusal::Version),
    }
    let Once::Value(key) = headers.key else { return Err(Refusal::Key) };
    if key.len() != 24 || KEY.decode(key).map(|k| k.len()) != Ok(16) {
        return Err(Refusal::Key);
    }
    if headers.body {
        return Err(Refusal::Body);
    }
    let origin = match headers.origin {
        Once::Absent => None,
        Once::Value(origin) => Some(origin),
        Once::Repeated => return Err(Refusal::Repeated),
    };
    if !request.origins.allows(origin, headers.host) {
        return Err(Refusal::Origin);
    }
    if headers.bad_protocols {
        return Err(Refusal::Protocol);
    }
    // Malformed offers fail the handshake whether or not there is anything to agree on.
    let policy =
        request.compression.unwrap_or(&Policy { window_bits: 15, context_takeover: false });
    let deflate = extension::negotiate(headers.extensions.iter().copied(), policy)
        .map_err(|Malformed| Refusal::Extensions)?
        .filter(|_| request.compression.is_some());
    let subprotocol =
        request.subprotocols.iter().position(|ours| headers.protocols.contains(&ours.as_bytes()));
    Ok(Accepted { accept: accept(key), subprotocol, deflate })
}

/// `Sec-WebSocket-Accept` for a key (§4.2.2, step 5.4).
pub fn accept(key: &[u8]) -> [u8; 28] {
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut accept = [0; 28];
    // 20 bytes are 28 in base64, so this cannot fail.
    let _ = BASE64_STANDARD.encode_slice(digest, &mut accept);
    accept
}

impl<'h> Headers<'h> {
    fn collect(headers: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> Self {
        let mut found = Self::default();
        for (name, value) in headers {
            let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
            if is("connection") {
                found.connection_upgrade |= has_token(value, b"upgrade");
            } else if is("upgrade") {
                found.upgrade_websocket |= has_token(value, b"websocket");
            } else if is("sec-websocket-key") {
                found.key.add(value);
            } else if is("sec-websocket-version") {
                found.version.add(value);
            } else if is("sec-websocket-protocol") {
                found.bad_protocols |= tokens(value).next().is_none()
                    || tokens(value).any(|token| !token.iter().copied().all(is_token_byte));
                found.protocols.extend(tokens(value));
            } else if is("sec-websocket-extensions") {
                found.extensions.push(value);
            } else if is("origin") {
                found.origin.add(value);
            } else if is("host") {
                found.host = Some(value);
            } else if is("transfer-encoding") || is("content-length") && value != b"0" {
                found.body = true;
            }
        }
        found
    }
}

/// The members of a comma-separated list (RFC 9110 §5.6.1), without the blanks around them.
fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|b| *b == b',').map(trim_blanks).filter(|token| !token.is_empty())
}

/// Spaces and tabs only: other white space of ASCII has no place in a header.
const fn trim_blanks(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn has_token(value: &[u8], token: &[u8]) -> bool {
    tokens(value).any(|t| t.eq_ignore_ascii_case(token))
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
