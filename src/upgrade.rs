//! The content handler of a WebSocket location: from HTTP request to session.

use core::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nginx_sys::{
    NGX_ERROR, ngx_connection_t, ngx_event_handler_pt, ngx_event_t, ngx_http_handler_pt,
    ngx_http_request_t, ngx_int_t,
};

use crate::handler::Handler;
use crate::handler::rest::Rest;
use crate::metrics::{Counter, Slot};
use crate::nginx::connection::random_bytes;
use crate::nginx::log::Level;
use crate::nginx::request::{NoMemory, Request};
use crate::proto::handshake::{self, Accepted, HttpVersion, Refusal};
use crate::session::compression::Compression;
use crate::session::limits::Limits;
use crate::session::{Parts, Session};
use crate::settings::{self, Settings};
use crate::status;

/// What `ws_echo` installs in its location.
pub(crate) const HANDLER: ngx_http_handler_pt = Some(ngx_http_ws_handler);

/// A session and what is needed to give its connection back to nginx.
struct Upgraded {
    session: Session,
    /// nginx's own handler of both events.
    stock: ngx_event_handler_pt,
}

unsafe extern "C" fn ngx_http_ws_handler(r: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls a content handler with a live request.
    let Some(request) = (unsafe { Request::new(r) }) else { return NGX_ERROR as ngx_int_t };
    let Some(settings) = settings::of(request) else { return NGX_ERROR as ngx_int_t };
    let slot = status::slot(settings);
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
            let rc = accept(request, settings, &accepted, slot).unwrap_or(500);
            let counter = match rc {
                Request::TAKEN => Counter::Accepted,
                _ => Counter::HandshakeFailed,
            };
            count(slot, counter);
            rc
        }
        Err(refusal) => {
            count(slot, counter_of(refusal));
            request.log(Level::Info, format_args!("websocket: {}", refusal.reason()));
            refuse(request, refusal).unwrap_or(500)
        }
    }
}

/// Answers 101 and makes the connection a session.
fn accept(
    request: Request,
    settings: &'static Settings,
    accepted: &Accepted,
    slot: Option<Slot<'static>>,
) -> Result<ngx_int_t, NoMemory> {
    request.add_header("Upgrade", b"websocket")?;
    request.add_header("Sec-WebSocket-Accept", &accepted.accept)?;
    let subprotocol = accepted.subprotocol.and_then(|i| settings.subprotocols.get(i));
    if let Some(name) = subprotocol {
        request.add_header("Sec-WebSocket-Protocol", name.as_bytes())?;
    }

    if let Some(agreement) = &accepted.deflate {
        request.add_header("Sec-WebSocket-Extensions", agreement.header_value().as_bytes())?;
    }

    let connection = request.connection();
    let parts = Parts {
        handler: match &settings.rest {
            None => Handler::Echo,
            Some(rest) => Handler::Rest(Box::new(Rest::new(rest, slot))),
        },
        compression: settings
            .compression
            .zip(accepted.deflate)
            .map(|(settings, agreement)| Compression::new(settings, agreement)),
        limits: Limits::new(request, settings),
        slot,
        subprotocol: subprotocol.map(String::as_str),
        id: random_bytes(),
    };
    let session = Session::new(settings, parts, connection.now());
    let upgraded: *mut Upgraded = Box::into_raw(Box::new(Upgraded { session, stock: None }));
    if let Err(e) = request.on_destroy(drop_upgraded, upgraded.cast()) {
        // SAFETY: made right above and known to nobody else.
        drop(unsafe { Box::from_raw(upgraded) });
        return Err(e);
    }
    if let Err(rc) = request.switch_protocols() {
        return Ok(rc);
    }
    connection.set_action(c"serving websocket");
    // SAFETY: `upgraded` lives until `drop_upgraded`, which the request's pool runs; from here on
    // only the events of this connection and its variables refer to it, one at a time.
    unsafe {
        (*upgraded).stock = request.take_over(upgraded.cast(), Some(ngx_http_ws_event_handler));
    }
    Ok(Request::TAKEN)
}

/// Answers with the refusal's status, through `error_page` where there is one.
fn refuse(request: Request, refusal: Refusal) -> Result<ngx_int_t, NoMemory> {
    let status = refusal.status();
    match refusal {
        Refusal::Method => request.add_header("Allow", b"GET")?,
        Refusal::NoUpgrade | Refusal::Version => {
            request.add_header("Sec-WebSocket-Version", b"13")?;
            // RFC 9113 §8.2.2: HTTP/2 and HTTP/3 know no such headers.
            if request.version() != HttpVersion::After11 {
                request.add_header("Upgrade", b"websocket")?;
                request.add_header("Connection", b"Upgrade")?;
            }
            if !request.has_error_page(status) {
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

/// Both events of an upgraded connection.
unsafe extern "C" fn ngx_http_ws_event_handler(event: *mut ngx_event_t) {
    // SAFETY: nginx calls the handler with the event of a live connection, whose data is the
    // request it was upgraded from.
    let request = unsafe {
        let c: *mut ngx_connection_t = (*event).data.cast();
        Request::new((*c).data.cast())
    };
    let Some(request) = request else { return };
    let upgraded: *mut Upgraded = request.context().cast();
    if upgraded.is_null() {
        return;
    }
    // SAFETY: the request is live, so `upgraded` is.  Nothing the session calls runs a handler of
    // this connection or reads its variables, so this is the only reference; it ends before `end`.
    let Upgraded { session, stock } = unsafe { &mut *upgraded };
    let stock = *stock;
    // Nothing a client sends is known to panic.  If something does, it costs this socket; without
    // the net it would cost every socket of the worker.
    let outcome = catch_unwind(AssertUnwindSafe(|| session.on_event(request)));
    let end = outcome.unwrap_or_else(|_| {
        request.log(Level::Alert, format_args!("websocket: bug, a session panicked"));
        session.give_up(request)
    });
    if let Some(end) = end {
        request.end(end, stock);
    }
}

/// The session of a request, if it became one.
pub(crate) fn session<'r>(request: Request) -> Option<&'r Session> {
    let upgraded: *const Upgraded = request.context().cast_const().cast();
    // SAFETY: null or set by `accept`, and then alive as long as the request.  Variables are read
    // when the request is logged, after the event handler has let go of it.
    unsafe { upgraded.as_ref() }.map(|upgraded| &upgraded.session)
}

fn count(slot: Option<Slot<'_>>, counter: Counter) {
    if let Some(slot) = slot {
        slot.add(counter, 1);
    }
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

/// # Safety
///
/// `data` is an [`Upgraded`] made by [`accept`]; the pool calls this once.
unsafe extern "C" fn drop_upgraded(data: *mut c_void) {
    // SAFETY: by the contract of this function.
    drop(unsafe { Box::from_raw(data.cast::<Upgraded>()) });
}
