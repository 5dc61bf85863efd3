//! RFC 6455 without I/O: bytes and times go in, frames and decisions come out.
//!
//! | module | RFC 6455 | owns |
//! |---|---|---|
//! | [`handshake`] | §4.2 | what a request must look like, and the refusal when it does not |
//! | [`origin`] | §10.2 | which `Origin` may connect |
//! | [`token`] | - | names in HTTP headers |
//! | [`header`] | §5.2 | frame headers, both directions |
//! | [`mask`] | §5.3 | masking |
//! | [`receiver`] | §5.4, §5.5 | frames to messages under limits |
//! | [`utf8`] | §8.1 | text that arrives in pieces |
//! | [`close`] | §5.5.1, §7 | close codes, the closing handshake |
//! | [`batch`] | §5 | frames built in place in the receive buffer |
//! | [`memory`] | - | whether there is any |
//! | [`outbox`] | - | frames that wait for the peer to read |
//! | [`liveness`] | - | every deadline of a socket |
//! | [`violation`] | §7.4.1 | what a peer did wrong, and its close code |
//! | [`extension`] | §9 | negotiation of permessage-deflate (RFC 7692 §5, §7.1) |
//! | [`deflate`] | - | compressed messages (RFC 7692 §7.2) |
//! | [`envelope`] | - | the JSON messages of `ws_rest` |
//! | [`path`], [`route`] | - | what a message may reach |
//! | [`rate`], [`shared_rate`] | - | how many messages may pass |

#![forbid(unsafe_code)]

pub mod batch;
pub mod close;
pub mod deflate;
pub mod envelope;
pub mod extension;
pub mod handshake;
pub mod header;
pub mod liveness;
pub mod mask;
pub mod memory;
pub mod origin;
pub mod outbox;
pub mod path;
pub mod rate;
pub mod receiver;
pub mod route;
pub mod shared_rate;
pub mod token;
pub mod utf8;
pub mod violation;
