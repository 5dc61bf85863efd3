//! A timer of the process: no connection, no descriptor.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;

use nginx_sys::{ngx_add_timer, ngx_connection_t, ngx_cycle, ngx_event_t};

/// A timer that calls a function of this process; made when it is first armed.
#[derive(Debug)]
pub(crate) struct ProcessTimer {
    event: Cell<*mut ngx_event_t>,
}

impl ProcessTimer {
    pub(crate) const fn new() -> Self {
        Self { event: Cell::new(ptr::null_mut()) }
    }

    /// Calls `F::fire` in `ms` milliseconds, unless it is about to be called already.  A worker that
    /// could leave does not wait for it.
    pub(crate) fn arm<F: Fire>(&self, ms: usize) {
        let event = event_of::<F>(&self.event);
        // SAFETY: the event lives as long as the process; the timer tree is this worker's.  The
        // cycle is set before the first event; a single process gets others.
        unsafe {
            if (*event).timer_set() == 0 {
                (*event).log = (*ngx_cycle).log;
                ngx_add_timer(event, ms);
            }
        }
    }
}

/// What a timer or a posted event of the process calls.
pub(crate) trait Fire {
    fn fire();
}

/// An event of this process, which stays for its life: cancelable, without a descriptor.
pub(super) fn event_of<F: Fire>(cell: &Cell<*mut ngx_event_t>) -> *mut ngx_event_t {
    unsafe extern "C" fn handler<F: Fire>(_: *mut ngx_event_t) {
        F::fire();
    }
    if !cell.get().is_null() {
        return cell.get();
    }
    // SAFETY: all zero is how nginx makes connections and events, by ngx_calloc().
    let (connection, mut event): (ngx_connection_t, ngx_event_t) =
        unsafe { (core::mem::zeroed(), core::mem::zeroed()) };
    let connection = Box::leak(Box::new(ngx_connection_t { fd: -1, ..connection }));
    event.handler = Some(handler::<F>);
    // nginx's debug log looks for a descriptor there.
    event.data = ptr::from_mut(connection).cast::<c_void>();
    event.set_cancelable(1);
    cell.set(Box::leak(Box::new(event)));
    cell.get()
}
