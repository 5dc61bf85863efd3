//! The request headers of messages: those of the handshake, less what is about the handshake.

use core::mem::offset_of;
use core::ptr;

use nginx_sys::{
    NGX_OK, ngx_hash_find, ngx_hash_key_lc, ngx_http_core_main_conf_t, ngx_http_core_module,
    ngx_http_header_t, ngx_http_headers_in_t, ngx_http_request_t, ngx_int_t, ngx_list_push,
    ngx_pcalloc, ngx_str_t, ngx_table_elt_t,
};

use super::Spec;
use crate::nginx::request::{Elements, NoMemory, Request, str_bytes};

/// Names of headers that no message inherits: they are about the connection, the handshake, or a
/// representation that the message does not have.
const DROPPED: &[&str] = &[
    "accept-encoding",
    "connection",
    "expect",
    "keep-alive",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Beginnings of such names.
const DROPPED_PREFIXES: &[&str] = &["content-", "if-", "sec-websocket-"];

/// Whether a message never carries a header of this name, wherever it comes from.
pub(crate) fn is_reserved(name: &str) -> bool {
    let starts = |prefix: &&str| {
        name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    DROPPED.iter().any(|dropped| name.eq_ignore_ascii_case(dropped))
        || DROPPED_PREFIXES.iter().any(starts)
        || name.eq_ignore_ascii_case("host")
}

/// The headers that all messages of a socket share; built once per socket, in its pool.
#[derive(Debug)]
pub(crate) struct BaseHeaders {
    elements: *mut ngx_table_elt_t,
    len: usize,
}

impl BaseHeaders {
    /// Filters the headers of the handshake.
    pub(crate) fn new(client: Request) -> Result<Self, NoMemory> {
        let r = client.as_ptr();
        // SAFETY: the request is live; elements are plain structures of pointers into its pool,
        // which also holds the array made here.
        unsafe {
            let kept = || {
                Elements::new(&raw const (*r).headers_in.headers.part).filter(|header| {
                    let name = core::str::from_utf8(str_bytes((**header).key)).unwrap_or_default();
                    !is_reserved(name) || name.eq_ignore_ascii_case("host")
                })
            };
            // At least Host is kept (HTTP/1.1 demands it), so the list is never empty.
            let len = kept().count();
            let size = size_of::<ngx_table_elt_t>();
            let elements: *mut ngx_table_elt_t = ngx_pcalloc((*r).pool, size * len.max(1)).cast();
            if elements.is_null() {
                return Err(NoMemory);
            }
            for (i, header) in kept().enumerate() {
                *elements.add(i) = *header;
            }
            Ok(Self { elements, len })
        }
    }

    /// Gives the headers to a virtual request, with those of its message instead of their
    /// namesakes, and with those that its body needs.
    ///
    /// # Safety
    ///
    /// `r` was just created for a message of the socket that `self` was made for.
    pub(super) unsafe fn apply(
        &self,
        r: *mut ngx_http_request_t,
        spec: &Spec<'_>,
    ) -> Result<(), NoMemory> {
        // SAFETY: by the contract of this function; the socket's pool outlives its messages.
        unsafe {
            let client_r = client_of(r);
            let headers = &mut (*r).headers_in;
            // Host, Cookie, Authorization and the others that nginx keeps a pointer to.
            *headers = (*client_r).headers_in;
            headers.user = ngx_str_t::empty();
            headers.passwd = ngx_str_t::empty();
            headers.content_length_n = -1;
            headers.keep_alive_n = -1;
            headers.set_connection_type(0);
            headers.set_chunked(0);
            headers.connection = ptr::null_mut();
            headers.if_modified_since = ptr::null_mut();
            headers.if_unmodified_since = ptr::null_mut();
            headers.if_match = ptr::null_mut();
            headers.if_none_match = ptr::null_mut();
            headers.content_length = ptr::null_mut();
            headers.content_range = ptr::null_mut();
            headers.content_type = ptr::null_mut();
            headers.range = ptr::null_mut();
            headers.if_range = ptr::null_mut();
            headers.transfer_encoding = ptr::null_mut();
            headers.te = ptr::null_mut();
            headers.expect = ptr::null_mut();
            headers.upgrade = ptr::null_mut();
            #[cfg(any(ngx_feature = "http_gzip", ngx_feature = "compat"))]
            {
                headers.accept_encoding = ptr::null_mut();
            }
            headers.keep_alive = ptr::null_mut();

            let (elements, len) = if spec.headers.is_empty() {
                (self.elements, self.len)
            } else {
                self.without(r, spec.headers)?
            };
            // The first part is shared and full: whoever adds a header gets a part of his own.
            let list = &raw mut headers.headers;
            (*list).part.elts = elements.cast();
            (*list).part.nelts = len;
            (*list).part.next = ptr::null_mut();
            (*list).last = &raw mut (*list).part;
            (*list).size = size_of::<ngx_table_elt_t>();
            (*list).nalloc = len;
            (*list).pool = (*r).pool;

            for (name, value) in spec.headers {
                let header = push(r, name, value.as_bytes())?;
                register(r, header)?;
            }
            if let Some((bytes, content_type)) = spec.body {
                let length = push(r, "Content-Length", bytes.len().to_string().as_bytes())?;
                (*r).headers_in.content_length = length;
                (*r).headers_in.content_length_n = bytes.len() as i64;
                (*r).headers_in.content_type = push(r, "Content-Type", content_type.as_bytes())?;
            }
        }
        Ok(())
    }

    /// A copy of the elements, less those that `headers` replace.
    ///
    /// # Safety
    ///
    /// As for [`apply`](Self::apply).
    unsafe fn without(
        &self,
        r: *mut ngx_http_request_t,
        headers: &[(&str, &str)],
    ) -> Result<(*mut ngx_table_elt_t, usize), NoMemory> {
        // SAFETY: by the contract of this function; at most `self.len` elements are written.
        unsafe {
            let size = size_of::<ngx_table_elt_t>();
            let copy: *mut ngx_table_elt_t = ngx_pcalloc((*r).pool, size * self.len.max(1)).cast();
            if copy.is_null() {
                return Err(NoMemory);
            }
            let mut len = 0;
            for i in 0..self.len {
                let element = *self.elements.add(i);
                let name = str_bytes(element.key);
                if !headers.iter().any(|(n, _)| n.as_bytes().eq_ignore_ascii_case(name)) {
                    *copy.add(len) = element;
                    len += 1;
                }
            }
            Ok((copy, len))
        }
    }
}

/// The request of the handshake behind a virtual one.
///
/// # Safety
///
/// `r` is a request on a live virtual connection.
unsafe fn client_of(r: *mut ngx_http_request_t) -> *mut ngx_http_request_t {
    // SAFETY: by the contract of this function; the client's connection carries its request.
    unsafe {
        let context = (*(*r).main).http_connection.cast::<super::connection::Context>();
        (*(*(*context).capture.as_ptr()).client).data.cast()
    }
}

/// Adds a header to a request.
///
/// # Safety
///
/// `r` is a live virtual request whose header list is set up.
unsafe fn push(
    r: *mut ngx_http_request_t,
    name: &str,
    value: &[u8],
) -> Result<*mut ngx_table_elt_t, NoMemory> {
    // SAFETY: by the contract of this function; all strings are copied to the request's pool.
    unsafe {
        let Some(request) = Request::new(r) else { return Err(NoMemory) };
        let key = request.copy(name.as_bytes())?;
        let lowcase = request.copy(name.to_ascii_lowercase().as_bytes())?;
        let value = request.copy(value)?;
        let header: *mut ngx_table_elt_t = ngx_list_push(&raw mut (*r).headers_in.headers).cast();
        if header.is_null() {
            return Err(NoMemory);
        }
        header.write_bytes(0, 1);
        (*header).key = key;
        (*header).value = value;
        (*header).lowcase_key = lowcase.data;
        (*header).hash = ngx_hash_key_lc(key.data, key.len);
        Ok(header)
    }
}

/// Lets nginx take note of a header it knows, instead of the handshake's one.
///
/// # Safety
///
/// `r` is a live virtual request; `header` is in its list.
unsafe fn register(
    r: *mut ngx_http_request_t,
    header: *mut ngx_table_elt_t,
) -> Result<(), NoMemory> {
    // SAFETY: by the contract of this function; offsets in nginx's table are those of pointers in
    // ngx_http_headers_in_t, and 0 means none.
    unsafe {
        let cmcf: *mut ngx_http_core_main_conf_t =
            (*(*r).main_conf.add(ngx_http_core_module.ctx_index)).cast();
        let known: *const ngx_http_header_t = ngx_hash_find(
            &raw mut (*cmcf).headers_in_hash,
            (*header).hash,
            (*header).lowcase_key,
            (*header).key.len,
        )
        .cast();
        if known.is_null() {
            return Ok(());
        }
        let offset = (*known).offset;
        if offset >= offset_of!(ngx_http_headers_in_t, host) {
            let field: *mut *mut ngx_table_elt_t =
                (&raw mut (*r).headers_in).byte_add(offset).cast();
            *field = ptr::null_mut();
        }
        match (*known).handler {
            Some(handler) if handler(r, header, offset) != NGX_OK as ngx_int_t => Err(NoMemory),
            _ => Ok(()),
        }
    }
}
