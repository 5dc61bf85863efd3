//! What a location does with messages.

pub(crate) mod rest;

use rest::Rest;

/// The handler of one socket.
#[derive(Debug)]
pub(crate) enum Handler {
    /// `ws_echo`: every message goes back as it came.
    Echo,
    /// `ws_rest`, `ws_route`: messages are calls.
    Rest(Box<Rest>),
}

impl Handler {
    /// Whether a message may come now.
    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Self::Echo => true,
            Self::Rest(rest) => rest.is_ready(),
        }
    }

    /// Whether work for the peer is under way, so that its silence means nothing.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::Echo => false,
            Self::Rest(rest) => rest.is_busy(),
        }
    }
}
