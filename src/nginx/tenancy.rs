//! Who owns a client's connection: taking it over from nginx, being called, giving it back.
//!
//! nginx's core keeps a hand on a connection that was taken over.  It holds two pairs of handlers,
//! those of the connection's events and those of the request, and resets the first pair when a
//! subrequest of the upgraded request (`mirror`) ends with an error
//! (`ngx_http_finalize_request()`); it ends the whole request when a subrequest ends in a worse
//! way (`ngx_http_terminate_request()`).  So a tenancy
//!
//! - sets both pairs, and each entry sets them again: whichever nginx calls, the tenant is called;
//! - holds the request by `r->blocked`, as nginx's own file threads do: no path of nginx frees a
//!   request that is blocked, so no call of a socket can outlive what it refers to;
//! - adds a cleanup to the request, which `ngx_http_terminate_request()` runs first, and which wakes
//!   the tenant: it undoes what it can, and goes on or ends in its own way.
//!
//! This folder is the only one that writes to handlers of a client's connection.

mod hold;

use core::ffi::c_void;
use core::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nginx_sys::{
    NGX_DONE, NGX_HTTP_CLIENT_CLOSED_REQUEST, NGX_OK, ngx_connection_t, ngx_event_handler_pt,
    ngx_event_t, ngx_http_cleanup_add, ngx_http_event_handler_pt, ngx_http_finalize_request,
    ngx_http_request_t, ngx_http_run_posted_requests, ngx_int_t, ngx_pool_cleanup_t,
    ngx_post_event, ngx_posted_events, ngx_tcp_nodelay,
};

use self::hold::{hold_events, hold_request, set_handlers, stock_handler};
use super::connection::Connection;
use super::exhausted::Exhausted;
use super::log::Level;
use super::module;
use super::request::Request;
use super::waker::{Registration, Waker};
use crate::proto::endpoint::facts::Facts;

/// Whoever uses a connection that nginx has given away.
pub(crate) trait Tenant {
    /// Serves an event of the connection, or a call of its [`Waker`]; `Some` when it is over.
    fn on_event(&mut self, turn: &Turn<'_>) -> Option<End>;

    /// Ends the tenancy after a bug; `Some` when it is over.
    fn give_up(&mut self, turn: &Turn<'_>) -> Option<End>;

    /// What is known of the connection, for the log and for variables.
    fn facts(&self) -> &Facts;
}

/// How a tenancy ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// Both sides have closed: close TCP.
    Clean,
    /// The peer may still be sending: close our direction, read what comes for so many seconds at
    /// most, so that no reset overtakes our Close frame.
    Linger { seconds: u64 },
    /// The connection is gone or not worth another byte.
    Abort,
    /// The peer does not answer; core resets the connection if `reset_timedout_connection` is on.
    TimedOut,
}

/// One event of a tenancy: what may be used of nginx while it lasts.  Its lifetime keeps it out of
/// every structure of ours.
#[derive(Debug)]
pub(crate) struct Turn<'t> {
    request: Request,
    connection: Connection,
    now: u64,
    waker: Waker,
    is_terminated: bool,
    event: PhantomData<&'t mut ()>,
}

impl Turn<'_> {
    /// The request of the handshake.
    pub(crate) const fn request(&self) -> Request {
        self.request
    }

    /// The client's connection.
    pub(crate) const fn connection(&self) -> Connection {
        self.connection
    }

    /// nginx's monotonic clock in milliseconds, as of this round of the event loop.
    pub(crate) const fn now(&self) -> u64 {
        self.now
    }

    /// What wakes the tenant later.
    pub(crate) const fn waker(&self) -> Waker {
        self.waker
    }

    /// Whether this is the last turn in which something may be sent (`worker_shutdown_timeout`).
    pub(crate) const fn is_terminated(&self) -> bool {
        self.is_terminated
    }
}

/// A tenant and what is needed to give its connection back.
struct Tenancy {
    tenant: Box<dyn Tenant>,
    /// `None` before the connection is taken, and when it was given back.
    lease: Option<Lease>,
    /// The connection was taken, whether or not it was given back.
    was_taken: bool,
    is_entered: bool,
}

/// What was there before.
struct Lease {
    registration: Registration,
    /// nginx's own handler of both events.
    stock: ngx_event_handler_pt,
    read: ngx_http_event_handler_pt,
    write: ngx_http_event_handler_pt,
    /// nginx has begun to end the request, and was stopped.
    is_disturbed: bool,
    /// The tenant was asked to leave.
    is_closing: bool,
}

/// Answers 101, and makes `tenant` the owner of the connection.
///
/// The result is what the content handler must return.
///
/// # Errors
///
/// Memory is used up; the request is nginx's as before.
pub(crate) fn begin(request: Request, tenant: Box<dyn Tenant>) -> Result<ngx_int_t, Exhausted> {
    let tenancy = Box::into_raw(Box::new(Tenancy {
        tenant,
        lease: None,
        was_taken: false,
        is_entered: false,
    }));
    if let Err(e) = request.on_destroy(drop_tenancy, tenancy.cast()) {
        // SAFETY: made right above and known to nobody else.
        drop(unsafe { Box::from_raw(tenancy) });
        return Err(e);
    }
    // SAFETY: `tenancy` lives until `drop_tenancy`, which the request's pool runs.
    unsafe { watch(request, tenancy) }?;
    if let Err(rc) = request.switch_protocols() {
        return Ok(rc);
    }
    // SAFETY: as above; from here on only the handlers below refer to it, one at a time.
    unsafe { take(request, tenancy) };
    Ok(NGX_DONE as ngx_int_t)
}

/// What is known of a request that was upgraded, between the events of its tenant.
pub(crate) fn facts<'r>(request: Request) -> Option<&'r Facts> {
    let tenancy = find(request)?;
    // SAFETY: found in the request's pool, so it is live.  A tenant that has its turn is not looked
    // at from outside.
    unsafe {
        let is_seen = (*tenancy).was_taken && !(*tenancy).is_entered;
        is_seen.then(|| (*tenancy).tenant.facts())
    }
}

/// Sets the handlers once more where a subrequest's end has reset them: called when the response of
/// a subrequest passes the module's filter, which is right after.
pub(super) fn hold_again(request: Request) {
    if let Some(tenancy) = find(request) {
        // SAFETY: live as in `tenant_of`; only the lease is looked at.
        unsafe {
            if (*tenancy).lease.is_some() {
                hold_events(request);
            }
        }
    }
}

/// The tenancy of a request, which an internal redirect (`post_action`) may have made forget it.
fn find(request: Request) -> Option<*mut Tenancy> {
    // SAFETY: the request is live: ctx has a place for each HTTP module, and the cleanups of its
    // pool are a list of live structures.
    unsafe {
        let r = request.as_ptr();
        let kept = *(*r).ctx.add(module::index());
        if !kept.is_null() {
            return Some(kept.cast());
        }
        let ours: unsafe extern "C" fn(*mut c_void) = drop_tenancy;
        let mut cleanup: *mut ngx_pool_cleanup_t = (*(*r).pool).cleanup;
        while !cleanup.is_null() {
            if (*cleanup).handler.map(|handler| handler as usize) == Some(ours as usize) {
                return Some((*cleanup).data.cast());
            }
            cleanup = (*cleanup).next;
        }
    }
    None
}

/// Takes the connection.
///
/// # Safety
///
/// `tenancy` lives as long as the request.
unsafe fn take(request: Request, tenancy: *mut Tenancy) {
    let r = request.as_ptr();
    let connection = request.connection();
    let c = connection.as_ptr();
    // SAFETY: request, connection and its events are live; ctx has a place for each HTTP module.
    unsafe {
        *(*r).ctx.add(module::index()) = tenancy.cast();
        (*tenancy).was_taken = true;
        (*tenancy).lease = Some(Lease {
            registration: Registration::new(c, enter),
            stock: stock_handler(c),
            read: (*r).read_event_handler,
            write: (*r).write_event_handler,
            is_disturbed: false,
            is_closing: false,
        });
        // Undone by ngx_http_finalize_request(); keeps the request beyond the content handler.
        (*r).set_count((*r).count() + 1);
        (*r).set_blocked((*r).blocked() + 1);
        hold_events(request);
        hold_request(request);
        // ngx_close_idle_connections() tells only those about a graceful shutdown.
        (*c).set_idle(1);
        if request.wants_tcp_nodelay() {
            // A failure is logged by nginx and costs latency only.
            ngx_tcp_nodelay(c);
        }
        connection.request_close_if_exiting();
        // Not called from here: the content handler must have returned before the first frame can
        // end the request.
        ngx_post_event((*c).read, &raw mut ngx_posted_events);
    }
}

/// Lets `ngx_http_terminate_request()` wake the tenant.
///
/// # Safety
///
/// `tenancy` lives as long as the request.
unsafe fn watch(request: Request, tenancy: *mut Tenancy) -> Result<(), Exhausted> {
    // SAFETY: the request is live; size 0 allocates no data.
    unsafe {
        let cleanup = ngx_http_cleanup_add(request.as_ptr(), 0);
        if cleanup.is_null() {
            return Err(Exhausted::Memory);
        }
        (*cleanup).handler = Some(on_terminate);
        (*cleanup).data = tenancy.cast();
    }
    Ok(())
}

/// `ngx_http_cleanup_t` of a request that is being ended: by us, or not.
unsafe extern "C" fn on_terminate(data: *mut c_void) {
    // SAFETY: added by `watch`; the request's pool, which keeps the tenancy, is not destroyed yet.
    unsafe {
        if let Some(lease) = &mut (*data.cast::<Tenancy>()).lease {
            lease.is_disturbed = true;
            lease.registration.waker().wake();
        }
    }
}

/// Both events of a connection that was taken.
unsafe extern "C" fn on_connection_event(event: *mut ngx_event_t) {
    // SAFETY: nginx calls the handler with an event of a live connection.
    unsafe { enter((*event).data.cast()) };
}

/// As [`on_connection_event`], by way of nginx's own handler.
unsafe extern "C" fn on_request_event(r: *mut ngx_http_request_t) {
    // SAFETY: nginx calls the handler with a live request.
    unsafe { enter((*r).connection) };
}

/// Gives the tenant of a connection its turn.
///
/// # Safety
///
/// `c` is a live connection with a request.
unsafe fn enter(c: *mut ngx_connection_t) {
    // SAFETY: a connection with a request has it in `data`; subrequests leave that in `main`.
    let request = unsafe {
        let r: *mut ngx_http_request_t = (*c).data.cast();
        Request::new((*r).main)
    };
    let Some(request) = request else { return };
    let Some(tenancy) = find(request) else { return };
    // SAFETY: found in the request's pool, which outlives this function unless the last line ends
    // the request.  `is_entered` makes this the only reference to the tenant; it ends before `end`.
    let end = unsafe {
        if (*tenancy).is_entered {
            // The one who has its turn now looks at everything; this is for what comes after that.
            if let Some(lease) = &(*tenancy).lease {
                lease.registration.waker().wake_next_round();
            }
            return;
        }
        let Some(turn) = turn(request, tenancy) else { return };
        (*tenancy).is_entered = true;
        let tenant = &mut (*tenancy).tenant;
        // Nothing a client sends is known to panic.  If something does, it costs this socket;
        // without the net it would cost every socket of the worker.
        let outcome = catch_unwind(AssertUnwindSafe(|| tenant.on_event(&turn)));
        let end = outcome.unwrap_or_else(|_| {
            request.log(Level::Alert, format_args!("websocket: bug, a session panicked"));
            tenant.give_up(&turn)
        });
        (*tenancy).is_entered = false;
        end
    };
    if let Some(how) = end {
        // SAFETY: the connection was taken, and nothing of it is used afterwards.
        unsafe { give_back(request, tenancy, how) };
    }
}

/// A turn, if the connection is the tenant's; both pairs of handlers are then ours.
///
/// # Safety
///
/// `tenancy` is that of the request.
unsafe fn turn<'t>(request: Request, tenancy: *mut Tenancy) -> Option<Turn<'t>> {
    let connection = request.connection();
    // SAFETY: by the contract of this function; the request is live.
    unsafe {
        let lease = (*tenancy).lease.as_mut()?;
        let c = connection.as_ptr();
        let ours: unsafe extern "C" fn(*mut ngx_http_request_t) = on_request_event;
        let asked = (*c).close() != 0;
        // ngx_shutdown_timer_handler() sets both.
        let mut is_terminated = asked && (*c).error() != 0;
        if lease.is_disturbed
            && (*request.as_ptr())
                .write_event_handler
                .is_some_and(|handler| handler as usize != ours as usize)
        {
            // A subrequest ended in a way that ends a request, or nginx's handler was asked to
            // close: what it did to our request is undone, what it meant is done our way.
            is_terminated = asked && lease.is_closing;
            (*c).set_error(0);
            (*c).set_timedout(0);
            // It has counted once: in ngx_http_request_handler(), or for the subrequest, whose
            // count it would not have missed.
            let r = request.as_ptr();
            (*r).set_count((*r).count() - 1);
            lease.is_disturbed = false;
            if watch(request, tenancy).is_err() {
                is_terminated = true;
            }
        }
        lease.is_closing |= asked;
        hold_events(request);
        hold_request(request);
        Some(Turn {
            request,
            connection,
            now: connection.now(),
            waker: lease.registration.waker(),
            is_terminated,
            event: PhantomData,
        })
    }
}

/// Gives request and connection back to nginx, which logs and closes them.  Neither may be touched
/// afterwards.
///
/// # Safety
///
/// `tenancy` is that of the request, and has taken its connection.
unsafe fn give_back(request: Request, tenancy: *mut Tenancy, how: End) {
    let r = request.as_ptr();
    let c = request.connection().as_ptr();
    // SAFETY: by the contract of this function; request and connection are live until finalized, by
    // the last statement but one; ngx_http_run_posted_requests() first checks whether the connection
    // is gone.
    unsafe {
        let Some(lease) = (*tenancy).lease.take() else { return };
        (*c).set_idle(0);
        set_handlers(c, lease.stock);
        (*r).read_event_handler = lease.read;
        (*r).write_event_handler = lease.write;
        (*r).set_blocked((*r).blocked() - 1);
        // What a subrequest still does shall not keep TCP open behind the closing handshake.
        let is_alone = (*r).count() == 1;
        let rc = match how {
            End::Clean if is_alone => NGX_OK as ngx_int_t,
            End::Linger { seconds } if is_alone => {
                request.allow_lingering();
                (*r).set_lingering_close(1);
                (*r).lingering_time = (*nginx_sys::ngx_cached_time).sec + seconds as i64;
                NGX_OK as ngx_int_t
            }
            End::TimedOut => {
                (*c).set_timedout(1);
                NGX_HTTP_CLIENT_CLOSED_REQUEST as ngx_int_t
            }
            End::Clean | End::Linger { .. } | End::Abort => {
                NGX_HTTP_CLIENT_CLOSED_REQUEST as ngx_int_t
            }
        };
        drop(lease);
        ngx_http_finalize_request(r, rc);
        ngx_http_run_posted_requests(c);
    }
}

/// # Safety
///
/// `data` is a [`Tenancy`] made by [`begin`]; the pool calls this once.
unsafe extern "C" fn drop_tenancy(data: *mut c_void) {
    // SAFETY: by the contract of this function.
    drop(unsafe { Box::from_raw(data.cast::<Tenancy>()) });
}
