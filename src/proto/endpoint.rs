//! One end of one connection.

pub mod liveness;
