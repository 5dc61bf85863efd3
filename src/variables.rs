//! The `$ws_*` variables: what an access log can say of a socket.
//!
//! Of a request that did not become a socket all of them are "not found", which logs as `-`.

use core::fmt::Write as _;

use nginx_sys::{
    NGX_ERROR, NGX_HTTP_VAR_NOCACHEABLE, NGX_OK, ngx_conf_t, ngx_http_add_variable,
    ngx_http_request_t, ngx_http_variable_value_t, ngx_int_t,
};

use crate::nginx::request::{Request, static_str};
use crate::session::Session;
use crate::upgrade;

type Getter = fn(&Session, &mut String) -> Option<()>;

/// Name and value of each variable; the index is the `data` nginx hands to [`get`].
#[rustfmt::skip]
static VARIABLES: [(&str, Getter); 9] = [
    ("ws_close_code", |s, out| write!(out, "{}", s.close_code()?).ok()),
    ("ws_close_reason", |s, out| { out.push_str(s.close_reason()?); Some(()) }),
    ("ws_duration", |s, out| {
        let ms = s.duration();
        write!(out, "{}.{:03}", ms / 1000, ms % 1000).ok()
    }),
    ("ws_messages_in", |s, out| write!(out, "{}", s.traffic().messages_in).ok()),
    ("ws_messages_out", |s, out| write!(out, "{}", s.traffic().messages_out).ok()),
    ("ws_bytes_in", |s, out| write!(out, "{}", s.traffic().bytes_in).ok()),
    ("ws_bytes_out", |s, out| write!(out, "{}", s.traffic().bytes_out).ok()),
    ("ws_subprotocol", |s, out| { out.push_str(s.subprotocol()?); Some(()) }),
    ("ws_connection_id", |s, out| s.id().iter().try_for_each(|b| write!(out, "{b:02x}")).ok()),
];

/// `preconfiguration` of the module context: makes the variables known.
pub(crate) unsafe extern "C" fn register(cf: *mut ngx_conf_t) -> ngx_int_t {
    for (i, (name, _)) in VARIABLES.iter().enumerate() {
        let mut name = static_str(name);
        // SAFETY: cf is nginx's; the function lowercases the name into memory of its own pool.
        let var =
            unsafe { ngx_http_add_variable(cf, &mut name, NGX_HTTP_VAR_NOCACHEABLE as usize) };
        if var.is_null() {
            return NGX_ERROR as ngx_int_t;
        }
        // SAFETY: the returned variable lives in the configuration.
        unsafe {
            (*var).get_handler = Some(get);
            (*var).data = i;
        }
    }
    NGX_OK as ngx_int_t
}

unsafe extern "C" fn get(
    r: *mut ngx_http_request_t,
    value: *mut ngx_http_variable_value_t,
    data: usize,
) -> ngx_int_t {
    // SAFETY: nginx calls with a live request and a value to fill.
    let (request, value) = unsafe { (Request::new(r), &mut *value) };
    let text = request.and_then(upgrade::session).and_then(|session| {
        let mut text = String::new();
        let (_, getter) = VARIABLES.get(data)?;
        getter(session, &mut text).map(|()| text)
    });
    let (Some(request), Some(text)) = (request, text) else {
        value.set_not_found(1);
        return NGX_OK as ngx_int_t;
    };
    let Ok(copy) = request.copy(text.as_bytes()) else { return NGX_ERROR as ngx_int_t };
    value.set_len(copy.len as u32);
    value.data = copy.data;
    value.set_valid(1);
    value.set_no_cacheable(1);
    value.set_not_found(0);
    NGX_OK as ngx_int_t
}
