//! What a client asks for, however it is written: see [`super::dialect`].

pub mod answer;
pub mod coding;
pub mod header_names;
pub mod method;
pub mod op;
pub mod path;
pub mod route;
