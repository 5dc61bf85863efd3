//! A request of nginx: reading the handshake, writing the answer.

use core::ffi::c_void;
use core::fmt;
use core::ptr::{self, NonNull};

use nginx_sys::{
    NGX_DONE, NGX_ERROR, NGX_HTTP_FLUSH, NGX_HTTP_GET, NGX_HTTP_LINGERING_OFF,
    NGX_HTTP_LINGERING_ON, NGX_HTTP_VERSION_11, NGX_HTTP_VERSION_20, NGX_OK, ngx_buf_t,
    ngx_chain_t, ngx_http_core_loc_conf_t, ngx_http_core_module, ngx_http_discard_request_body,
    ngx_http_err_page_t, ngx_http_output_filter, ngx_http_request_t, ngx_http_send_header,
    ngx_http_send_special, ngx_int_t, ngx_list_part_t, ngx_list_push, ngx_pnalloc,
    ngx_pool_cleanup_add, ngx_pool_t, ngx_str_t, ngx_table_elt_t,
};

use super::connection::{Broken, Connection};
use super::exhausted::Exhausted;
use super::log::Level;
use super::module;
use super::string::{bytes_mut, static_str, str_bytes};
use crate::proto::handshake::HttpVersion;

/// The status of a page that is there for another one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ErrorPage {
    /// It is what it would be without the page.
    SameStatus,
    /// It is what the page says: `error_page 426 = /page`, or a redirect.
    OtherStatus,
}

/// A handle to a request, valid within one event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request(NonNull<ngx_http_request_t>);

impl Request {
    /// # Safety
    ///
    /// `r` is null or a live request, which stays live while the handle is used.
    pub(crate) unsafe fn new(r: *mut ngx_http_request_t) -> Option<Self> {
        NonNull::new(r).map(Self)
    }

    pub(crate) const fn as_ptr(self) -> *mut ngx_http_request_t {
        self.0.as_ptr()
    }

    /// The client's connection.
    pub(crate) fn connection(self) -> Connection {
        // SAFETY: the request is live by the contract of `new`, and so is its connection, which is
        // never null.
        unsafe { Connection::new(NonNull::new_unchecked((*self.as_ptr()).connection)) }
    }

    fn pool(self) -> *mut ngx_pool_t {
        // SAFETY: the request is live.
        unsafe { (*self.as_ptr()).pool }
    }

    /// Whether this is what the client asked for, and not a subrequest.
    pub(crate) fn is_main(self) -> bool {
        // SAFETY: the request is live.
        unsafe { (*self.as_ptr()).main == self.as_ptr() }
    }

    pub(crate) fn is_get(self) -> bool {
        // SAFETY: the request is live.
        unsafe { (*self.as_ptr()).method == NGX_HTTP_GET as usize }
    }

    pub(crate) fn version(self) -> HttpVersion {
        // SAFETY: the request is live.
        match unsafe { (*self.as_ptr()).http_version } as u32 {
            0..NGX_HTTP_VERSION_11 => HttpVersion::Before11,
            NGX_HTTP_VERSION_11..NGX_HTTP_VERSION_20 => HttpVersion::Http11,
            _ => HttpVersion::After11,
        }
    }

    /// Name and value of each header the client sent, in order.
    pub(crate) fn headers<'r>(self) -> impl Iterator<Item = (&'r [u8], &'r [u8])> {
        // SAFETY: the request is live.
        let part = unsafe { &raw const (*self.as_ptr()).headers_in.headers.part };
        // SAFETY: the list is live with the request.
        unsafe { Elements::new(part) }.map(|header| {
            // SAFETY: the element is live with the request, whose pool holds its strings.  The
            // slices stay valid while the request does; callers hold them for one event.
            let (key, value) = unsafe { ((*header).key, (*header).value) };
            (str_bytes(key), str_bytes(value))
        })
    }

    /// Adds a header to the response.
    pub(crate) fn add_header(self, name: &'static str, value: &[u8]) -> Result<(), Exhausted> {
        let value = self.copy(value)?;
        // SAFETY: the request is live; a pushed element is ours to fill.  It is zeroed because
        // ngx_list_push() does not, and its fields differ between versions of nginx.
        unsafe {
            let element: *mut ngx_table_elt_t =
                ngx_list_push(&raw mut (*self.as_ptr()).headers_out.headers).cast();
            if element.is_null() {
                return Err(Exhausted::Memory);
            }
            element.write_bytes(0, 1);
            (*element).hash = 1;
            (*element).key = static_str(name);
            (*element).value = value;
        }
        Ok(())
    }

    /// Copies `bytes` to the request's pool, with a NUL behind them: nginx searches values of headers
    /// as C strings (ngx_http_process_user_agent).
    pub(crate) fn copy(self, bytes: &[u8]) -> Result<ngx_str_t, Exhausted> {
        // SAFETY: the pool is live with the request; what it returns is not null and large enough.
        unsafe {
            let data: *mut u8 = ngx_pnalloc(self.pool(), bytes.len() + 1).cast();
            if data.is_null() {
                return Err(Exhausted::Memory);
            }
            data.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            data.add(bytes.len()).write(0);
            Ok(ngx_str_t { len: bytes.len(), data })
        }
    }

    /// What the location's `error_page` makes of `status`, if it has one for it.
    pub(crate) fn error_page(self, status: u16) -> Option<ErrorPage> {
        let clcf = self.core_location();
        let status = ngx_int_t::from(status as i16);
        // SAFETY: the configuration lives as long as the cycle; `error_pages` is null, unset (all
        // ones, before merging) or an array of ngx_http_err_page_t.
        unsafe {
            let pages = (*clcf).error_pages;
            if pages.is_null() || pages as isize == -1 {
                return None;
            }
            let first: *const ngx_http_err_page_t = (*pages).elts.cast();
            let page =
                (0..(*pages).nelts).map(|i| first.add(i)).find(|page| (**page).status == status)?;
            // -1: no `=`.  What is no place of our own is redirected to, with a status of its own.
            let keeps = (*page).overwrite == -1 || (*page).overwrite == status;
            let is_here = matches!(str_bytes((*page).value.value), [b'/' | b'@', ..]);
            Some(if keeps && is_here { ErrorPage::SameStatus } else { ErrorPage::OtherStatus })
        }
    }

    /// Sees to it that nginx lingers over the end of this request, also where `lingering_close` is
    /// off, as it is by default in Tengine.  Without memory for that it does not.
    pub(super) fn allow_lingering(self) {
        let r = self.as_ptr();
        let clcf = self.core_location();
        // SAFETY: the request is live; what is copied is as long as the copies, and holds no pointer
        // into itself.  The configuration of others is not touched.
        unsafe {
            if (*clcf).lingering_close != NGX_HTTP_LINGERING_OFF as usize {
                return;
            }
            let modules = nginx_sys::ngx_http_max_module;
            let confs: *mut *mut c_void =
                nginx_sys::ngx_palloc(self.pool(), modules * size_of::<*mut c_void>()).cast();
            let own: *mut ngx_http_core_loc_conf_t =
                nginx_sys::ngx_palloc(self.pool(), size_of::<ngx_http_core_loc_conf_t>()).cast();
            if confs.is_null() || own.is_null() {
                return;
            }
            own.copy_from_nonoverlapping(clcf, 1);
            (*own).lingering_close = NGX_HTTP_LINGERING_ON as usize;
            confs.copy_from_nonoverlapping((*r).loc_conf, modules);
            *confs.add(ngx_http_core_module.ctx_index) = own.cast();
            (*r).loc_conf = confs;
        }
    }

    fn core_location(self) -> *const ngx_http_core_loc_conf_t {
        // SAFETY: every request has a location configuration of the core module.
        unsafe { (*(*self.as_ptr()).loc_conf.add(ngx_http_core_module.ctx_index)).cast() }
    }

    /// The module's configuration of the location, of which `T` is the head: what
    /// `create_location` makes.
    pub(crate) fn location_conf<T>(self) -> Option<&'static T> {
        // SAFETY: loc_conf has a place for every loaded HTTP module, and every location has what
        // `create_location` made.  It lives in the pool of the cycle, which nginx keeps as long as
        // any connection that was accepted under it.
        unsafe { (*(*self.as_ptr()).loc_conf.add(module::index())).cast::<T>().as_ref() }
    }

    pub(crate) fn is_head(self) -> bool {
        // SAFETY: the request is live.
        unsafe { (*self.as_ptr()).method == nginx_sys::NGX_HTTP_HEAD as usize }
    }

    /// Answers with a body of ours; an empty `line` leaves the status line to nginx.
    pub(crate) fn answer(
        self,
        status: u16,
        line: &'static str,
        content_type: &'static str,
        body: &str,
    ) -> Result<ngx_int_t, Exhausted> {
        let r = self.as_ptr();
        let text = self.copy(body.as_bytes())?;
        // SAFETY: the request is live, no header was sent, and the strings are static or in its
        // pool.  The buffer is zeroed as ngx_calloc_buf() does.
        unsafe {
            let rc = ngx_http_discard_request_body(r);
            if rc != NGX_OK as ngx_int_t {
                return Ok(rc);
            }
            (*r).headers_out.status = status as usize;
            (*r).headers_out.status_line = static_str(line);
            (*r).headers_out.content_type = static_str(content_type);
            (*r).headers_out.content_type_len = content_type.len();
            (*r).headers_out.content_length_n = body.len() as i64;
            let rc = ngx_http_send_header(r);
            if rc == NGX_ERROR as ngx_int_t || rc > NGX_OK as ngx_int_t || (*r).header_only() != 0 {
                return Ok(rc);
            }
            let buf: *mut ngx_buf_t =
                nginx_sys::ngx_pcalloc(self.pool(), size_of::<ngx_buf_t>()).cast();
            if buf.is_null() {
                return Err(Exhausted::Memory);
            }
            (*buf).pos = text.data;
            (*buf).last = text.data.add(text.len);
            (*buf).set_memory(1);
            (*buf).set_last_buf(1);
            (*buf).set_last_in_chain(1);
            Ok(ngx_http_output_filter(r, &mut ngx_chain_t { buf, next: ptr::null_mut() }))
        }
    }

    /// Sends the header of the 101 response, past the location's rate limit and output buffering.
    ///
    /// `Err` is what the content handler must return.
    pub(crate) fn switch_protocols(self) -> Result<(), ngx_int_t> {
        let r = self.as_ptr();
        // SAFETY: the request is live and no header was sent; the string is static.
        unsafe {
            (*r).headers_out.status = 101;
            (*r).headers_out.status_line = static_str("101 Switching Protocols");
            (*r).set_keepalive(0);
            // `limit_rate` is about responses; it would also delay our own writes.
            (*r).limit_rate = 0;
            (*r).set_limit_rate_set(1);
            let rc = ngx_http_send_header(r);
            if rc == NGX_ERROR as ngx_int_t || rc > NGX_OK as ngx_int_t {
                return Err(rc);
            }
            if ngx_http_send_special(r, NGX_HTTP_FLUSH as usize) == NGX_ERROR as ngx_int_t {
                return Err(NGX_ERROR as ngx_int_t);
            }
        }
        Ok(())
    }

    /// Sends what is left of the response header; `Ok(true)` when all of it is out.
    pub(crate) fn flush_header(self) -> Result<bool, Broken> {
        let r = self.as_ptr();
        // SAFETY: the request is live; a null chain means "continue".
        unsafe {
            if (*r).out.is_null() {
                return Ok(true);
            }
            if ngx_http_output_filter(r, ptr::null_mut()) == NGX_ERROR as ngx_int_t {
                return Err(Broken);
            }
            Ok((*r).out.is_null())
        }
    }

    /// `tcp_nodelay` of the location.
    pub(super) fn wants_tcp_nodelay(self) -> bool {
        // SAFETY: the configuration lives as long as the cycle.
        unsafe { (*self.core_location()).tcp_nodelay != 0 }
    }

    /// The value that makes nginx leave the request to us.
    pub(crate) const TAKEN: ngx_int_t = NGX_DONE as ngx_int_t;

    /// Bytes that the client sent right behind its handshake.  They are handed out once.
    pub(crate) fn take_early_input<'r>(self) -> &'r mut [u8] {
        // SAFETY: header_in is live with the request; nginx does not look at bytes before `pos`
        // again, so the slice is ours for the rest of this event.
        unsafe {
            let buf = (*self.as_ptr()).header_in;
            let (pos, last) = ((*buf).pos, (*buf).last);
            (*buf).pos = last;
            bytes_mut(pos, last as usize - pos as usize)
        }
    }

    /// Whether [`Request::take_early_input`] has something to hand out.
    pub(crate) fn has_early_input(self) -> bool {
        // SAFETY: header_in is live with the request.
        unsafe {
            let buf = (*self.as_ptr()).header_in;
            (*buf).pos < (*buf).last
        }
    }

    /// Calls `cleanup(data)` when the request's pool is destroyed, after the access log.
    pub(crate) fn on_destroy(
        self,
        cleanup: unsafe extern "C" fn(*mut c_void),
        data: *mut c_void,
    ) -> Result<(), Exhausted> {
        // SAFETY: the pool is live; size 0 allocates no data.
        unsafe {
            let entry = ngx_pool_cleanup_add(self.pool(), 0);
            if entry.is_null() {
                return Err(Exhausted::Memory);
            }
            (*entry).handler = Some(cleanup);
            (*entry).data = data;
        }
        Ok(())
    }

    pub(crate) fn log(self, level: Level, message: fmt::Arguments<'_>) {
        self.connection().log(level, message);
    }
}

/// Iterates over the elements of an `ngx_list_t` of headers, without those nginx has deleted.
pub(super) struct Elements {
    part: *const ngx_list_part_t,
    index: usize,
}

impl Elements {
    /// # Safety
    ///
    /// `part` is the first one of a live list of headers.
    pub(super) const unsafe fn new(part: *const ngx_list_part_t) -> Self {
        Self { part, index: 0 }
    }
}

impl Iterator for Elements {
    type Item = *const ngx_table_elt_t;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.part.is_null() {
            // SAFETY: parts and elements are live with the request; `index` is checked.
            unsafe {
                if self.index < (*self.part).nelts {
                    let element = (*self.part).elts.cast::<ngx_table_elt_t>().add(self.index);
                    self.index += 1;
                    if (*element).hash != 0 {
                        return Some(element);
                    }
                } else {
                    self.part = (*self.part).next;
                    self.index = 0;
                }
            }
        }
        None
    }
}
