//! Memory that is kept beyond an event, and whether there is any.

pub mod memory;
pub mod queue;
