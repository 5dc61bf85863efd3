//! What makes a socket fail (RFC 6455 §7.1.7): one variant, one close code, one reason.

use core::fmt;

use crate::proto::hold::memory::NoMemory;

/// Why a socket is failed.  All but [`Violation::Compressor`] and [`Violation::OutOfMemory`] are the
/// peer's doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Violation {
    /// A text message or a close reason is not UTF-8 (§8.1).
    BadUtf8,
    /// A compressed message that does not inflate (RFC 7692 §7.2.2).
    BadCompression,
    /// A close code that may not appear on the wire (§7.4).
    CloseCode,
    /// A close payload of one byte: no room for a code (§5.5.1).
    CloseLength,
    /// The compressor refused to work; a bug of ours.
    Compressor,
    /// A continuation frame and no message to continue (§5.4).
    ContinuationWithoutStart,
    /// A control frame with FIN clear (§5.5).
    FragmentedControl,
    /// A text or binary frame inside an unfinished message (§5.4).
    InterleavedMessage,
    /// A payload length not in its shortest form, or with the top bit set (§5.2).
    LengthEncoding,
    /// A control frame with more than 125 bytes (§5.5).
    LongControl,
    /// Our memory is exhausted; not the peer's fault.
    OutOfMemory,
    /// A reserved bit without an extension that gives it a meaning (§5.2).
    ReservedBits,
    /// An opcode of 3 to 7 or 11 to 15 (§5.2).
    ReservedOpcode,
    /// The message exceeds `ws_max_message`.
    TooBig,
    /// A compressed message refers back across more final blocks than any client makes; it is well
    /// formed (RFC 7692 §7.2.1), but each of them costs us a window.
    TooManyBlocks,
    /// The message has more frames than `ws_max_fragments`.
    TooManyFragments,
    /// More messages than a rate with the action `close` allows.
    TooManyMessages,
    /// A client frame without a mask (§5.1).
    Unmasked,
}

impl Violation {
    /// The code of the Close frame that ends the socket (RFC 6455 §7.4.1).
    pub const fn close_code(self) -> u16 {
        match self {
            Self::BadUtf8 | Self::BadCompression => 1007,
            Self::TooManyBlocks | Self::TooManyFragments | Self::TooManyMessages => 1008,
            Self::TooBig => 1009,
            Self::Compressor | Self::OutOfMemory => 1011,
            Self::CloseCode
            | Self::CloseLength
            | Self::ContinuationWithoutStart
            | Self::FragmentedControl
            | Self::InterleavedMessage
            | Self::LengthEncoding
            | Self::LongControl
            | Self::ReservedBits
            | Self::ReservedOpcode
            | Self::Unmasked => 1002,
        }
    }

    /// The reason for the Close frame and the error log: at most 123 bytes of ASCII.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::BadUtf8 => "invalid UTF-8",
            Self::BadCompression => "invalid compressed data",
            Self::CloseCode => "invalid close code",
            Self::CloseLength => "close frame of one byte",
            Self::Compressor => "compressor failed",
            Self::ContinuationWithoutStart => "continuation without a message",
            Self::FragmentedControl => "fragmented control frame",
            Self::InterleavedMessage => "new message inside a fragmented one",
            Self::LengthEncoding => "invalid payload length",
            Self::LongControl => "control frame too long",
            Self::OutOfMemory => "out of memory",
            Self::ReservedBits => "reserved bits set",
            Self::ReservedOpcode => "reserved opcode",
            Self::TooBig => "message too big",
            Self::TooManyBlocks => "too many final blocks",
            Self::TooManyFragments => "too many fragments",
            Self::TooManyMessages => "too many messages",
            Self::Unmasked => "frame not masked",
        }
    }

    /// Whether the server, and not the peer, is at fault.
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Compressor | Self::OutOfMemory)
    }
}

impl From<NoMemory> for Violation {
    fn from(NoMemory: NoMemory) -> Self {
        Self::OutOfMemory
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}
