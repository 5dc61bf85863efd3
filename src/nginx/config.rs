//! Reading directives: arguments, error messages, places to attach to.

pub(crate) mod block;

use core::ffi::{CStr, c_void};
use core::fmt;
use core::ptr;

use nginx_sys::{
    NGX_ERROR, NGX_LOG_EMERG, ngx_conf_log_error, ngx_conf_t, ngx_http_conf_ctx_t,
    ngx_http_core_loc_conf_t, ngx_http_core_module, ngx_http_handler_pt, ngx_parse_offset,
    ngx_parse_time, ngx_pool_cleanup_add, ngx_str_t,
};

use super::log::{self, Level};
use super::string::view;

/// A handle to the configuration being read, valid within one callback.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conf(*mut ngx_conf_t);

impl Conf {
    /// # Safety
    ///
    /// `cf` is what nginx passed to the callback that is running.
    pub(crate) const unsafe fn new(cf: *mut ngx_conf_t) -> Self {
        Self(cf)
    }

    pub(super) const fn as_ptr(self) -> *mut ngx_conf_t {
        self.0
    }

    /// Copies a string to memory that lives as long as the configuration.
    pub(super) fn copy(self, bytes: &[u8]) -> Option<ngx_str_t> {
        // SAFETY: cf->pool is live; what it returns is null or has room for the bytes.
        unsafe {
            let data: *mut u8 = nginx_sys::ngx_pnalloc((*self.0).pool, bytes.len()).cast();
            if data.is_null() {
                return None;
            }
            data.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            Some(ngx_str_t { len: bytes.len(), data })
        }
    }

    /// The arguments of the directive, without its name.
    pub(crate) fn args<'c>(self) -> impl Iterator<Item = &'c ngx_str_t> {
        // SAFETY: while a directive is set, cf->args is an array of ngx_str_t, the name first; it
        // lives until the next directive is read.
        unsafe {
            let args = &*(*self.0).args;
            core::slice::from_raw_parts(args.elts.cast::<ngx_str_t>(), args.nelts)
        }
        .iter()
        .skip(1)
    }

    /// The first argument.
    pub(crate) fn arg<'c>(self) -> &'c [u8] {
        self.args().next().map(ngx_str_t::as_bytes).unwrap_or_default()
    }

    /// The first argument as text.
    pub(crate) fn text_arg<'c>(self) -> &'c str {
        self.text_args().next().unwrap_or_default()
    }

    /// The arguments as text; what is not UTF-8 is the empty string, which no directive takes.
    pub(crate) fn text_args<'c>(self) -> impl Iterator<Item = &'c str> {
        self.args().map(|arg| arg.to_str().unwrap_or_default())
    }

    /// Logs `"name" directive message in file:line`, where the directive being read stands.
    pub(crate) fn error(self, name: &CStr, message: fmt::Arguments<'_>) {
        let text = message.to_string();
        // SAFETY: cf is live; "%*s" takes a size_t and that many bytes.
        unsafe {
            ngx_conf_log_error(
                NGX_LOG_EMERG as usize,
                self.0,
                0,
                c"\"%s\" directive %*s".as_ptr(),
                name.as_ptr(),
                text.len(),
                text.as_ptr(),
            );
        }
    }

    /// Logs `"name" directive message in place` for what shows only after reading.
    pub(crate) fn log_at(
        self,
        level: Level,
        name: &CStr,
        message: fmt::Arguments<'_>,
        place: &Place,
    ) {
        let name = name.to_string_lossy();
        self.log(level, format_args!("\"{name}\" directive {message} in {place}"));
    }

    /// Logs what is said of no place in particular.
    pub(crate) fn log(self, level: Level, message: fmt::Arguments<'_>) {
        // SAFETY: cf is live, and has the log of its cycle.
        unsafe { log::write((*self.0).log, level, message) };
    }

    /// Where the directive being read stands.
    pub(crate) fn place(self) -> Place {
        // SAFETY: conf_file is live while a directive is set.
        unsafe {
            let file = (*self.0).conf_file;
            Place { file: (*file).file.name.to_string(), line: (*file).line }
        }
    }

    /// Whether the location being read or merged has a content handler.
    pub(crate) fn has_content_handler(self) -> bool {
        // SAFETY: as in `set_content_handler`.
        unsafe { (*self.core_location()).handler.is_some() }
    }

    /// Whether `handler` is the content handler of the location being read or merged.
    pub(crate) fn is_content_handler(self, handler: ngx_http_handler_pt) -> bool {
        // SAFETY: as in `set_content_handler`.
        let found = unsafe { (*self.core_location()).handler };
        found.map(|found| found as usize) == handler.map(|handler| handler as usize)
    }

    /// Makes `handler` the content handler of the location being read or merged.
    pub(crate) fn set_content_handler(self, handler: ngx_http_handler_pt) {
        // SAFETY: nginx is single-threaded while it reads its configuration.
        unsafe { (*self.core_location()).handler = handler };
    }

    /// Whether the directive stands in the http block itself.
    pub(crate) fn is_http_block(self) -> bool {
        // SAFETY: cmd_type is plain data, set while a block is read.
        unsafe { (*self.0).cmd_type == nginx_sys::NGX_HTTP_MAIN_CONF as usize }
    }

    /// Whether what is being merged is the inside of an `if` or `limit_except`.
    pub(crate) fn is_nameless(self) -> bool {
        // SAFETY: as in `set_content_handler`.
        unsafe { (*self.core_location()).noname() != 0 }
    }

    fn core_location(self) -> *mut ngx_http_core_loc_conf_t {
        // SAFETY: in http, server and location blocks cf->ctx is an ngx_http_conf_ctx_t, whose
        // loc_conf has a place for every HTTP module.
        unsafe {
            let ctx: *mut ngx_http_conf_ctx_t = (*self.0).ctx.cast();
            (*(*ctx).loc_conf.add(ngx_http_core_module.ctx_index)).cast()
        }
    }

    /// Moves `value` to the heap for as long as the configuration lives; null when out of memory.
    pub(crate) fn allocate<T>(self, value: T) -> *mut T {
        /// # Safety
        ///
        /// `data` came from `Box::into_raw` of a `T`.
        unsafe extern "C" fn drop_box<T>(data: *mut c_void) {
            // SAFETY: by the contract of this function; the pool calls it once.
            drop(unsafe { Box::from_raw(data.cast::<T>()) });
        }
        // SAFETY: cf->pool is live; size 0 allocates no data.
        unsafe {
            let entry = ngx_pool_cleanup_add((*self.0).pool, 0);
            if entry.is_null() {
                return ptr::null_mut();
            }
            let value = Box::into_raw(Box::new(value));
            (*entry).handler = Some(drop_box::<T>);
            (*entry).data = value.cast();
            value
        }
    }
}

/// A line of a configuration file.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    file: String,
    line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// nginx's sizes: bytes, `k`, `m` or `g`.
pub(crate) fn parse_size(text: &[u8]) -> Option<u64> {
    let mut text = view(text);
    // SAFETY: the parser only reads the string.
    u64::try_from(unsafe { ngx_parse_offset(&mut text) }).ok()
}

/// nginx's times: `ms`, `s`, `m`, `h`, `d`, `w`, `M`, `y` and sums of them, in milliseconds.
pub(crate) fn parse_msec(text: &[u8]) -> Option<u64> {
    let mut text = view(text);
    // SAFETY: the parser only reads the string.
    let msec = unsafe { ngx_parse_time(&mut text, 0) };
    if msec == NGX_ERROR as isize { None } else { u64::try_from(msec).ok() }
}
