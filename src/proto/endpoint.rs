//! One end of one connection: bytes in, messages out, messages in, bytes out, and when it ends.
//!
//! Nothing here reads or writes: the buffer, the codecs and the [`outbound::Wire`] are lent.
//!
//! | module | owns |
//! |---|---|
//! | [`life`] | open to gone: the closing handshake and all deadlines, one table |
//! | [`inbound`] | bytes to messages; what was read and must wait |
//! | [`gate`] | why the peer's messages are not taken |
//! | [`outbound`] | messages to bytes; what was not taken by the peer yet |
//! | [`limits`] | how many messages may pass |
//! | [`compression`] | what was agreed, and what each direction remembers |
//! | [`facts`] | what is known of it, for logs and metrics |

pub mod compression;
pub mod facts;
pub mod gate;
pub mod inbound;
pub mod life;
pub mod limits;
pub mod outbound;
pub mod unserved;
