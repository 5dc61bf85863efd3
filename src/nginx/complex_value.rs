//! Values with variables, such as the key of a zone.

use core::ptr;

use nginx_sys::{
    NGX_OK, ngx_http_compile_complex_value, ngx_http_compile_complex_value_t,
    ngx_http_complex_value, ngx_http_complex_value_t, ngx_int_t, ngx_str_t,
};

use super::config::Conf;
use super::request::Request;
use super::string::str_bytes;

/// A compiled value; a handle as good as the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ComplexValue(*mut ngx_http_complex_value_t);

impl ComplexValue {
    /// Compiles `source`; `None` when nginx has logged what is wrong.
    pub(crate) fn compile(cf: Conf, source: &ngx_str_t) -> Option<Self> {
        // SAFETY: all-zero is what ngx_pcalloc() and ngx_memzero() give.
        let value = cf.allocate(unsafe { core::mem::zeroed::<ngx_http_complex_value_t>() });
        if value.is_null() {
            return None;
        }
        let mut source = cf.copy(source)?;
        // SAFETY: as above; the structure is used within this call only, and nginx keeps what it
        // compiles in the configuration's pool.
        let ok = unsafe {
            let mut ccv: ngx_http_compile_complex_value_t = core::mem::zeroed();
            ccv.cf = cf.as_ptr();
            ccv.value = &mut source;
            ccv.complex_value = value;
            ngx_http_compile_complex_value(&mut ccv) == NGX_OK as ngx_int_t
        };
        ok.then_some(Self(value))
    }

    /// The value for a request; `None` when out of memory.
    pub(crate) fn evaluate<'r>(self, request: Request) -> Option<&'r [u8]> {
        let mut value = ngx_str_t { len: 0, data: ptr::null_mut() };
        // SAFETY: the request is live; the value is in its pool.
        let rc = unsafe { ngx_http_complex_value(request.as_ptr(), self.0, &mut value) };
        (rc == NGX_OK as ngx_int_t).then(|| str_bytes(value))
    }
}
