//! How many messages may pass: in a bucket of a socket's own, or in one that processes share.

pub mod bucket;
pub mod shared;
