//! What the standards say, written to be read, not to be fast.

pub mod base64;
pub mod deflate;
pub mod extension;
pub mod frames;
pub mod handshake;
pub mod json;
pub mod uri;
