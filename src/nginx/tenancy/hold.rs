//! The two pairs of handlers: the connection's, which its events call, and the request's, which
//! nginx's own handler of these events calls.

use nginx_sys::{ngx_connection_t, ngx_event_handler_pt, ngx_http_log_ctx_t};

use super::{on_connection_event, on_request_event};
use crate::nginx::request::Request;

/// Makes both events of the connection call us.
///
/// # Safety
///
/// The request has a tenancy, which has taken its connection.
pub(super) unsafe fn hold_events(request: Request) {
    // SAFETY: by the contract of this function.
    unsafe { set_handlers(request.connection().as_ptr(), Some(on_connection_event)) };
}

/// Makes nginx's own handler of these events call us.
///
/// # Safety
///
/// As for [`hold_events`].
pub(super) unsafe fn hold_request(request: Request) {
    let r = request.as_ptr();
    // SAFETY: the request is live, and so is its log; what the log of a connection with a request
    // refers to is set by ngx_http_create_request().
    unsafe {
        (*r).read_event_handler = Some(on_request_event);
        (*r).write_event_handler = Some(on_request_event);
        // A subrequest leaves its name in the log.
        let log = (*(*r).connection).log;
        (*log).action = c"serving websocket".as_ptr().cast_mut();
        (*(*log).data.cast::<ngx_http_log_ctx_t>()).current_request = r;
    }
}

/// Sets the handler of both events, where nginx's TLS has parked it too: a write that wants to read
/// (renegotiation) puts a handler of its own there, and the other one back afterwards.
///
/// # Safety
///
/// `c` is live.
pub(super) unsafe fn set_handlers(c: *mut ngx_connection_t, handler: ngx_event_handler_pt) {
    // SAFETY: by the contract of this function; `ssl` is null or live with the connection.
    unsafe {
        #[cfg(ngx_feature = "ssl")]
        if !(*c).ssl.is_null() {
            let ssl = (*c).ssl;
            if (*ssl).saved_read_handler.is_some() {
                (*ssl).saved_read_handler = handler;
            } else {
                (*(*c).read).handler = handler;
            }
            if (*ssl).saved_write_handler.is_some() {
                (*ssl).saved_write_handler = handler;
            } else {
                (*(*c).write).handler = handler;
            }
            return;
        }
        (*(*c).read).handler = handler;
        (*(*c).write).handler = handler;
    }
}

/// nginx's own handler of the events of a connection with a request, which is one for both.
///
/// # Safety
///
/// `c` is live, and nobody has taken it.
pub(super) unsafe fn stock_handler(c: *mut ngx_connection_t) -> ngx_event_handler_pt {
    // SAFETY: by the contract of this function.
    unsafe {
        #[cfg(ngx_feature = "ssl")]
        if !(*c).ssl.is_null() && (*(*c).ssl).saved_read_handler.is_some() {
            return (*(*c).ssl).saved_read_handler;
        }
        (*(*c).read).handler
    }
}
