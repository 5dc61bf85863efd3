//! This module's place in the tables of nginx.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use nginx_sys::ngx_module_t;

static MODULE: AtomicPtr<ngx_module_t> = AtomicPtr::new(ptr::null_mut());

/// Makes the module known, before there are requests; nginx has numbered it.
pub(crate) fn set(module: *mut ngx_module_t) {
    MODULE.store(module, Ordering::Relaxed);
}

/// Where configurations and contexts of the module are among those of all HTTP modules.
pub(super) fn index() -> usize {
    let module = MODULE.load(Ordering::Relaxed);
    // SAFETY: set before the first configuration was read; nginx writes to it only meanwhile.
    unsafe { (*module).ctx_index }
}
