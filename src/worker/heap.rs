//! Memory of a worker that goes back to the system.
//!
//! glibc keeps freed memory below whatever is still in use, and a crowd of large messages leaves
//! holes between small blocks that stay.  Some time after a lot was freed, the holes are given back.

use core::cell::Cell;
use std::time::Instant;

use crate::nginx::process;
use crate::nginx::timer::{Fire, ProcessTimer};

/// Freed bytes that are worth a look at the whole heap.
const WORTH_A_LOOK: usize = 16 * 1024 * 1024;

/// Milliseconds for more to be freed, and between two looks.
const DELAY: usize = 1000;

/// A look takes at most one part in so many of the time: it visits every hole, and can take 60 ms
/// with a gigabyte in small blocks.
const SHARE_OF_TIME: usize = 100;

thread_local! {
    static FREED: Cell<usize> = const { Cell::new(0) };
    static TIMER: ProcessTimer = const { ProcessTimer::new() };
    /// Milliseconds until the next look.
    static WAIT: Cell<usize> = const { Cell::new(DELAY) };
}

/// Notes that `bytes` were freed which had been held for longer than an event.
pub(crate) fn note_freed(bytes: usize) {
    let freed = FREED.get().saturating_add(bytes);
    FREED.set(freed);
    if freed >= WORTH_A_LOOK && process::CAN_TRIM {
        TIMER.with(|timer| timer.arm::<GiveBack>(WAIT.get()));
    }
}

struct GiveBack;

impl Fire for GiveBack {
    fn fire() {
        FREED.set(0);
        let start = Instant::now();
        process::trim();
        let took = usize::try_from(start.elapsed().as_millis()).unwrap_or(usize::MAX);
        WAIT.set(took.saturating_mul(SHARE_OF_TIME).max(DELAY));
    }
}
