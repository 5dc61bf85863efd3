//! Strings of nginx: a pointer and a length, of which somebody else owns the bytes.

use core::slice;

use nginx_sys::ngx_str_t;

/// The bytes of an nginx string, for as long as its pool lives.
pub(super) fn str_bytes<'r>(s: ngx_str_t) -> &'r [u8] {
    // SAFETY: nginx strings are valid for their length, or empty.
    unsafe { bytes_mut(s.data, s.len) }
}

/// An nginx string that refers to static memory; nginx does not write through it.
pub(crate) const fn static_str(s: &'static str) -> ngx_str_t {
    view(s.as_bytes())
}

/// A view of `s`, for functions of nginx that only read or copy it, or as long as `s` lives.
pub(super) const fn view(s: &[u8]) -> ngx_str_t {
    ngx_str_t { len: s.len(), data: s.as_ptr().cast_mut() }
}

/// # Safety
///
/// `data` and `len` describe readable and writable memory that nothing else refers to for `'a`.
pub(super) unsafe fn bytes_mut<'a>(data: *mut u8, len: usize) -> &'a mut [u8] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: by the contract of this function.
    unsafe { slice::from_raw_parts_mut(data, len) }
}
