//! `ngx_ws`: WebSocket (RFC 6455) inside the nginx worker.
//!
//! The layers, each of which may use only those above it in this list:
//!
//! | layer | module | what it is |
//! |---|---|---|
//! | L0 | [`metrics`] | counters in shared memory, and how they are shown |
//! | L0 | [`proto`] | RFC 6455 as pure functions and small state machines: no nginx, no I/O, no `unsafe` |
//! | L1 | `nginx` | thin safe handles over nginx, and the `unsafe` |
//! | L2 | `settings` | what a location is told to do |
//! | L3 | `worker` | what the sockets of a worker share |
//! | L4 | `service` | what a location does with what clients ask for |
//! | L5 | `session` | one upgraded connection: the order of things |
//! | L6 | `handler` | what HTTP reaches: content handlers, `$ws_*` |
//! | L7 | `conf` | directives: their parsing, defaults and inheritance |
//! | L8 | `module` | the tables nginx reads when it loads the module |
//!
//! Everything but L0 needs the feature `module`.  Unit tests cover L0 (symbols of nginx do not link
//! into a test binary); the rest is tested through a running nginx, in `t/`.

#![cfg_attr(not(feature = "module"), forbid(unsafe_code))]
#![deny(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

pub mod metrics;
pub mod proto;

#[cfg(all(feature = "module", not(test)))]
mod conf;
#[cfg(all(feature = "module", not(test)))]
mod handler;
#[cfg(all(feature = "module", not(test)))]
#[expect(unsafe_code, reason = "the tables that nginx reads")]
mod module;
#[cfg(all(feature = "module", not(test)))]
#[expect(unsafe_code, reason = "all of nginx's types")]
mod nginx;
#[cfg(all(feature = "module", not(test)))]
mod service;
#[cfg(all(feature = "module", not(test)))]
mod session;
#[cfg(all(feature = "module", not(test)))]
mod settings;
#[cfg(all(feature = "module", not(test)))]
mod worker;
