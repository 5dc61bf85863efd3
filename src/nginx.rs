//! Thin safe handles over nginx.
//!
//! Handles are copies of a pointer that nginx owns.  They borrow nothing, live as long as the event
//! that made them, and are never kept in a structure of ours.  All `unsafe` of the module is here,
//! in the directive setters and in the registration tables.

pub(crate) mod capture;
pub(crate) mod complex_value;
pub(crate) mod config;
pub(crate) mod connection;
pub(crate) mod heap;
pub(crate) mod log;
pub(crate) mod module;
pub(crate) mod process;
pub(crate) mod request;
pub(crate) mod scratch;
pub(crate) mod shm;
pub(crate) mod slots;
pub(crate) mod virtual_request;
