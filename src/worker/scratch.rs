//! The receive buffer of a worker: one for all its connections.

use std::cell::Cell;

/// Bytes taken from the kernel in one call.  A frame of 64 KiB fits with its header; larger buffers
/// gain nothing once a call is amortised, and fall out of the processor's second-level cache.
pub(crate) const SIZE: usize = 128 * 1024;

thread_local! {
    static BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Lends the buffer for the duration of `f`.
///
/// A nested call gets a buffer of its own, so that no caller ever sees another one's bytes.
pub(crate) fn with<T>(f: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = BUFFER.take().unwrap_or_else(|| vec![0; SIZE].into_boxed_slice());
    let result = f(&mut buffer);
    BUFFER.set(Some(buffer));
    result
}
