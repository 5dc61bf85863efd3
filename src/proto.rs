//! What can be decided without nginx: bytes, times and words go in, frames and decisions come out.
//!
//! Rooms, each of which uses only those above it:
//!
//! | room | what it is about | from |
//! |---|---|---|
//! | [`hold`] | memory that is kept beyond an event | - |
//! | [`frame`] | one stream of frames and what they carry | RFC 6455 §5, RFC 7692 §7.2 |
//! | [`handshake`] | what a request must look like to become a socket | RFC 6455 §4.2, RFC 7692 §7.1 |
//! | [`rate`] | how many messages may pass | nginx's `limit_req` |
//! | [`endpoint`] | one end of one connection | RFC 6455 §5.5.1, §7 |
//! | [`call`] | what a client asks for, however it is written | RFC 9110, RFC 3986 |
//! | [`dialect`] | how it is written | docs/protocol.md |

#![forbid(unsafe_code)]

pub mod call;
pub mod dialect;
pub mod endpoint;
pub mod frame;
pub mod handshake;
pub mod hold;
pub mod rate;
