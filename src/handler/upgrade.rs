//! The content handler of a WebSocket location: from HTTP request to session.

use nginx_sys::{NGX_ERROR, ngx_int_t};

use crate::metrics::Counter;
use crate::nginx::content::Content;
use crate::nginx::exhausted::Exhausted;
use crate::nginx::log::Level;
use crate::nginx::random::random_bytes;
use crate::nginx::request::{ErrorPage, Request};
use crate::nginx::tenancy;
use crate::proto::endpoint::compression::Compression;
use crate::proto::endpoint::facts::Facts;
use crate::proto::endpoint::limits::{Limits, Shared};
use crate::proto::handshake::{self, Accepted, HttpVersion, Refusal};
use crate::proto::rate::Action;
use crate::proto::rate::shared::SharedRates;
use crate::service::Services;
use crate::service::calls::Calls;
use crate::session::{Parts, Session};
use crate::settings::rates::SharedLimit;
use crate::settings::{self, Settings};
use crate::worker::counters::Counters;

/// The content of `ws_echo`, `ws_rest` and `ws_route`.
pub(crate) struct Upgrade;

impl Content for Upgrade {
    fn serve(request: Request) -> ngx_int_t {
        let Some(settings) = settings::of(request) else { return NGX_ERROR as ngx_int_t };
        let counters = Counters::of(settings.zone);
        // A subrequest (auth_request, SSI, mirror) has no connection of its own to upgrade.
        if !request.is_main() {
            return ngx_int_t::from(Refusal::NoUpgrade.status() as i16);
        }
        let handshake = handshake::Request {
            is_get: request.is_get(),
            version: request.version(),
            origins: &settings.origins,
            subprotocols: &settings.subprotocols,
            compression: settings.compression.as_ref().map(|compression| &compression.policy),
        };
        match handshake::check(&handshake, request.headers()) {
            Ok(accepted) => {
                let rc = accept(request, settings, &accepted, counters).unwrap_or(500);
                let counter = match rc {
                    Request::TAKEN => Counter::Accepted,
                    _ => Counter::HandshakeFailed,
                };
                counters.add(counter, 1);
                rc
            }
            Err(refusal) => {
                counters.add(counter_of(refusal), 1);
                log(request, refusal);
                refuse(request, refusal).unwrap_or(500)
            }
        }
    }
}

/// Answers 101 and makes the connection a session's.
fn accept(
    request: Request,
    settings: &'static Settings,
    accepted: &Accepted,
    counters: Counters,
) -> Result<ngx_int_t, Exhausted> {
    request.add_header("Upgrade", b"websocket")?;
    request.add_header("Sec-WebSocket-Accept", &accepted.accept)?;
    let subprotocol = accepted.subprotocol.and_then(|i| settings.subprotocols.get(i));
    if let Some(name) = subprotocol {
        request.add_header("Sec-WebSocket-Protocol", name.as_bytes())?;
    }
    if let Some(agreement) = &accepted.deflate {
        request.add_header("Sec-WebSocket-Extensions", agreement.header_value().as_bytes())?;
    }

    let now = request.connection().now();
    let parts = Parts {
        services: Services::new(settings.rest.as_ref().map(|rest| Calls::new(rest, counters))),
        compression: settings.compression.zip(accepted.deflate).map(|(settings, agreement)| {
            Compression::new(settings.level, settings.min_length, agreement)
        }),
        limits: limits(request, settings)?,
        counters,
        facts: Facts::new(random_bytes(), subprotocol.map(String::as_str), now),
    };
    tenancy::begin(request, Box::new(Session::new(settings, parts, now)))
}

/// The limits of a handshake; an empty key is not limited, as in `limit_req`.
fn limits(request: Request, settings: &'static Settings) -> Result<Limits, Exhausted> {
    let replies = settings.rest.is_some();
    let default = if replies { Action::Reject } else { Action::Delay };
    let mut shared = Vec::new();
    for SharedLimit { zone, rate, action } in &settings.rates.shared {
        let value = zone.kind.key.evaluate(request)?;
        if value.is_empty() {
            continue;
        }
        // Only a zone without memory has no room for a key.
        let seed = u64::from_ne_bytes(random_bytes());
        let rates = SharedRates::new(zone.words(), seed).ok_or(Exhausted::Memory)?;
        let action = action.unwrap_or(default);
        shared.push(Shared { rates, key: rates.key(value), rate: *rate, action });
    }
    let own = settings.rates.own.map(|own| (own.rate, own.action));
    Ok(Limits::new(own, shared, replies))
}

/// Tells why a handshake is refused.  A wrong `ws_origin` looks as an attack does, and both matter.
fn log(request: Request, refusal: Refusal) {
    if refusal != Refusal::Origin {
        return request.log(Level::Info, format_args!("websocket: {}", refusal.reason()));
    }
    let value = |wanted: &str| {
        let mut headers = request.headers();
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()));
        let value = found.map(|(_, value)| value).unwrap_or_default();
        value.get(..MAX_LOGGED).unwrap_or(value)
    };
    let (origin, host) = (value("origin").escape_ascii(), value("host").escape_ascii());
    request.log(
        Level::Error,
        format_args!("websocket: origin \"{origin}\" is not allowed, \"Host\" is \"{host}\""),
    );
}

/// Bytes of a header in the error log.
const MAX_LOGGED: usize = 256;

/// Answers with the refusal's status, through `error_page` where there is one.
fn refuse(request: Request, refusal: Refusal) -> Result<ngx_int_t, Exhausted> {
    let status = refusal.status();
    match refusal {
        Refusal::Method => request.add_header("Allow", b"GET")?,
        Refusal::NoUpgrade | Refusal::Version => {
            let page = request.error_page(status);
            // RFC 9113 §8.2.2: HTTP/2 and HTTP/3 know no `Upgrade` and `Connection`.
            let has_upgrade = request.version() != HttpVersion::After11;
            // A page that is no 426, or cannot say what to do instead, is a page like any other.
            let is_about_upgrade = match page {
                None => true,
                Some(ErrorPage::SameStatus) => has_upgrade,
                Some(ErrorPage::OtherStatus) => false,
            };
            if is_about_upgrade {
                request.add_header("Sec-WebSocket-Version", b"13")?;
            }
            if is_about_upgrade && has_upgrade {
                request.add_header("Upgrade", b"websocket")?;
                request.add_header("Connection", b"Upgrade")?;
            }
            if page.is_none() {
                return request.answer(
                    status,
                    "426 Upgrade Required",
                    "text/plain",
                    "This location speaks WebSocket (RFC 6455), version 13.\n",
                );
            }
        }
        _ => {}
    }
    Ok(ngx_int_t::from(status as i16))
}

const fn counter_of(refusal: Refusal) -> Counter {
    match refusal {
        Refusal::Method => Counter::NotAllowed,
        Refusal::NoUpgrade | Refusal::Version => Counter::UpgradeRequired,
        Refusal::Key
        | Refusal::Body
        | Refusal::Repeated
        | Refusal::Protocol
        | Refusal::Extensions => Counter::BadRequest,
        Refusal::Origin => Counter::Forbidden,
    }
}
