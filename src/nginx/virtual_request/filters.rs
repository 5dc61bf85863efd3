//! Catches the responses of virtual requests where others go to a client.
//!
//! Two output filters stand behind those that make a response (SSI, sub_filter, headers) and before
//! those that write it (chunked, header, HTTP/2): see `ngx_module_order` in `module.rs`.  Requests
//! on real connections pass untouched.

use nginx_sys::{
    NGX_ERROR, NGX_OK, ngx_chain_t, ngx_http_output_body_filter_pt,
    ngx_http_output_header_filter_pt, ngx_http_request_t, ngx_http_top_body_filter,
    ngx_http_top_header_filter, ngx_int_t, ngx_table_elt_t,
};

use super::connection::capture_of;
use crate::nginx::connection::bytes_mut;
use crate::nginx::request::{Elements, str_bytes};

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
    let Some(capture) = (unsafe { capture_of(r) }) else {
        // SAFETY: the next filter was there before us; the chain is complete when requests run.
        return unsafe { NEXT_HEADER_FILTER.map_or(NGX_OK as ngx_int_t, |next| next(r)) };
    };
    // SAFETY: the request is live; the capture outlives its virtual connection, and the session
    // that owns it does not touch it while nginx runs the request.
    unsafe {
        if (*r).header_sent() != 0 {
            return NGX_OK as ngx_int_t;
        }
        (*r).set_header_sent(1);
        if r != (*r).main {
            return NGX_OK as ngx_int_t; // the header of a subrequest is nobody's
        }
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
        if out.content_length.is_null() && out.content_length_n >= 0 {
            capture.take_header(b"content-length", out.content_length_n.to_string().as_bytes());
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
    let Some(capture) = (unsafe { capture_of(r) }) else {
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
