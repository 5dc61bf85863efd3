//! A message as a request of its own: main request, virtual connection, memory pool.
//!
//! Everything nginx does for a request of HTTP it does for this one: phases, access control, limits,
//! variables, upstreams, the access log.  All of its memory is gone when it is answered.
//!
//! The virtual connection shares the client's descriptor but never touches it: no event of it
//! reaches epoll, nothing is read or written.  [`Capture`] takes the response.

mod connection;
pub(crate) mod filters;
pub(crate) mod headers;

use core::ffi::{CStr, c_void};
use core::ptr::NonNull;
use std::sync::OnceLock;

use nginx_sys::{
    NGX_OK, ngx_connection_t, ngx_http_cleanup_add, ngx_http_create_request,
    ngx_http_finalize_request, ngx_http_parse_uri, ngx_http_process_request,
    ngx_http_process_request_uri, ngx_http_request_t, ngx_http_run_posted_requests, ngx_int_t,
    ngx_pool_cleanup_add, ngx_pool_cleanup_t,
};

use self::connection::{connect, discard};
pub(crate) use self::headers::BaseHeaders;
use super::capture::{Capture, CaptureFailure};
use super::request::{NoMemory, Request, static_str, str_bytes};
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

/// A request under way or over; owns its [`Capture`].
#[derive(Debug)]
pub(crate) struct VirtualRequest(NonNull<Capture>);

/// Why a running request is given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cancel {
    /// The client is gone: as for any request, `proxy_ignore_client_abort` decides.
    ClientGone,
    /// Its time is over: it ends, whatever it is doing.
    TimedOut,
}

impl VirtualRequest {
    /// Starts a request on behalf of `client`; it may be over when this returns.
    ///
    /// The caller keeps `client` alive until [`VirtualRequest::response`] is `Some`.
    ///
    /// # Errors
    ///
    /// No worker connection or no memory is free.
    pub(crate) fn start(
        client: Request,
        base: &BaseHeaders,
        spec: &Spec<'_>,
        capture: Capture,
    ) -> Result<Self, NoMemory> {
        let this = Self(NonNull::from(Box::leak(Box::new(capture))));
        // SAFETY: the client's request is live; the capture was just made.  The connection and the
        // request are torn down by nginx once ngx_http_create_request() has succeeded.
        unsafe {
            let c = connect(client, this.0)?;
            let r = ngx_http_create_request(c);
            if r.is_null() {
                discard(c);
                return Err(NoMemory);
            }
            (*c).data = r.cast();
            lend_tls(client, r);
            keep_descriptor(r);
            share_realip(client, r);
            match_server_name(client, r);
            this.run(r, base, spec);
        }
        Ok(this)
    }

    /// # Safety
    ///
    /// `r` was created by [`start`](Self::start) on the connection of this capture.
    unsafe fn run(&self, r: *mut ngx_http_request_t, base: &BaseHeaders, spec: &Spec<'_>) {
        // SAFETY: by the contract of this function.  Each call that may end the request is the
        // last that touches it; the connection structure itself stays in nginx's table.
        unsafe {
            let c = (*r).connection;
            if request_line(r, spec).is_err() || base.apply(r, spec).is_err() {
                ngx_http_finalize_request(r, 500);
            } else if ngx_http_parse_uri(r) != NGX_OK as ngx_int_t {
                ngx_http_finalize_request(r, 400);
            } else if ngx_http_process_request_uri(r) == NGX_OK as ngx_int_t {
                match spec.prefix {
                    Some(prefix) if !path::is_under(prefix.as_bytes(), str_bytes((*r).uri)) => {
                        (*self.0.as_ptr()).failure = Some(CaptureFailure::OutsidePrefix);
                        ngx_http_finalize_request(r, 404);
                    }
                    Some(_) => ngx_http_process_request(r),
                    None => {
                        (*r).set_internal(1);
                        ngx_http_process_request(r);
                    }
                }
            }
            ngx_http_run_posted_requests(c);
        }
    }

    /// The response, once it is complete or the request is over.
    ///
    /// A request may go on after its response: mirror, post_action, background updates of a cache.
    pub(crate) fn response(&self) -> Option<&Capture> {
        // SAFETY: `self` owns the capture.  nginx, the only other one to touch it, does so within
        // calls that no borrow of a response lives across.
        let capture = unsafe { self.0.as_ref() };
        (capture.is_complete || capture.connection.is_null()).then_some(capture)
    }

    /// Whether nginx has let go of the request.
    pub(crate) fn is_over(&self) -> bool {
        // SAFETY: as in `response`.
        unsafe { (*self.0.as_ptr()).connection.is_null() }
    }

    /// Gives the request up, if it is still running.
    pub(crate) fn cancel(&self, why: Cancel) {
        // SAFETY: the virtual connection is live while the capture names it.  Its handler may end
        // the request, after which only the capture, which is ours, is looked at.
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
                    (*(*r).main).err_status = 504;
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
        // such a capture is leaked; sessions end only after their last request.
        unsafe {
            if (*self.0.as_ptr()).connection.is_null() {
                drop(Box::from_raw(self.0.as_ptr()));
            }
        }
    }
}

/// For `$scheme`, `$ssl_*`: the client's TLS, taken back before the virtual connection is closed,
/// or core would shut it down.
///
/// # Safety
///
/// `client` and `r` are live; `r` was just created.
unsafe fn lend_tls(client: Request, r: *mut ngx_http_request_t) {
    #[cfg(ngx_feature = "ssl")]
    // SAFETY: by the contract of this function.  A cleanup of the request's pool runs after the
    // log phase and before ngx_http_close_connection().
    unsafe {
        unsafe extern "C" fn take_back(data: *mut c_void) {
            // SAFETY: the virtual connection outlives its request.
            unsafe { (*data.cast::<ngx_connection_t>()).ssl = core::ptr::null_mut() };
        }
        let ssl = (*client.connection().as_ptr()).ssl;
        if ssl.is_null() {
            return;
        }
        let cleanup = ngx_pool_cleanup_add((*r).pool, 0);
        if !cleanup.is_null() {
            (*cleanup).handler = Some(take_back);
            (*cleanup).data = (*r).connection.cast();
            (*(*r).connection).ssl = ssl;
        }
    }
    #[cfg(not(ngx_feature = "ssl"))]
    let _ = (client, r);
}

/// Keeps `reset_timedout_connection` from the client's descriptor: what nginx would make ready for a
/// reset when a request times out, or is answered with 444, is open for others.
///
/// # Safety
///
/// `r` was just created.
unsafe fn keep_descriptor(r: *mut ngx_http_request_t) {
    unsafe extern "C" fn forget_timeout(data: *mut c_void) {
        // SAFETY: the virtual connection outlives its request.
        unsafe { (*data.cast::<ngx_connection_t>()).set_timedout(0) };
    }
    // SAFETY: by the contract of this function.  ngx_http_free_request() runs these cleanups before
    // it looks at `timedout`.
    unsafe {
        let cleanup = ngx_http_cleanup_add(r, 0);
        if !cleanup.is_null() {
            (*cleanup).handler = Some(forget_timeout);
            (*cleanup).data = (*r).connection.cast();
        }
    }
}

/// The address is settled since the handshake: realip shall not look at the headers again, and
/// `$realip_remote_addr` shall be what it was there.
///
/// # Safety
///
/// `client` and `r` are live; `r` was just created.
unsafe fn share_realip(client: Request, r: *mut ngx_http_request_t) {
    static INDEX: OnceLock<Option<usize>> = OnceLock::new();
    static CLEANUP: OnceLock<usize> = OnceLock::new();
    // SAFETY: the modules of a running cycle are a null-terminated array of live structures with C
    // strings for names; ctx has a place per HTTP module.  What realip keeps there lives in the pool
    // of the client's request, which outlives this one, and is only read.
    unsafe {
        let find = || {
            let mut module = (*nginx_sys::ngx_cycle).modules;
            while !(*module).is_null() {
                if CStr::from_ptr((**module).name) == c"ngx_http_realip_module" {
                    return Some((**module).ctx_index);
                }
                module = module.add(1);
            }
            None
        };
        let Some(index) = *INDEX.get_or_init(find) else { return };
        // After an internal redirect, which clears contexts, realip looks for the cleanup it added;
        // so do we, once we know it.
        let mut context = *(*client.as_ptr()).ctx.add(index);
        let mut original = (*(*client.as_ptr()).pool).cleanup;
        while !original.is_null() {
            let handler = (*original).handler.map(|handler| handler as usize);
            if (!context.is_null() && (*original).data == context)
                || (context.is_null() && handler.is_some() && handler == CLEANUP.get().copied())
            {
                context = (*original).data;
                break;
            }
            original = (*original).next;
        }
        if original.is_null() {
            return;
        }
        if let Some(handler) = (*original).handler {
            CLEANUP.get_or_init(|| handler as usize);
        }
        *(*r).ctx.add(index) = context;
        let found = ngx_pool_cleanup_add((*r).pool, 0);
        let disarm = ngx_pool_cleanup_add((*r).pool, 0);
        if !found.is_null() && !disarm.is_null() {
            (*found).handler = (*original).handler;
            (*found).data = context;
            (*disarm).handler = Some(forget_cleanup);
            (*disarm).data = found.cast();
        }
    }
}

/// Runs before the cleanup that `data` is, which was added earlier, and makes it none: realip's would
/// restore the address of the client's connection.
unsafe extern "C" fn forget_cleanup(data: *mut c_void) {
    // SAFETY: both are in the pool that is being destroyed.
    unsafe { (*data.cast::<ngx_pool_cleanup_t>()).handler = None };
}

/// Sets the variables that a regular expression in `server_name` captures.
///
/// # Safety
///
/// `client` and `r` are live; `r` was just created.
unsafe fn match_server_name(client: Request, r: *mut ngx_http_request_t) {
    #[cfg(ngx_feature = "pcre")]
    // SAFETY: by the contract of this function; what belongs to an address lives as long as the
    // configuration (the names in a server's own structure do not).
    unsafe {
        let cscf: *mut nginx_sys::ngx_http_core_srv_conf_t =
            (*(*client.as_ptr()).srv_conf.add(nginx_sys::ngx_http_core_module.ctx_index)).cast();
        let names = (*(*(*client.as_ptr()).http_connection).addr_conf).virtual_names;
        if names.is_null() {
            return;
        }
        let mut host = (*client.as_ptr()).headers_in.server;
        for i in 0..(*names).nregex {
            let name = (*names).regex.add(i);
            if (*name).server == cscf
                && nginx_sys::ngx_http_regex_exec(r, (*name).regex, &mut host)
                    == NGX_OK as ngx_int_t
            {
                break;
            }
        }
    }
    #[cfg(not(ngx_feature = "pcre"))]
    let _ = (client, r);
}

/// Fills in what a parser would have read from the first line, and the body.
///
/// # Safety
///
/// `r` was just created.
unsafe fn request_line(r: *mut ngx_http_request_t, spec: &Spec<'_>) -> Result<(), NoMemory> {
    // SAFETY: by the contract of this function; `new` is never null, and strings are copied to the
    // request's pool.
    unsafe {
        let Some(request) = Request::new(r) else { return Err(NoMemory) };
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
