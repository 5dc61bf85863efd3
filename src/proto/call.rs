//! What a client asks for, however it is written: see [`super::dialect`].

pub mod method;
pub mod path;
pub mod route;
