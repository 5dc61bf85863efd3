//! What the client's connection and the handshake have settled, handed on to a virtual request.

use core::ffi::{CStr, c_void};
use std::sync::OnceLock;

use nginx_sys::{
    NGX_OK, ngx_connection_t, ngx_http_cleanup_add, ngx_http_request_t, ngx_int_t,
    ngx_pool_cleanup_add, ngx_pool_cleanup_t,
};

use crate::nginx::request::Request;

/// For `$scheme`, `$ssl_*`: the client's TLS, taken back before the virtual connection is closed,
/// or core would shut it down.
///
/// # Safety
///
/// `client` and `r` are live; `r` was just created.
pub(super) unsafe fn lend_tls(client: Request, r: *mut ngx_http_request_t) {
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
pub(super) unsafe fn keep_descriptor(r: *mut ngx_http_request_t) {
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
pub(super) unsafe fn share_realip(client: Request, r: *mut ngx_http_request_t) {
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
pub(super) unsafe fn match_server_name(client: Request, r: *mut ngx_http_request_t) {
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
