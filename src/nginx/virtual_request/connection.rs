//! The virtual connection of a message: an entry of nginx's connection table that shares the
//! client's descriptor and never touches it.

use core::ffi::{c_char, c_void};
use core::ptr::{self, NonNull};
use std::sync::OnceLock;

use nginx_sys::{
    NGX_AGAIN, ngx_atomic_t, ngx_buf_t, ngx_chain_t, ngx_close_connection, ngx_connection_t,
    ngx_create_pool, ngx_destroy_pool, ngx_get_connection, ngx_http_connection_t,
    ngx_http_core_module, ngx_http_core_srv_conf_t, ngx_http_log_ctx_t, ngx_http_request_t,
    ngx_log_t, ngx_pcalloc, ngx_pool_cleanup_add, ngx_pool_cleanup_t, ngx_pool_t, ngx_str_t,
};

use super::sink::Sink;
use crate::nginx::exhausted::Exhausted;
use crate::nginx::request::Request;

/// Lives in the pool of the virtual connection.  `hc` comes first: nginx sees only that.
#[repr(C)]
pub(super) struct Context {
    hc: ngx_http_connection_t,
    sink: NonNull<Sink>,
    log: ngx_log_t,
    log_ctx: ngx_http_log_ctx_t,
    header_in: ngx_buf_t,
}

/// The sink of a request on a virtual connection; `None` on any other.
///
/// # Safety
///
/// `r` is a live request.
pub(super) unsafe fn sink_of(r: *mut ngx_http_request_t) -> Option<NonNull<Sink>> {
    // SAFETY: by the contract of this function; a connection that has our `recv` was made by
    // `connect`, so its http_connection is the head of a Context.
    unsafe {
        let ours: unsafe extern "C" fn(*mut ngx_connection_t, *mut u8, usize) -> isize = recv;
        if (*(*r).connection).recv.map(|f| f as usize) != Some(ours as usize) {
            return None;
        }
        // A subrequest has no http_connection.
        Some((*(*(*r).main).http_connection.cast::<Context>()).sink)
    }
}

/// Makes the virtual connection.
///
/// # Safety
///
/// `client` and `sink` are live.
pub(super) unsafe fn connect(
    client: Request,
    sink: NonNull<Sink>,
) -> Result<*mut ngx_connection_t, Exhausted> {
    // SAFETY: by the contract of this function; what is made here lives in the new connection's
    // pool.
    unsafe {
        let parent = client.connection().as_ptr();
        let pool = ngx_create_pool(1024, (*parent).log);
        if pool.is_null() {
            return Err(Exhausted::Memory);
        }
        let Some(parts) = allocate(pool, parent) else {
            ngx_destroy_pool(pool);
            return Err(Exhausted::Memory);
        };
        // NULL, with an alert in the log, when `worker_connections` are used up.
        let c = ngx_get_connection((*parent).fd, (*parent).log);
        if c.is_null() {
            ngx_destroy_pool(pool);
            return Err(Exhausted::Connections);
        }
        (*c).pool = pool;
        set_log(c, parent, parts.context);
        set_context(c, client, parts.context, sink);
        set_addresses(c, parent, &parts);
        inherit(c, parent);
        silence(c);
        (*parts.cleanup).handler = Some(on_closed);
        (*parts.cleanup).data = sink.as_ptr().cast();
        (*sink.as_ptr()).connection = c;
        if let Some(active) = stat_active() {
            (*active).fetch_add(1);
        }
        Ok(c)
    }
}

/// What is allocated before there is a connection, so that nothing can fail behind it.
struct Parts {
    context: *mut Context,
    cleanup: *mut ngx_pool_cleanup_t,
    sockaddr: *mut c_void,
    text: *mut u8,
}

/// # Safety
///
/// `pool` and `parent` are live.
unsafe fn allocate(pool: *mut ngx_pool_t, parent: *mut ngx_connection_t) -> Option<Parts> {
    // SAFETY: by the contract of this function; each is null or zeroed memory of the given size.
    unsafe {
        let parts = Parts {
            context: ngx_pcalloc(pool, size_of::<Context>()).cast(),
            cleanup: ngx_pool_cleanup_add(pool, 0),
            sockaddr: ngx_pcalloc(pool, (*parent).socklen as usize),
            text: ngx_pcalloc(pool, (*parent).addr_text.len).cast(),
        };
        let failed = parts.context.is_null()
            || parts.cleanup.is_null()
            || parts.sockaddr.is_null()
            || parts.text.is_null();
        (!failed).then_some(parts)
    }
}

/// A log of its own, with the client's number in it.
///
/// # Safety
///
/// All are live; `context` is in the pool of `c`.
unsafe fn set_log(c: *mut ngx_connection_t, parent: *mut ngx_connection_t, context: *mut Context) {
    // SAFETY: by the contract of this function.
    unsafe {
        let log = &raw mut (*context).log;
        *log = *(*parent).log;
        (*log).connection = (*parent).number;
        (*log).data = (&raw mut (*context).log_ctx).cast();
        (*log).action = ptr::null_mut();
        (*context).log_ctx.connection = c;
        (*(*c).pool).log = log;
        (*c).log = log;
        (*(*c).read).log = log;
        (*(*c).write).log = log;
        (*c).set_log_error((*parent).log_error());
    }
}

/// What nginx knows of a connection with HTTP on it: the server, and whose sink it is.
///
/// # Safety
///
/// As for [`set_log`]; `client` is live.
unsafe fn set_context(
    c: *mut ngx_connection_t,
    client: Request,
    context: *mut Context,
    sink: NonNull<Sink>,
) {
    // SAFETY: by the contract of this function; the request has a server of its own by now.
    unsafe {
        let r = client.as_ptr();
        let cscf: *const ngx_http_core_srv_conf_t =
            (*(*r).srv_conf.add(ngx_http_core_module.ctx_index)).cast();
        let hc = &raw mut (*context).hc;
        *hc = *(*r).http_connection;
        (*hc).conf_ctx = (*cscf).ctx;
        (*hc).busy = ptr::null_mut();
        (*hc).nbusy = 0;
        (*hc).free = ptr::null_mut();
        // The client's certificate was checked at the handshake.
        (*hc).set_ssl(0);
        (*context).sink = sink;
        (*c).data = hc.cast();
        (*c).buffer = &raw mut (*context).header_in;
    }
}

/// Addresses are copies: realip restores the parent's when the parent ends, and ours must not follow.
///
/// # Safety
///
/// As for [`set_log`]; `parts` were made for this parent.
unsafe fn set_addresses(c: *mut ngx_connection_t, parent: *mut ngx_connection_t, parts: &Parts) {
    // SAFETY: by the contract of this function; the copies are as long as what is copied.
    unsafe {
        (*c).sockaddr = parts.sockaddr.cast();
        (*c).socklen = (*parent).socklen;
        ptr::copy_nonoverlapping(
            (*parent).sockaddr.cast::<u8>(),
            parts.sockaddr.cast(),
            (*parent).socklen as usize,
        );
        let text = (*parent).addr_text;
        if text.len > 0 {
            ptr::copy_nonoverlapping(text.data, parts.text, text.len);
        }
        (*c).addr_text = ngx_str_t { len: text.len, data: parts.text };
        (*c).local_sockaddr = (*parent).local_sockaddr;
        (*c).local_socklen = (*parent).local_socklen;
        (*c).proxy_protocol = (*parent).proxy_protocol;
    }
}

/// Number, age and options are those of the descriptor, which is the parent's.
///
/// # Safety
///
/// As for [`set_log`].
unsafe fn inherit(c: *mut ngx_connection_t, parent: *mut ngx_connection_t) {
    // SAFETY: by the contract of this function.
    unsafe {
        (*c).listening = (*parent).listening;
        (*c).type_ = (*parent).type_;
        (*c).number = (*parent).number;
        (*c).start_time = (*parent).start_time;
        // ngx_http_create_request() adds one, as it did for the handshake.
        (*c).requests = (*parent).requests;
        (*parent).requests += 1;
        // What was settled for the descriptor; a Unix socket has no such options.
        (*c).set_tcp_nodelay((*parent).tcp_nodelay());
        (*c).set_tcp_nopush((*parent).tcp_nopush());
    }
}

/// Nothing is read, written, or asked of epoll.
///
/// # Safety
///
/// `c` is live and nobody's yet.
unsafe fn silence(c: *mut ngx_connection_t) {
    // SAFETY: by the contract of this function.
    unsafe {
        // Core closes neither the descriptor of a shared connection nor its events.
        (*c).set_shared(1);
        (*c).recv = Some(recv);
        (*c).send = Some(send);
        (*c).recv_chain = None;
        (*c).send_chain = Some(send_chain);
        // No event of this connection may reach epoll, and it can always be written to.
        (*(*c).read).set_active(1);
        (*(*c).write).set_active(1);
        (*(*c).write).set_ready(1);
        // Straight to ngx_http_close_request(): no keepalive, no lingering.
        (*(*c).read).set_eof(1);
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
    let Some(sink) = NonNull::new(data.cast::<Sink>()) else { return };
    // SAFETY: set by `connect`; the session keeps the sink until this has run, and nginx the
    // structures of the connection for ever.
    unsafe {
        // nginx turns this bit with each use of a slot, and drops events that have the other one:
        // they are of the connection before.  Two uses within one round of the event loop would
        // turn it back, so a virtual connection, for which no event is ever due, leaves it as it
        // was.
        let c = (*sink.as_ptr()).connection;
        let instance = 1 - (*(*c).read).instance();
        (*(*c).read).set_instance(instance);
        (*(*c).write).set_instance(instance);
        Sink::finish(sink);
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
