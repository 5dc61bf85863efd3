//! What every socket is told, whatever its location does with messages.

use crate::proto::endpoint::life::Timeouts;
use crate::proto::frame::receiver::Limits;
use crate::proto::handshake::extension::Policy;
use crate::proto::handshake::origin::OriginPolicy;

/// The settings of a location's sockets.
#[derive(Debug)]
pub(crate) struct SocketSettings {
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    /// `ws_send_queue`: unsent bytes above which the client is not read.
    pub(crate) send_queue: usize,
    /// `ws_send_timeout`: milliseconds without progress in sending; 0 is forever.
    pub(crate) send_timeout: u64,
    /// `ws_drain`: milliseconds over which a leaving worker spreads its Close frames.
    pub(crate) drain: u64,
    pub(crate) origins: OriginPolicy,
    pub(crate) subprotocols: Vec<String>,
    /// `None` when `ws_compression` is off.
    pub(crate) compression: Option<CompressionSettings>,
}

/// The settings of permessage-deflate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CompressionSettings {
    /// zlib's level, 1 to 9.
    pub(crate) level: u32,
    /// Shorter messages go out as they are.
    pub(crate) min_length: usize,
    /// What may be agreed with a client.
    pub(crate) policy: Policy,
}
