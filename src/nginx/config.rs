//! Reading directives: arguments, error messages, places to attach to.

use core::ffi::{CStr, c_char, c_void};
use core::fmt;
use core::ptr;

use nginx_sys::{
    NGX_ERROR, NGX_LOG_EMERG, ngx_command_t, ngx_conf_log_error, ngx_conf_t, ngx_http_conf_ctx_t,
    ngx_http_core_loc_conf_t, ngx_http_core_module, ngx_http_handler_pt, ngx_parse_offset,
    ngx_parse_time, ngx_pool_cleanup_add, ngx_str_t,
};

/// What a setter returns when all is well (`NGX_CONF_OK`).
pub(crate) const OK: *mut c_char = ptr::null_mut();
/// What a setter returns when it has logged what is wrong (`NGX_CONF_ERROR`).
pub(crate) const ERROR: *mut c_char = usize::MAX as *mut c_char;
/// nginx prints `"name" directive` before and ` in file:line` behind such a fragment.
pub(crate) const DUPLICATE: *mut c_char = c"is duplicate".as_ptr().cast_mut();

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
    pub(super) fn copy(self, s: &ngx_str_t) -> Option<ngx_str_t> {
        // SAFETY: cf->pool is live; what it returns is not null holds `s.len` bytes.
        unsafe {
            let data: *mut u8 = nginx_sys::ngx_pnalloc((*self.0).pool, s.len).cast();
            if data.is_null() {
                return None;
            }
            data.copy_from_nonoverlapping(s.data, s.len);
            Some(ngx_str_t { len: s.len, data })
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

    /// The arguments as text; what is not UTF-8 is the empty string, which no directive takes.
    pub(crate) fn text_args<'c>(self) -> impl Iterator<Item = &'c str> {
        self.args().map(|arg| arg.to_str().unwrap_or_default())
    }

    /// Logs `"name" directive message in file:line` and returns [`ERROR`].
    pub(crate) fn error(self, name: &CStr, message: fmt::Arguments<'_>) -> *mut c_char {
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
        ERROR
    }

    /// Logs `"name" directive message in place` for a mistake that shows only after reading.
    pub(crate) fn error_at(
        self,
        name: &CStr,
        message: fmt::Arguments<'_>,
        place: &Place,
    ) -> *mut c_char {
        let text = format!("{message} in {place}");
        // SAFETY: cf and its log are live; see `error`.
        unsafe {
            nginx_sys::ngx_log_error_core(
                NGX_LOG_EMERG as usize,
                (*self.0).log,
                0,
                c"\"%s\" directive %*s".as_ptr(),
                name.as_ptr(),
                text.len(),
                text.as_ptr(),
            );
        }
        ERROR
    }

    /// Where the directive being read stands.
    pub(crate) fn place(self) -> Place {
        // SAFETY: conf_file is live while a directive is set.
        unsafe {
            let file = (*self.0).conf_file;
            Place { file: (*file).file.name.to_string(), line: (*file).line }
        }
    }

    /// The content handler of the location being read or merged.
    pub(crate) fn content_handler(self) -> ngx_http_handler_pt {
        // SAFETY: as in `set_content_handler`.
        unsafe { (*self.core_location()).handler }
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

/// The name of the directive that `cmd` describes.
pub(crate) fn name<'c>(cmd: &ngx_command_t) -> &'c CStr {
    // SAFETY: names in the command table are C strings, as ngx_string() makes them.
    unsafe { CStr::from_ptr(cmd.name.data.cast()) }
}

/// nginx's sizes: bytes, `k`, `m` or `g`.
pub(crate) fn parse_size(arg: &ngx_str_t) -> Option<u64> {
    let mut arg = *arg;
    // SAFETY: the parser only reads the string.
    u64::try_from(unsafe { ngx_parse_offset(&mut arg) }).ok()
}

/// nginx's times: `ms`, `s`, `m`, `h`, `d`, `w`, `M`, `y` and sums of them, in milliseconds.
pub(crate) fn parse_msec(arg: &ngx_str_t) -> Option<u64> {
    let mut arg = *arg;
    // SAFETY: the parser only reads the string.
    let msec = unsafe { ngx_parse_time(&mut arg, 0) };
    if msec == NGX_ERROR as isize { None } else { u64::try_from(msec).ok() }
}
