//! The module's own structures in nginx's configuration, and what nginx calls to make them, to fill
//! them in and to merge them.

use core::any::Any;
use core::ffi::{CStr, c_char, c_void};
use core::ptr;

use nginx_sys::{
    NGX_HTTP_LOC_CONF_OFFSET, ngx_command_t, ngx_conf_t, ngx_http_conf_ctx_t, ngx_str_t,
};

use super::Conf;
use crate::nginx::module;
use crate::nginx::request::Request;

/// What is said in a block, `None` where nothing is, and how that is put together.
pub(crate) trait Said: Default + 'static {
    /// What is said once for all of http.
    type Http: Default + 'static;
    /// What a location amounts to, for requests.
    type Settings: 'static;

    /// All blocks are read.
    fn complete_http(cf: Conf, http: &mut Self::Http) -> Result<(), Logged>;

    /// Takes over from the block around what this one does not say.
    fn complete(
        &mut self,
        cf: Conf,
        http: &Self::Http,
        around: &Self,
    ) -> Result<Self::Settings, Logged>;
}

/// Something keeps nginx from starting, and the log says what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Logged;

/// What is wrong with a directive.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// To be logged as `"name" directive ... in file:line`.
    Directive(String),
    Logged,
}

impl From<Logged> for Wrong {
    fn from(_: Logged) -> Self {
        Self::Logged
    }
}

/// A directive that is being read, and what it can change.
pub(crate) struct Block<'b, S: Said> {
    pub(crate) cf: Conf,
    /// The name of the directive.
    pub(crate) name: &'static CStr,
    pub(crate) http: &'b mut S::Http,
    pub(crate) location: &'b mut S,
}

/// What a directive does.
pub(crate) type Set<S> = fn(&mut Block<'_, S>) -> Result<(), Wrong>;

/// The configuration of a location, of a server or of http, as nginx keeps it.
#[repr(C)]
struct Kept<S> {
    /// First, because requests know nothing of `S`.
    settings: Option<Box<dyn Any>>,
    said: S,
}

const OK: *mut c_char = ptr::null_mut();
const ERROR: *mut c_char = usize::MAX as *mut c_char;

/// A row of the table of directives.
pub(crate) const fn row<S: Said>(
    name: &'static CStr,
    contexts_and_arguments: u32,
    set: &'static Set<S>,
) -> ngx_command_t {
    ngx_command_t {
        name: ngx_str_t { len: name.count_bytes(), data: name.as_ptr().cast_mut().cast() },
        type_: contexts_and_arguments as usize,
        set: Some(read::<S>),
        conf: NGX_HTTP_LOC_CONF_OFFSET,
        offset: 0,
        post: ptr::from_ref(set).cast_mut().cast(),
    }
}

/// What the table ends with.
pub(crate) const END: ngx_command_t = ngx_command_t {
    name: ngx_str_t::empty(),
    type_: 0,
    set: None,
    conf: 0,
    offset: 0,
    post: ptr::null_mut(),
};

/// `ngx_command_t.set` of all directives.
unsafe extern "C" fn read<S: Said>(
    cf: *mut ngx_conf_t,
    cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes the row it has found the directive in, and `row` has filled that in for
    // the same `S`.
    let (name, set) = unsafe {
        (CStr::from_ptr((*cmd).name.data.cast()), &*(*cmd).post.cast_const().cast::<Set<S>>())
    };
    // SAFETY: nginx passes its configuration, and for rows with this `conf` the structure that
    // `create_location` made for the block; nobody else has a reference to either.
    let (cf, http, kept) =
        unsafe { (Conf::new(cf), &mut *http_of::<S>(cf), &mut *conf.cast::<Kept<S>>()) };
    match set(&mut Block { cf, name, http, location: &mut kept.said }) {
        Ok(()) => OK,
        Err(Wrong::Directive(message)) => {
            cf.error(name, format_args!("{message}"));
            ERROR
        }
        Err(Wrong::Logged) => ERROR,
    }
}

/// # Safety
///
/// `cf` is that of a callback within http.
unsafe fn http_of<S: Said>(cf: *mut ngx_conf_t) -> *mut S::Http {
    // SAFETY: by the contract of this function `ctx` is that of http, and main_conf has a place for
    // every HTTP module; ours is what `create_http` made.
    unsafe {
        let ctx: *mut ngx_http_conf_ctx_t = (*cf).ctx.cast();
        (*(*ctx).main_conf.add(module::index())).cast()
    }
}

/// `create_main_conf` of the module context.
pub(crate) unsafe extern "C" fn create_http<S: Said>(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: nginx passes its configuration.
    unsafe { Conf::new(cf) }.allocate(S::Http::default()).cast()
}

/// `init_main_conf` of the module context.
pub(crate) unsafe extern "C" fn init_http<S: Said>(
    cf: *mut ngx_conf_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, and what `create_http` made.
    let (cf, http) = unsafe { (Conf::new(cf), &mut *conf.cast::<S::Http>()) };
    match S::complete_http(cf, http) {
        Ok(()) => OK,
        Err(Logged) => ERROR,
    }
}

/// `create_loc_conf` of the module context.
pub(crate) unsafe extern "C" fn create_location<S: Said>(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: nginx passes its configuration.
    unsafe { Conf::new(cf) }.allocate(Kept { settings: None, said: S::default() }).cast()
}

/// `merge_loc_conf` of the module context.
pub(crate) unsafe extern "C" fn merge_location<S: Said>(
    cf: *mut ngx_conf_t,
    around: *mut c_void,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: nginx passes its configuration, and two different structures that `create_location`
    // made; what `create_http` made is a third one.
    let (cf, http, around, kept) = unsafe {
        (
            Conf::new(cf),
            &*http_of::<S>(cf),
            &*around.cast::<Kept<S>>(),
            &mut *conf.cast::<Kept<S>>(),
        )
    };
    match kept.said.complete(cf, http, &around.said) {
        Ok(settings) => {
            kept.settings = Some(Box::new(settings));
            OK
        }
        Err(Logged) => ERROR,
    }
}

/// The settings of the location that a request is in, if they are of this type.
pub(crate) fn settings<T: 'static>(request: Request) -> Option<&'static T> {
    request.location_conf::<Option<Box<dyn Any>>>()?.as_ref()?.downcast_ref()
}
