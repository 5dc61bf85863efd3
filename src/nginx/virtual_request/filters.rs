//! Catches the responses of virtual requests where others go to a client.
//!
//! Two output filters stand behind those that make a response (SSI, sub_filter, headers) and before
//! those that write it (chunked, header, HTTP/2): see `ngx_module_order` in `module.rs`.  Requests
//! on real connections pass untouched.

use nginx_sys::{
    NGX_ERROR, NGX_OK, ngx_buf_t, ngx_chain_t, ngx_http_output_body_filter_pt,
    ngx_http_output_header_filter_pt, ngx_http_request_t, ngx_http_top_body_filter,
    ngx_http_top_header_filter, ngx_int_t, ngx_read_file, ngx_table_elt_t, ngx_uint_t,
};

use super::connection::sink_of;
use super::sink::{Sink, SinkFailure};
use crate::nginx::request::{Elements, Request};
use crate::nginx::string::{bytes_mut, str_bytes};
use crate::nginx::tenancy;

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
    let Some(sink) = (unsafe { sink_of(r) }) else {
        // SAFETY: as above.  The next filter was there before us; the chain is complete when
        // requests run.
        return unsafe {
            on_subrequest(r);
            NEXT_HEADER_FILTER.map_or(NGX_OK as ngx_int_t, |next| next(r))
        };
    };
    // SAFETY: the request is live; the sink outlives its virtual connection, and the session that
    // owns it does not touch it while nginx runs the request.
    unsafe {
        if (*r).header_sent() != 0 {
            return NGX_OK as ngx_int_t;
        }
        (*r).set_header_sent(1);
        if r != (*r).main {
            return NGX_OK as ngx_int_t; // the header of a subrequest is nobody's
        }
        let sink = &mut *sink.as_ptr();
        if !sink.is_open() {
            return NGX_OK as ngx_int_t;
        }
        if is_interim((*r).headers_out.status) {
            (*r).err_status = 502; // for the access log
            sink.fail(SinkFailure::Interim);
            return NGX_ERROR as ngx_int_t;
        }
        take_header(&*r, sink);
        // RFC 9110 §9.3.2, §15: responses that have no body.
        let status = (*r).headers_out.status;
        if (*r).method == nginx_sys::NGX_HTTP_HEAD as usize || matches!(status, 204 | 304) {
            (*r).set_header_only(1);
        }
        if (*r).header_only() != 0 {
            sink.complete();
        } else if let Ok(len) = usize::try_from((*r).headers_out.content_length_n) {
            sink.announce(len);
        }
    }
    NGX_OK as ngx_int_t
}

/// Whether a status is that of no response yet (RFC 9110 §15.2), or of no HTTP from there on (101).
///
/// nginx takes what a backend sends first for its response, and what follows for the body; but for
/// 103 and 100 since 1.29, which never come here.
const fn is_interim(status: ngx_uint_t) -> bool {
    status >= 100 && status < 200
}

/// Tells the sink what the header says.
fn take_header(r: &ngx_http_request_t, sink: &mut Sink) {
    let out = &r.headers_out;
    let content_type = (out.content_type.len > 0).then(|| {
        let mut value = str_bytes(out.content_type).to_vec();
        // As ngx_http_header_filter() writes it.
        if out.content_type_len == out.content_type.len && out.charset.len > 0 {
            value.extend_from_slice(b"; charset=");
            value.extend_from_slice(str_bytes(out.charset));
        }
        value
    });
    sink.take_status(u16::try_from(out.status).unwrap_or(500), content_type);
    if out.last_modified.is_null() && out.last_modified_time != -1 {
        let mut date = [0u8; "Thu, 01 Jan 1970 00:00:00 GMT".len()];
        // SAFETY: writes as many bytes as an HTTP date has.
        unsafe { nginx_sys::ngx_http_time(date.as_mut_ptr(), out.last_modified_time) };
        sink.take_header(b"last-modified", &date);
    }
    if out.content_length.is_null() && out.content_length_n >= 0 {
        sink.take_header(b"content-length", out.content_length_n.to_string().as_bytes());
    }
    // SAFETY: the list is live with the request.
    for header in unsafe { Elements::new(&raw const out.headers.part) } {
        let header: *const ngx_table_elt_t = header;
        // SAFETY: elements are live with the list.
        let (key, value) = unsafe { ((*header).key, (*header).value) };
        sink.take_header(str_bytes(key), str_bytes(value));
    }
}

unsafe extern "C" fn body_filter(r: *mut ngx_http_request_t, chain: *mut ngx_chain_t) -> ngx_int_t {
    // SAFETY: nginx calls filters with a live request.
    let Some(sink) = (unsafe { sink_of(r) }) else {
        // SAFETY: as in `header_filter`.
        return unsafe { NEXT_BODY_FILTER.map_or(NGX_OK as ngx_int_t, |next| next(r, chain)) };
    };
    // SAFETY: as in `header_filter`; the chain and its buffers are live during the call.
    unsafe {
        let sink = &mut *sink.as_ptr();
        let mut link = chain;
        while !link.is_null() {
            if sink.failure.is_none()
                && let Err(failure) = take_buffer(r, (*link).buf, sink)
            {
                sink.fail(failure);
            }
            if sink.failure.is_some() {
                return NGX_ERROR as ngx_int_t;
            }
            if (*(*link).buf).last_buf() != 0 {
                sink.complete();
            }
            link = (*link).next;
        }
    }
    NGX_OK as ngx_int_t
}

/// Takes what is in a buffer, which may then be used again.
///
/// # Safety
///
/// Request and buffer are live.
unsafe fn take_buffer(
    r: *mut ngx_http_request_t,
    buf: *mut ngx_buf_t,
    sink: &mut Sink,
) -> Result<(), SinkFailure> {
    // SAFETY: by the contract of this function; a buffer in memory has its bytes between `pos` and
    // `last`, one in a file between `file_pos` and `file_last`.
    unsafe {
        let in_memory = (*buf).temporary() != 0 || (*buf).memory() != 0 || (*buf).mmap() != 0;
        let size = if in_memory {
            let size = (*buf).last as usize - (*buf).pos as usize;
            if size > 0 {
                sink.take_body(bytes_mut((*buf).pos, size))?;
                (*buf).pos = (*buf).last;
            }
            size
        } else if (*buf).in_file() != 0 {
            // Files are read before they come here (`main_filter_need_in_memory`), unless a filter
            // behind that makes such a buffer.
            let size = usize::try_from((*buf).file_last - (*buf).file_pos).unwrap_or_default();
            sink.take_body_from(size, |room| {
                ngx_read_file((*buf).file, room.as_mut_ptr(), room.len(), (*buf).file_pos)
                    == room.len() as isize
            })?;
            size
        } else {
            0
        };
        if (*buf).in_file() != 0 {
            (*buf).file_pos = (*buf).file_last;
        }
        // For `$body_bytes_sent`.
        (*(*r).connection).sent += size as i64;
    }
    Ok(())
}

/// The end of a subrequest may have taken the connection from its tenant.
///
/// # Safety
///
/// `r` is a live request on a real connection.
unsafe fn on_subrequest(r: *mut ngx_http_request_t) {
    // SAFETY: by the contract of this function; `main` is live as long as its subrequests.
    unsafe {
        if r != (*r).main
            && let Some(main) = Request::new((*r).main)
        {
            tenancy::hold_again(main);
        }
    }
}
