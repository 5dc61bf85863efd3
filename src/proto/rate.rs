//! How many messages may pass: in a bucket of a socket's own, or in one that processes share.

pub mod bucket;
pub mod shared;

/// What happens to a message over a rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// The socket is closed with 1008.
    Close,
    /// The peer's next message waits until the rate is met.
    Delay,
    /// The message is answered with 429 (`ws_rest`); where there are no replies, as `Delay`.
    Reject,
}
