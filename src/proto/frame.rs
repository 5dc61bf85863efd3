//! Frames and what they carry (RFC 6455 §5, RFC 7692 §7.2).
//!
//! | module | RFC 6455 | owns |
//! |---|---|---|
//! | [`header`] | §5.2 | frame headers, both directions |
//! | [`mask`] | §5.3 | masking |
//! | [`receiver`] | §5.4, §5.5 | frames to messages under limits |
//! | [`utf8`] | §8.1 | text that arrives in pieces |
//! | [`close`] | §5.5.1, §7.4 | the Close frame and its codes |
//! | [`batch`] | §5 | frames built in place in the receive buffer |
//! | [`violation`] | §7.4.1 | what a peer did wrong, and its close code |
//! | [`deflate`] | - | compressed messages (RFC 7692 §7.2) |

pub mod batch;
pub mod close;
pub mod deflate;
pub mod header;
pub mod mask;
pub mod receiver;
pub mod utf8;
pub mod violation;
