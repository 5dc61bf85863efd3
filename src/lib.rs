//! `ngx_ws`: WebSocket (RFC 6455) inside the nginx worker.
//!
//! The layers, each of which may use only those above it in this list:
//!
//! | layer | module | what it is |
//! |---|---|---|
//! | L0 | [`proto`] | RFC 6455 as pure functions and small state machines: no nginx, no I/O, no `unsafe` |
//! | L0 | [`metrics`] | counters in shared memory, and how they are shown: as pure |
//! | L1 | `nginx` | thin safe handles over nginx's request, connection, log and configuration |
//! | L2 | `settings` | what a location is told to do |
//! | L3 | `handler` | what a location does with messages |
//! | L4 | `session` | one upgraded connection: bytes in, messages out, timers, drain |
//! | L5 | `status`, `upgrade`, `variables` | content handlers, `$ws_*` |
//! | L6 | `conf` | directives: their parsing, defaults and inheritance |
//! | L7 | `module` | the tables nginx reads when it loads the module |
//!
//! Everything but L0 needs the feature `module`.  Unit tests cover L0 (symbols of nginx do not link
//! into a test binary); the rest is tested through a running nginx, in `t/`.

#![cfg_attr(not(feature = "module"), forbid(unsafe_code))]
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
mod module;
#[cfg(all(feature = "module", not(test)))]
mod nginx;
#[cfg(all(feature = "module", not(test)))]
mod session;
#[cfg(all(feature = "module", not(test)))]
mod settings;
#[cfg(all(feature = "module", not(test)))]
mod status;
#[cfg(all(feature = "module", not(test)))]
mod upgrade;
#[cfg(all(feature = "module", not(test)))]
mod variables;
