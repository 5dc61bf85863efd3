//! Why the messages of a peer are not taken.
//!
//! One answer to one question, asked before each message.  The end of the stream, control frames,
//! pings and the idle timeout never ask it: not taking messages is not "not noticing".

/// Whether the next message is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Gate {
    /// It is.
    Open,
    /// It has to wait.
    Shut(Why),
}

/// What a message waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// A rate (`ws_message_rate`, `ws_message_limit`).
    Rate,
    /// The rate of control frames, which wait as well.
    Flood,
    /// The peer, which has not read what was sent to it (`ws_send_queue`).
    Queue,
    /// Calls under way (`ws_inflight`, `ws_worker_inflight`).
    Calls,
    /// The turn of other connections.
    Turn,
}

impl Gate {
    /// Whether the next message is taken.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether the peer is read on meanwhile, for its control frames.  A rate may make messages wait
    /// for longer than a peer waits for a Pong, or for the answer to its Close.  Calls end soon, and
    /// what comes behind them is answered in order; one that does not read what it is sent would
    /// not read these answers either.
    pub const fn lets_control_pass(self) -> bool {
        matches!(self, Self::Open | Self::Shut(Why::Rate))
    }
}
