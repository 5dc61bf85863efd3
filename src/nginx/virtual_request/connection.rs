//! The virtual connection of a message: an entry of nginx's connection table that shares the
//! client's descriptor and never touches it.

use core::ffi::{c_char, c_void};
use core::ptr::{self, NonNull};
use std::sync::OnceLock;

use nginx_sys::{
    NGX_AGAIN, ngx_atomic_t, ngx_buf_t, ngx_chain_t, ngx_close_connection, ngx_connection_t,
    ngx_create_pool, ngx_destroy_pool, ngx_get_connection, ngx_http_connection_t,
    ngx_http_core_module, ngx_http_core_srv_conf_t, ngx_http_log_ctx_t, ngx_http_request_t,
    ngx_log_t, ngx_pcalloc, ngx_pool_cleanup_add, ngx_str_t,
};

use crate::nginx::capture::Capture;
use crate::nginx::request::{NoMemory, Request};

/// Lives in the pool of the virtual connection.  `hc` comes first: nginx sees only that.
#[repr(C)]
pub(super) struct Context {
    hc: ngx_http_connection_t,
    pub(super) capture: NonNull<Capture>,
    log: ngx_log_t,
    log_ctx: ngx_http_log_ctx_t,
    header_in: ngx_buf_t,
}

/// The capture of a request on a virtual connection; `None` on any other.
///
/// # Safety
///
/// `r` is a live request.
pub(super) unsafe fn capture_of(r: *mut ngx_http_request_t) -> Option<NonNull<Capture>> {
    // SAFETY: by the contract of this function; a connection that has our `recv` was made by
    // `connect`, so its http_connection is the head of a Context.
    unsafe {
        let ours: unsafe extern "C" fn(*mut ngx_connection_t, *mut u8, usize) -> isize = recv;
        if (*(*r).connection).recv.map(|f| f as usize) != Some(ours as usize) {
            return None;
        }
        // A subrequest has no http_connection.
        Some((*(*(*r).main).http_connection.cast::<Context>()).capture)
    }
}

/// Makes the virtual connection.
///
/// # Safety
///
/// `client` and `capture` are live.
pub(super) unsafe fn connect(
    client: Request,
    capture: NonNull<Capture>,
) -> Result<*mut ngx_connection_t, NoMemory> {
    // SAFETY: by the contract of this function; every structure made here is zeroed and then
    // filled, and lives in the new connection's pool.
    unsafe {
        let parent_r = client.as_ptr();
        let parent = client.connection().as_ptr();

        let pool = ngx_create_pool(1024, (*parent).log);
        if pool.is_null() {
            return Err(NoMemory);
        }
        let context: *mut Context = ngx_pcalloc(pool, size_of::<Context>()).cast();
        let cleanup = ngx_pool_cleanup_add(pool, 0);
        let address = ngx_pcalloc(pool, (*parent).socklen as usize);
        let text: *mut u8 = ngx_pcalloc(pool, (*parent).addr_text.len).cast();
        if context.is_null() || cleanup.is_null() || address.is_null() || text.is_null() {
            ngx_destroy_pool(pool);
            return Err(NoMemory);
        }
        // NULL, with an alert in the log, when `worker_connections` are used up.
        let c = ngx_get_connection((*parent).fd, (*parent).log);
        if c.is_null() {
            ngx_destroy_pool(pool);
            return Err(NoMemory);
        }

        let log = &raw mut (*context).log;
        *log = *(*parent).log;
        (*log).connection = (*parent).number;
        (*log).data = (&raw mut (*context).log_ctx).cast();
        (*log).action = ptr::null_mut();
        (*context).log_ctx.connection = c;
        (*pool).log = log;

        let cscf: *const ngx_http_core_srv_conf_t =
            (*(*parent_r).srv_conf.add(ngx_http_core_module.ctx_index)).cast();
        (*context).hc = *(*parent_r).http_connection;
        (*context).hc.conf_ctx = (*cscf).ctx;
        (*context).hc.busy = ptr::null_mut();
        (*context).hc.nbusy = 0;
        (*context).hc.free = ptr::null_mut();
        // The client's certificate was checked at the handshake.
        (*context).hc.set_ssl(0);
        (*context).capture = capture;

        // Core closes neither the descriptor of a shared connection nor its events.
        (*c).set_shared(1);
        (*c).pool = pool;
        (*c).log = log;
        (*(*c).read).log = log;
        (*(*c).write).log = log;
        (*c).data = (&raw mut (*context).hc).cast();
        (*c).buffer = &raw mut (*context).header_in;
        (*c).recv = Some(recv);
        (*c).send = Some(send);
        (*c).recv_chain = None;
        (*c).send_chain = Some(send_chain);
        (*c).listening = (*parent).listening;
        (*c).type_ = (*parent).type_;
        (*c).number = (*parent).number;
        (*c).start_time = (*parent).start_time;
        // ngx_http_create_request() adds one, as it did for the handshake.
        (*c).requests = (*parent).requests;
        (*parent).requests += 1;
        (*c).set_log_error((*parent).log_error());
        // What was settled for the descriptor; a Unix socket has no such options.
        (*c).set_tcp_nodelay((*parent).tcp_nodelay());
        (*c).set_tcp_nopush((*parent).tcp_nopush());
        // realip restores the parent's address when the parent ends; ours must not follow it.
        (*c).sockaddr = address.cast();
        (*c).socklen = (*parent).socklen;
        ptr::copy_nonoverlapping(
            (*parent).sockaddr.cast::<u8>(),
            address.cast(),
            (*parent).socklen as usize,
        );
        ptr::copy_nonoverlapping((*parent).addr_text.data, text, (*parent).addr_text.len);
        (*c).addr_text = ngx_str_t { len: (*parent).addr_text.len, data: text };
        (*c).local_sockaddr = (*parent).local_sockaddr;
        (*c).local_socklen = (*parent).local_socklen;
        (*c).proxy_protocol = (*parent).proxy_protocol;

        // No event of this connection may reach epoll, and it can always be written to.
        (*(*c).read).set_active(1);
        (*(*c).write).set_active(1);
        (*(*c).write).set_ready(1);
        // Straight to ngx_http_close_request(): no keepalive, no lingering.
        (*(*c).read).set_eof(1);

        (*cleanup).handler = Some(on_closed);
        (*cleanup).data = capture.as_ptr().cast();
        (*capture.as_ptr()).client = parent;
        (*capture.as_ptr()).connection = c;
        if let Some(active) = stat_active() {
            (*active).fetch_add(1);
        }
        Ok(c)
    }
}

/// Closes a virtual connection that never got a request.
///
/// # Safety
///
/// `c` was made by [`connect`].
pub(super) unsafe fn discard(c: *mut ngx_connection_t) {
    // SAFETY: by the contract of this function.
    unsafe {
        if let Some(active) = stat_active() {
            (*active).fetch_add(-1);
        }
        let pool = (*c).pool;
        ngx_close_connection(c);
        ngx_destroy_pool(pool);
    }
}

/// The last thing that happens to a virtual connection, however its request ended.
unsafe extern "C" fn on_closed(data: *mut c_void) {
    if let Some(capture) = NonNull::new(data.cast::<Capture>()) {
        // SAFETY: set by `connect`; the session keeps capture and client until this has run.
        unsafe { Capture::finish(capture) };
    }
}

/// Nothing ever arrives.
unsafe extern "C" fn recv(_: *mut ngx_connection_t, _: *mut u8, _: usize) -> isize {
    NGX_AGAIN as isize
}

/// What is written past the filters (a "100 Continue") has no reader.
unsafe extern "C" fn send(_: *mut ngx_connection_t, _: *mut u8, size: usize) -> isize {
    size as isize
}

/// As [`send`]: takes the whole chain.
unsafe extern "C" fn send_chain(
    _: *mut ngx_connection_t,
    _: *mut ngx_chain_t,
    _: i64,
) -> *mut ngx_chain_t {
    ptr::null_mut()
}

/// nginx's counter of connections, which ngx_http_close_connection() decrements; it exists only in
/// builds with stub_status, so linking to it would make the module unloadable in others.
fn stat_active() -> Option<*const StatCounter> {
    static ADDRESS: OnceLock<usize> = OnceLock::new();
    let address = *ADDRESS.get_or_init(|| {
        const NAME: *const c_char = c"ngx_stat_active".as_ptr();
        // SAFETY: the name is a C string.
        unsafe { libc::dlsym(libc::RTLD_DEFAULT, NAME) as usize }
    });
    if address == 0 {
        return None;
    }
    // SAFETY: `ngx_atomic_t *ngx_stat_active` of nginx, set at start to memory that all workers
    // share.
    let counter = unsafe { *(address as *const *mut ngx_atomic_t) };
    Some(counter.cast::<StatCounter>().cast_const())
}

/// An `ngx_atomic_t` shared with other workers.
#[repr(transparent)]
struct StatCounter(core::sync::atomic::AtomicIsize);

impl StatCounter {
    fn fetch_add(&self, n: isize) {
        self.0.fetch_add(n, core::sync::atomic::Ordering::Relaxed);
    }
}
