//! What nginx calls for a request: content handlers, and getters of variables.

use core::mem;

use nginx_sys::{
    NGX_ERROR, NGX_HTTP_VAR_NOCACHEABLE, NGX_OK, ngx_conf_t, ngx_http_add_variable,
    ngx_http_handler_pt, ngx_http_request_t, ngx_http_variable_value_t, ngx_int_t,
};

use super::request::Request;
use super::string::static_str;

/// Answers requests.
pub(crate) trait Content {
    /// The answer's status, or what else a content handler of nginx returns.
    fn serve(request: Request) -> ngx_int_t;
}

/// `C` as nginx knows it.
pub(crate) const fn handler<C: Content>() -> ngx_http_handler_pt {
    unsafe extern "C" fn serve<C: Content>(r: *mut ngx_http_request_t) -> ngx_int_t {
        // SAFETY: nginx calls a content handler with a live request.
        let request = unsafe { Request::new(r) };
        request.map_or(NGX_ERROR as ngx_int_t, C::serve)
    }
    Some(serve::<C>)
}

/// Writes the value of a variable; `None` when it has none, which logs as `-`.
pub(crate) type Getter = fn(Request, &mut String) -> Option<()>;

/// Makes a variable known, whose value may be another each time that it is asked for.
///
/// # Safety
///
/// `cf` is what nginx passed to the callback that is running.
pub(crate) unsafe fn add_variable(
    cf: *mut ngx_conf_t,
    name: &'static str,
    getter: Getter,
) -> ngx_int_t {
    let mut name = static_str(name);
    // SAFETY: by the contract of this function; nginx lowercases the name into memory of its own.
    let variable =
        unsafe { ngx_http_add_variable(cf, &mut name, NGX_HTTP_VAR_NOCACHEABLE as usize) };
    if variable.is_null() {
        return NGX_ERROR as ngx_int_t;
    }
    // SAFETY: the returned variable lives in the configuration.
    unsafe {
        (*variable).get_handler = Some(get);
        (*variable).data = getter as usize;
    }
    NGX_OK as ngx_int_t
}

unsafe extern "C" fn get(
    r: *mut ngx_http_request_t,
    value: *mut ngx_http_variable_value_t,
    data: usize,
) -> ngx_int_t {
    // SAFETY: nginx calls with a live request, a value to fill, and what `add_variable` left.
    let (request, value, getter) =
        unsafe { (Request::new(r), &mut *value, mem::transmute::<usize, Getter>(data)) };
    let mut text = String::new();
    let found = request.filter(|request| getter(*request, &mut text).is_some());
    let Some(request) = found else {
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
