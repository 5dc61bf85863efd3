//! Values with variables, such as the key of a zone.

use core::fmt;
use core::ptr;

use nginx_sys::{
    NGX_OK, ngx_http_compile_complex_value, ngx_http_compile_complex_value_t,
    ngx_http_complex_value, ngx_http_complex_value_t, ngx_int_t, ngx_str_t,
};

use super::config::Conf;
use super::exhausted::Exhausted;
use super::request::Request;
use super::string::str_bytes;

/// A compiled value; a handle as good as the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ComplexValue(*mut ngx_http_complex_value_t);

impl ComplexValue {
    /// Compiles `source`; `None` when nginx has logged what is wrong.
    pub(crate) fn compile(cf: Conf, source: &[u8]) -> Option<Self> {
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

    /// The value for a request.
    pub(crate) fn evaluate<'r>(self, request: Request) -> Result<&'r [u8], Exhausted> {
        let mut value = ngx_str_t { len: 0, data: ptr::null_mut() };
        // SAFETY: the request is live; the value is in its pool.
        let rc = unsafe { ngx_http_complex_value(request.as_ptr(), self.0, &mut value) };
        if rc == NGX_OK as ngx_int_t { Ok(str_bytes(value)) } else { Err(Exhausted::Memory) }
    }
}

/// As it was written.
impl fmt::Display for ComplexValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: the structure and its source are in the pool of the configuration.
        unsafe { (*self.0).value }.fmt(f)
    }
}
