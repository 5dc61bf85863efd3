//! The codecs of a worker: its sockets take turns, message by message.

use std::cell::RefCell;

use crate::proto::endpoint::compression::Codecs;

thread_local! {
    static CODECS: RefCell<Codecs> = const { RefCell::new(Codecs::new()) };
}

/// Lends the codecs for the duration of `f`, which must not ask for them again.
pub(crate) fn with<T>(f: impl FnOnce(&mut Codecs) -> T) -> T {
    CODECS.with_borrow_mut(f)
}
