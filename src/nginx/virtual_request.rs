//! A message as a request of its own: main request, virtual connection, memory pool.
//!
//! Everything nginx does for a request of HTTP it does for this one: phases, access control, limits,
//! variables, upstreams, the access log.  All of its memory is gone when it is answered.
//!
//! The virtual connection shares the client's descriptor but never touches it: no event of it
//! reaches epoll, nothing is read or written.  [`Sink`] takes the response.

mod connection;
pub(crate) mod filters;
pub(crate) mod headers;
mod lend;
pub(crate) mod sink;

use core::ptr::NonNull;

use nginx_sys::{
    NGX_HTTP_CLOSE, NGX_OK, ngx_http_core_module, ngx_http_core_srv_conf_t,
    ngx_http_create_request, ngx_http_finalize_request, ngx_http_parse_complex_uri,
    ngx_http_parse_uri, ngx_http_process_request, ngx_http_process_request_uri, ngx_http_request_t,
    ngx_http_run_posted_requests, ngx_int_t, ngx_pnalloc,
};

use self::connection::{connect, discard};
pub(crate) use self::headers::BaseHeaders;
use self::lend::{keep_descriptor, lend_tls, match_server_name, share_realip};
pub(crate) use self::sink::{Response, Sink, SinkFailure};
use super::exhausted::Exhausted;
use super::log::Level;
use super::request::Request;
use super::string::{static_str, str_bytes};
use super::tenancy::Turn;
use crate::proto::call::method::Method;
use crate::proto::call::path;

/// What to ask of nginx.
#[derive(Debug)]
pub(crate) struct Spec<'s> {
    pub(crate) method: Method,
    /// Path and query, as on a request line.
    pub(crate) uri: &'s str,
    /// The prefix that the normalised path must be under; `None` for a path that the operator
    /// chose, which may also reach `internal` locations.
    pub(crate) prefix: Option<&'s str>,
    /// Headers that replace those of the handshake.
    pub(crate) headers: &'s [(&'s str, &'s str)],
    /// Bytes and media type.
    pub(crate) body: Option<(&'s [u8], &'static str)>,
}

/// A request under way or over; owns its [`Sink`].
#[derive(Debug)]
pub(crate) struct VirtualRequest(NonNull<Sink>);

/// Why a running request is given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cancel {
    /// The client is gone: as for any request, `proxy_ignore_client_abort` decides.
    ClientGone,
    /// Its time is over: it ends, whatever it is doing.
    TimedOut,
}

impl VirtualRequest {
    /// Starts a request on behalf of the client whose turn it is; it may be over when this returns.
    ///
    /// The tenant does not end before the request: it lends descriptor, addresses and TLS.
    ///
    /// # Errors
    ///
    /// What the worker has run out of.
    pub(crate) fn start(
        turn: &Turn<'_>,
        base: &BaseHeaders,
        spec: &Spec<'_>,
        sink: Sink,
    ) -> Result<Self, Exhausted> {
        let client = turn.request();
        let this = Self(NonNull::from(Box::leak(Box::new(sink))));
        // SAFETY: the client's request is live; the sink was just made.  The connection and the
        // request are torn down by nginx once ngx_http_create_request() has succeeded.
        unsafe {
            let c = connect(client, this.0)?;
            let r = ngx_http_create_request(c);
            if r.is_null() {
                discard(c);
                return Err(Exhausted::Memory);
            }
            (*c).data = r.cast();
            lend_tls(client, r);
            keep_descriptor(r);
            share_realip(client, r);
            match_server_name(client, r);
            match prepare(client, r, base, spec) {
                Ok(()) => ngx_http_process_request(r),
                Err(Unprepared::Refused(failure)) => this.refuse(r, failure),
                Err(Unprepared::Over) => (*this.0.as_ptr()).failure = Some(SinkFailure::NoMemory),
            }
            // The connection structure itself stays in nginx's table.
            ngx_http_run_posted_requests(c);
        }
        Ok(this)
    }

    /// Ends a request that must reach nothing: no location, and no `error_page` or `post_action` of
    /// the server, which would get the client's method and body.
    ///
    /// # Safety
    ///
    /// `r` was created by [`start`](Self::start), and is not used afterwards.
    unsafe fn refuse(&self, r: *mut ngx_http_request_t, failure: SinkFailure) {
        // SAFETY: by the contract of this function; the sink is ours.  NGX_HTTP_CLOSE is the only
        // status for which ngx_http_finalize_request() asks nobody what to answer.
        unsafe {
            // For the access log; the client gets its reply from us.
            (*r).err_status = match failure {
                SinkFailure::BadPath => 400,
                SinkFailure::OutsidePrefix => 404,
                _ => 500,
            };
            let why = match failure {
                SinkFailure::BadPath => "nginx cannot read its path",
                SinkFailure::OutsidePrefix => "its path is outside of the prefix",
                _ => "no memory",
            };
            if let Some(request) = Request::new(r) {
                request.log(Level::Info, format_args!("websocket: call refused, {why}"));
            }
            (*self.0.as_ptr()).failure = Some(failure);
            ngx_http_finalize_request(r, NGX_HTTP_CLOSE as ngx_int_t);
        }
    }

    /// Whether the response can be had: it is complete, or there will be none.
    ///
    /// A request may go on after its response: mirror, post_action, background updates of a cache.
    pub(crate) fn is_answered(&self) -> bool {
        // SAFETY: `self` owns the sink.  nginx, the only other one to touch it, does so within calls
        // that no borrow of ours lives across.
        let sink = unsafe { self.0.as_ref() };
        sink.is_complete || sink.connection.is_null()
    }

    /// Takes the response; the sink keeps nothing of it.
    pub(crate) fn take_response(&mut self) -> Response {
        // SAFETY: as in `is_answered`.
        unsafe { self.0.as_mut() }.take()
    }

    /// Bytes of memory for the response.
    pub(crate) fn held(&self) -> usize {
        // SAFETY: as in `is_answered`.
        unsafe { self.0.as_ref() }.held()
    }

    /// Whether nginx has let go of the request.
    pub(crate) fn is_over(&self) -> bool {
        // SAFETY: as in `is_answered`.
        unsafe { (*self.0.as_ptr()).connection.is_null() }
    }

    /// Gives the request up, if it is still running.
    pub(crate) fn cancel(&self, why: Cancel) {
        // SAFETY: the virtual connection is live while the sink names it.  Its handler may end the
        // request, after which only the sink, which is ours, is looked at.
        unsafe {
            let c = (*self.0.as_ptr()).connection;
            if c.is_null() {
                return;
            }
            match why {
                Cancel::ClientGone => {
                    (*c).set_error(1);
                    // What ngx_http_test_reading() looks at, for those that limit_req delays.
                    (*(*c).read).set_pending_eof(1);
                }
                Cancel::TimedOut => {
                    (*c).set_close(1);
                    // For the access log; the client gets its reply from us.
                    let r: *mut ngx_http_request_t = (*c).data.cast();
                    if !(*self.0.as_ptr()).is_complete {
                        (*(*r).main).err_status = 504;
                    }
                }
            }
            if let Some(handler) = (*(*c).read).handler {
                handler((*c).read);
            }
        }
    }
}

impl Drop for VirtualRequest {
    fn drop(&mut self) {
        // SAFETY: made by Box::leak in `start`.  A running request would write to freed memory, so
        // such a sink is leaked; tenancies end only after their last request.
        unsafe {
            if (*self.0.as_ptr()).connection.is_null() {
                drop(Box::from_raw(self.0.as_ptr()));
            }
        }
    }
}

/// Why a request reaches nothing.
enum Unprepared {
    /// It must be ended.
    Refused(SinkFailure),
    /// nginx has ended it, out of memory.
    Over,
}

impl From<Exhausted> for Unprepared {
    fn from(_: Exhausted) -> Self {
        Self::Refused(SinkFailure::NoMemory)
    }
}

/// Makes of a new request what a parser would have: request line, headers, body, path.
///
/// # Safety
///
/// `client` and `r` are live; `r` was just created.
unsafe fn prepare(
    client: Request,
    r: *mut ngx_http_request_t,
    base: &BaseHeaders,
    spec: &Spec<'_>,
) -> Result<(), Unprepared> {
    // SAFETY: by the contract of this function.
    unsafe {
        request_line(r, spec)?;
        base.apply(client, r, spec)?;
        parse_uri(r)?;
        match spec.prefix {
            Some(prefix) if !path::is_under(prefix.as_bytes(), str_bytes((*r).uri)) => {
                return Err(Unprepared::Refused(SinkFailure::OutsidePrefix));
            }
            Some(_) => {}
            None => (*r).set_internal(1),
        }
    }
    Ok(())
}

/// Lets nginx parse and normalise the URI: there is no second opinion on what a path means.
///
/// # Safety
///
/// `r` was just created and has its request line.
unsafe fn parse_uri(r: *mut ngx_http_request_t) -> Result<(), Unprepared> {
    const BAD_PATH: Unprepared = Unprepared::Refused(SinkFailure::BadPath);
    // SAFETY: by the contract of this function.
    unsafe {
        if ngx_http_parse_uri(r) != NGX_OK as ngx_int_t {
            return Err(BAD_PATH);
        }
        // What cannot be normalised is found out here, because ngx_http_process_request_uri()
        // answers it with `error_page 400`.
        if (*r).complex_uri() != 0 || (*r).quoted_uri() != 0 || (*r).empty_path_in_uri() != 0 {
            let len = (*r).uri_end as usize - (*r).uri_start as usize + 1;
            (*r).uri.data = ngx_pnalloc((*r).pool, len).cast();
            if (*r).uri.data.is_null() {
                return Err(Exhausted::Memory.into());
            }
            let cscf: *const ngx_http_core_srv_conf_t =
                (*(*r).srv_conf.add(ngx_http_core_module.ctx_index)).cast();
            let merge_slashes = (*cscf).merge_slashes as usize;
            if ngx_http_parse_complex_uri(r, merge_slashes) != NGX_OK as ngx_int_t {
                return Err(BAD_PATH);
            }
        }
        if ngx_http_process_request_uri(r) != NGX_OK as ngx_int_t {
            return Err(Unprepared::Over);
        }
    }
    Ok(())
}

/// Fills in what a parser would have read from the first line, and the body.
///
/// # Safety
///
/// `r` was just created.
unsafe fn request_line(r: *mut ngx_http_request_t, spec: &Spec<'_>) -> Result<(), Exhausted> {
    // SAFETY: by the contract of this function; `new` is never null, and strings are copied to the
    // request's pool.
    unsafe {
        let Some(request) = Request::new(r) else { return Err(Exhausted::Memory) };
        let name = spec.method.name();
        let line = request.copy(format!("{name} {} HTTP/1.1", spec.uri).as_bytes())?;
        (*r).request_line = line;
        (*r).method = method_bit(spec.method);
        (*r).method_name = static_str(name);
        (*r).http_protocol = static_str("HTTP/1.1");
        (*r).http_version = nginx_sys::NGX_HTTP_VERSION_11 as usize;
        (*r).uri_start = line.data.add(name.len() + 1);
        (*r).uri_end = (*r).uri_start.add(spec.uri.len());
        (*r).request_length = line.len as i64;
        // Files are read, not sent from, also in subrequests: the response has to be in memory.
        (*r).set_main_filter_need_in_memory(1);

        // As if the body had come in one packet with the header: nginx takes it from there, to
        // memory or to a file, and reads nothing from the connection.
        if let Some((bytes, _)) = spec.body {
            let copy = request.copy(bytes)?;
            let buf = (*r).header_in;
            (*buf).start = copy.data;
            (*buf).pos = copy.data;
            (*buf).last = copy.data.add(copy.len);
            (*buf).end = (*buf).last;
            (*buf).set_temporary(1);
        }
    }
    Ok(())
}

const fn method_bit(method: Method) -> usize {
    let bit = match method {
        Method::Get => nginx_sys::NGX_HTTP_GET,
        Method::Head => nginx_sys::NGX_HTTP_HEAD,
        Method::Post => nginx_sys::NGX_HTTP_POST,
        Method::Put => nginx_sys::NGX_HTTP_PUT,
        Method::Patch => nginx_sys::NGX_HTTP_PATCH,
        Method::Delete => nginx_sys::NGX_HTTP_DELETE,
        Method::Options => nginx_sys::NGX_HTTP_OPTIONS,
    };
    bit as usize
}
