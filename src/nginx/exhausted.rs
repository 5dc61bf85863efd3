//! What a worker can run out of.

/// Something is used up; nginx has logged it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exhausted {
    /// Memory.
    Memory,
    /// Places of `worker_connections`.
    Connections,
}
