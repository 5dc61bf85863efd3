//! What the sockets of a worker share.

pub(crate) mod codecs;
pub(crate) mod counters;
pub(crate) mod heap;
pub(crate) mod places;
pub(crate) mod scratch;
