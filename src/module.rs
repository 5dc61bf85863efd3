//! The tables nginx reads when it loads the module.

use core::ffi::{CStr, c_char};
use core::ptr;

use nginx_sys::{
    NGX_ERROR, NGX_HTTP_MODULE, NGX_OK, ngx_conf_t, ngx_http_module_t, ngx_int_t, ngx_module_t,
    ngx_uint_t,
};

use crate::conf::COMMANDS;
use crate::conf::location::LocationConf;
use crate::handler::variables::VARIABLES;
use crate::nginx::config::block;
use crate::nginx::virtual_request::filters;
use crate::nginx::{content, module};

static CONTEXT: ngx_http_module_t = ngx_http_module_t {
    preconfiguration: Some(preconfigure),
    postconfiguration: Some(install_filters),
    create_main_conf: Some(block::create_http::<LocationConf>),
    init_main_conf: Some(block::init_http::<LocationConf>),
    create_srv_conf: None,
    merge_srv_conf: None,
    create_loc_conf: Some(block::create_location::<LocationConf>),
    merge_loc_conf: Some(block::merge_location::<LocationConf>),
};

/// The module, under the name nginx's own build system expects.
#[cfg_attr(not(feature = "export-modules"), unsafe(no_mangle))]
#[allow(non_upper_case_globals)]
pub(crate) static mut ngx_http_ws_module: ngx_module_t = ngx_module_t {
    ctx: ptr::from_ref(&CONTEXT).cast_mut().cast(),
    commands: (&raw mut COMMANDS).cast(),
    type_: NGX_HTTP_MODULE as ngx_uint_t,
    ..ngx_module_t::default()
};

unsafe extern "C" fn preconfigure(cf: *mut ngx_conf_t) -> ngx_int_t {
    module::set(&raw mut ngx_http_ws_module);
    for (name, getter) in VARIABLES {
        // SAFETY: nginx passes its configuration.
        if unsafe { content::add_variable(cf, name, getter) } != NGX_OK as ngx_int_t {
            return NGX_ERROR as ngx_int_t;
        }
    }
    NGX_OK as ngx_int_t
}

unsafe extern "C" fn install_filters(_: *mut ngx_conf_t) -> ngx_int_t {
    filters::install();
    NGX_OK as ngx_int_t
}

const NAME: &CStr = c"ngx_http_ws_module";

/// A null-terminated list of names.
#[repr(transparent)]
struct Names<const N: usize>([*const c_char; N]);

// SAFETY: an immutable list of pointers to static strings.
unsafe impl<const N: usize> Sync for Names<N> {}

#[cfg(feature = "export-modules")]
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
static mut ngx_modules: [*const ngx_module_t; 2] = [&raw const ngx_http_ws_module, ptr::null()];

#[cfg(feature = "export-modules")]
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
static ngx_module_names: Names<2> = Names([NAME.as_ptr(), ptr::null()]);

/// Puts the module right before ngx_http_range_header_filter_module in nginx's table.  Filters run
/// from the end of the table, so the capture sees responses after all that make them, and before
/// HTTP/2, chunked and header filters write them.  Elsewhere in the table nothing else would change.
#[cfg(feature = "export-modules")]
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
static ngx_module_order: Names<3> =
    Names([NAME.as_ptr(), c"ngx_http_range_header_filter_module".as_ptr(), ptr::null()]);
