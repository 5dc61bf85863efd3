//! Memory of a worker that goes back to the system.
//!
//! glibc keeps freed memory below whatever is still in use, and a crowd of large messages leaves
//! holes between small blocks that stay.  Some time after a lot was freed, the holes are given back.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;
use std::time::Instant;

use nginx_sys::{ngx_add_timer, ngx_connection_t, ngx_cycle, ngx_event_t};

/// Freed bytes that are worth a look at the whole heap.
const WORTH: usize = 16 * 1024 * 1024;

/// Milliseconds for more to be freed, and between two looks.
const DELAY: usize = 1000;

/// A look takes at most one part in so many of the time: it visits every hole, and can take 60 ms
/// with a gigabyte in small blocks.
const SHARE: usize = 100;

thread_local! {
    static RELEASED: Cell<usize> = const { Cell::new(0) };
    static TIMER: Cell<*mut ngx_event_t> = const { Cell::new(ptr::null_mut()) };
    /// Milliseconds until the next look.
    static WAIT: Cell<usize> = const { Cell::new(DELAY) };
}

/// Notes that `bytes` were freed which had been held for longer than an event.
pub(crate) fn released(bytes: usize) {
    let released = RELEASED.get().saturating_add(bytes);
    RELEASED.set(released);
    if released >= WORTH && cfg!(target_env = "gnu") {
        let mut timer = TIMER.get();
        if timer.is_null() {
            timer = new_timer();
            TIMER.set(timer);
        }
        // SAFETY: the event lives as long as the process; the timer tree is this worker's.  The
        // cycle is set before the first event; a single process gets others.
        unsafe {
            if (*timer).timer_set() == 0 {
                (*timer).log = (*ngx_cycle).log;
                ngx_add_timer(timer, WAIT.get());
            }
        }
    }
}

/// An event of this process, without a descriptor.
fn new_timer() -> *mut ngx_event_t {
    // SAFETY: all zero is how nginx makes connections and events, by ngx_calloc().
    let (connection, mut event): (ngx_connection_t, ngx_event_t) =
        unsafe { (core::mem::zeroed(), core::mem::zeroed()) };
    let connection = Box::leak(Box::new(ngx_connection_t { fd: -1, ..connection }));
    event.handler = Some(give_back);
    // nginx's debug log looks for a descriptor there.
    event.data = ptr::from_mut(connection).cast::<c_void>();
    // A worker that could leave does not wait for it.
    event.set_cancelable(1);
    Box::leak(Box::new(event))
}

unsafe extern "C" fn give_back(_event: *mut ngx_event_t) {
    RELEASED.set(0);
    let start = Instant::now();
    #[cfg(target_env = "gnu")]
    // SAFETY: returns pages that hold no block in use; no thread of nginx's pools can be in the way,
    // because glibc locks its arenas.
    unsafe {
        libc::malloc_trim(0);
    }
    let took = usize::try_from(start.elapsed().as_millis()).unwrap_or(usize::MAX);
    WAIT.set(took.saturating_mul(SHARE).max(DELAY));
}
