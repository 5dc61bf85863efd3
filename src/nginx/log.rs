//! nginx's error log.

use core::fmt;

use nginx_sys::{
    NGX_LOG_ALERT, NGX_LOG_EMERG, NGX_LOG_ERR, NGX_LOG_INFO, NGX_LOG_WARN, ngx_log_error_core,
    ngx_log_t,
};

/// How bad it is, by culprit: nginx's levels as this module uses them.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum Level {
    /// A configuration that cannot be used.
    Emerg = NGX_LOG_EMERG,
    /// A bug or an exhausted resource of ours.
    Alert = NGX_LOG_ALERT,
    /// The configuration may be at fault, or somebody attacks.
    Error = NGX_LOG_ERR,
    /// A configuration that does not do what it seems to.
    Warn = NGX_LOG_WARN,
    /// The client is at fault, or nobody.
    Info = NGX_LOG_INFO,
}

/// Writes one line, unless the level is not logged.
///
/// # Safety
///
/// `log` points to a live log.
pub(super) unsafe fn write(log: *mut ngx_log_t, level: Level, message: fmt::Arguments<'_>) {
    // SAFETY: by the contract of this function.
    if unsafe { (*log).log_level } < level as usize {
        return;
    }
    let text = message.to_string();
    // SAFETY: `log` is live; "%*s" takes a size_t and that many bytes, which nginx copies.
    unsafe {
        ngx_log_error_core(level as usize, log, 0, c"%*s".as_ptr(), text.len(), text.as_ptr());
    }
}
