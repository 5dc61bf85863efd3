//! Catches the responses of virtual requests where others go to a client.
//!
//! Two output filters stand behind those that make a response (SSI, sub_filter, headers) and before
//! those that write it (chunked, header, HTTP/2): see `ngx_module_order` in `module.rs`.  Requests
//! on real connections pass untouched.

use core::ptr::{self, NonNull};

use nginx_sys::{
    NGX_ERROR, NGX_OK, ngx_chain_t, ngx_connection_t, ngx_http_output_body_filter_pt,
    ngx_http_output_header_filter_pt, ngx_http_request_t, ngx_http_top_body_filter,
    ngx_http_top_header_filter, ngx_int_t, ngx_post_event, ngx_posted_events, ngx_table_elt_t,
};

use super::connection::bytes_mut;
use super::request::{Elements, str_bytes};
use super::virtual_request;

/// The response to a virtual request as far as it has come.
#[derive(Debug)]
pub(crate) struct Capture {
    /// The client's connection, which is told when the request is over.
    pub(super) client: *mut ngx_connection_t,
    /// The virtual connection; null when the request is over.
    pub(super) connection: *mut ngx_connection_t,
    /// Lower-case names of headers that are wanted.
    wanted: &'static [String],
    /// Limit of `body` in bytes.
    limit: usize,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content_type: Option<Vec<u8>>,
    pub(crate) body: Vec<u8>,
    /// The body came to its end, or there is none.
    pub(crate) is_complete: bool,
    /// Why the capture itself gave up.
    pub(crate) failure: Option<CaptureFailure>,
}

/// Why a response was not kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CaptureFailure {
    /// The body exceeds the limit.
    TooLarge,
    /// No memory for the body.
    NoMemory,
    /// The path is outside the prefix, as nginx reads it.
    OutsidePrefix,
}

impl Capture {
    pub(crate) const fn new(wanted: &'static [String], limit: usize) -> Self {
        Self {
            client: ptr::null_mut(),
            connection: ptr::null_mut(),
            wanted,
            limit,
            status: 0,
            headers: Vec::new(),
            content_type: None,
            body: Vec::new(),
            is_complete: false,
            failure: None,
        }
    }

    /// The response is complete: tells the client's connection.
    fn complete(&mut self) {
        if !self.is_complete {
            self.is_complete = true;
            // SAFETY: the client outlives the requests of its messages.
            unsafe { ngx_post_event((*self.client).write, &raw mut ngx_posted_events) };
        }
    }

    /// The request is over: tells the client's connection, and does no more, because nginx is in
    /// the middle of closing the virtual one.
    ///
    /// # Safety
    ///
    /// `capture` is live, and so is its `client`.
    pub(super) unsafe fn finish(capture: NonNull<Self>) {
        // SAFETY: by the contract of this function; nobody else refers to the capture now.
        unsafe {
            let capture = &mut *capture.as_ptr();
            capture.connection = ptr::null_mut();
            ngx_post_event((*capture.client).write, &raw mut ngx_posted_events);
        }
    }

    fn take_header(&mut self, name: &[u8], value: &[u8]) {
        if let Some(name) = self.wanted.iter().find(|w| name.eq_ignore_ascii_case(w.as_bytes())) {
            let value = String::from_utf8_lossy(value);
            // RFC 9110 §5.3: lines of one name are one list.
            match self.headers.iter_mut().find(|(known, _)| known == name) {
                Some((_, list)) => {
                    list.push_str(", ");
                    list.push_str(&value);
                }
                None => self.headers.push((name.clone(), value.into_owned())),
            }
        }
    }

    fn take_body(&mut self, bytes: &[u8]) -> Result<(), CaptureFailure> {
        if bytes.len() > self.limit.saturating_sub(self.body.len()) {
            return Err(CaptureFailure::TooLarge);
        }
        self.body.try_reserve(bytes.len()).map_err(|_| CaptureFailure::NoMemory)?;
        self.body.extend_from_slice(bytes);
        Ok(())
    }
}

static mut NEXT_HEADER_FILTER: ngx_http_output_header_filter_pt = None;
static mut NEXT_BODY_FILTER: ngx_http_output_body_filter_pt = None;

/// Puts the filters into nginx's chain.
pub(crate) fn install() {
    // SAFETY: called once per configuration, while nginx is single-threaded and builds the chain
    // anew.
    unsafe {
        NEXT_HEADER_FILTER = ngx_http_top_header_filter;
        ngx_http_top_header_filter = Some(header_filter);
        NEXT_BODY_FILTER = ngx_http_top_body_filter;
        ngx_http_top_body_filter = Some(body_filter);
    }
}

unsafe extern "C" fn header_filter(r: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: nginx calls filters with a live request.
    let Some(capture) = (unsafe { virtual_request::capture_of(r) }) else {
        // SAFETY: the next filter was there before us; the chain is complete when requests run.
        return unsafe { NEXT_HEADER_FILTER.map_or(NGX_OK as ngx_int_t, |next| next(r)) };
    };
    // SAFETY: the request is live; the capture outlives its virtual connection, and the session
    // that owns it does not touch it while nginx runs the request.
    unsafe {
        if r != (*r).main {
            return NGX_OK as ngx_int_t; // the header of a subrequest is nobody's
        }
        if (*r).header_sent() != 0 {
            return NGX_OK as ngx_int_t;
        }
        (*r).set_header_sent(1);
        let capture = &mut *capture.as_ptr();
        let out = &(*r).headers_out;
        capture.status = u16::try_from(out.status).unwrap_or(500);
        if out.content_type.len > 0 {
            let mut value = str_bytes(out.content_type).to_vec();
            // As ngx_http_header_filter() writes it.
            if out.content_type_len == out.content_type.len && out.charset.len > 0 {
                value.extend_from_slice(b"; charset=");
                value.extend_from_slice(str_bytes(out.charset));
            }
            capture.take_header(b"content-type", &value);
            capture.content_type = Some(value);
        }
        if out.last_modified.is_null() && out.last_modified_time != -1 {
            let mut date = [0u8; "Thu, 01 Jan 1970 00:00:00 GMT".len()];
            nginx_sys::ngx_http_time(date.as_mut_ptr(), out.last_modified_time);
            capture.take_header(b"last-modified", &date);
        }
        for header in Elements::new(&raw const out.headers.part) {
            let header: *const ngx_table_elt_t = header;
            capture.take_header(str_bytes((*header).key), str_bytes((*header).value));
        }
        // RFC 9110 §9.3.2, §15: responses that have no body.
        if (*r).method == nginx_sys::NGX_HTTP_HEAD as usize || matches!(capture.status, 204 | 304) {
            (*r).set_header_only(1);
        }
        if (*r).header_only() != 0 {
            capture.complete();
        }
    }
    NGX_OK as ngx_int_t
}

unsafe extern "C" fn body_filter(r: *mut ngx_http_request_t, chain: *mut ngx_chain_t) -> ngx_int_t {
    // SAFETY: nginx calls filters with a live request.
    let Some(capture) = (unsafe { virtual_request::capture_of(r) }) else {
        // SAFETY: as in `header_filter`.
        return unsafe { NEXT_BODY_FILTER.map_or(NGX_OK as ngx_int_t, |next| next(r, chain)) };
    };
    // SAFETY: as in `header_filter`; the chain and its buffers are live during the call, and those
    // with data are in memory because the virtual connection does not allow sendfile.
    unsafe {
        let capture = &mut *capture.as_ptr();
        let mut link = chain;
        while !link.is_null() {
            let buf = (*link).buf;
            let size = (*buf).last as usize - (*buf).pos as usize;
            if size > 0 {
                if let Err(failure) = capture.take_body(bytes_mut((*buf).pos, size)) {
                    capture.failure.get_or_insert(failure);
                    return NGX_ERROR as ngx_int_t;
                }
                // For `$body_bytes_sent`; a buffer at its end may be used again.
                (*(*r).connection).sent += size as i64;
                (*buf).pos = (*buf).last;
            }
            if (*buf).in_file() != 0 {
                (*buf).file_pos = (*buf).file_last;
            }
            if (*buf).last_buf() != 0 {
                capture.complete();
            }
            link = (*link).next;
        }
    }
    NGX_OK as ngx_int_t
}
