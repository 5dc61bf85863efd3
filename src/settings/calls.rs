//! What `ws_rest` and `ws_route` are told.

use std::rc::Rc;

use super::http::HttpSettings;
use crate::proto::call::route::Route;

/// The settings of a location's calls.
#[derive(Debug)]
pub(crate) struct CallSettings {
    pub(crate) http: Rc<HttpSettings>,
    /// `ws_rest`: what a client's `path` must be under; `None` when it may choose actions only.
    pub(crate) prefix: Option<String>,
    pub(crate) routes: Vec<Route>,
    /// `ws_inflight`: calls of a socket at once.
    pub(crate) inflight: usize,
    /// `ws_request_timeout`, in milliseconds.
    pub(crate) request_timeout: u64,
    /// `ws_max_response`, in bytes.
    pub(crate) max_response: usize,
    /// `ws_order strict`: replies come in the order of their messages.
    pub(crate) strict: bool,
    /// In lower case, as are the next.
    pub(crate) client_headers: Vec<String>,
    pub(crate) response_headers: Vec<String>,
}
