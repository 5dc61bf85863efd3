//! Thin safe handles over nginx, and the `unsafe` of the module.
//!
//! Handles are copies of a pointer that nginx owns.  They borrow nothing, live as long as the event
//! that made them, and are never kept in a structure of ours.  What is kept is a [`waker`], which is
//! a key, and what [`tenancy`] and [`virtual_request`] own until nginx lets go of it.

pub(crate) mod complex_value;
pub(crate) mod config;
pub(crate) mod connection;
pub(crate) mod content;
pub(crate) mod exhausted;
pub(crate) mod log;
pub(crate) mod module;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod request;
pub(crate) mod shm;
pub(crate) mod string;
pub(crate) mod tenancy;
pub(crate) mod timer;
pub(crate) mod virtual_request;
pub(crate) mod waker;
