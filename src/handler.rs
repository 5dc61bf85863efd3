//! What a location does with messages.

/// The handler of one socket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Handler {
    /// `ws_echo`: every message goes back as it came.
    Echo,
}

/// What the session does with a message after its handler has seen it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reaction {
    /// Sends it back.
    SendBack,
}

impl Handler {
    /// Takes note of a whole message.
    pub(crate) const fn message(self) -> Reaction {
        match self {
            Self::Echo => Reaction::SendBack,
        }
    }
}
