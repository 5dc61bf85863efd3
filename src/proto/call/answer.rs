//! What a client gets for what it asked, however it is written.

use super::op::Rejection;

/// An answer.
#[derive(Debug)]
pub enum Answer<'a> {
    /// What a location answered.
    Reply(Response<'a>),
    /// There is no answer of a location.
    Failure(Failure),
}

/// What a location answered.
#[derive(Debug, Default)]
pub struct Response<'r> {
    /// The HTTP status.
    pub status: u16,
    /// Headers for the client: lower-case names, in order.
    pub headers: &'r [(String, String)],
    /// The value of `Content-Type`.
    pub content_type: Option<&'r [u8]>,
    /// The body, possibly empty.
    pub body: &'r [u8],
    /// The body is in a coding that a header names, so it is no text.
    pub is_coded: bool,
}

/// A failure of the gateway, not of a location.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// 400: the message is no call.
    Rejected(Rejection),
    /// 400: a member of `headers` is not in `ws_client_headers`, or not a header at all.
    HeaderNotAllowed,
    /// 404: outside the prefix, or an unknown action.
    NotFound,
    /// 415: a binary message.
    BinaryNotSupported,
    /// 429: over a message rate; milliseconds until the next one is welcome.
    TooManyMessages(u64),
    /// 502: the response exceeds `ws_max_response`.
    ResponseTooLarge,
    /// 502: the response ended before its end.
    BackendFailed,
    /// 503: no connection or memory is free in the worker.
    Overloaded,
    /// 503: the worker is leaving.
    ShuttingDown,
    /// 504: no response within `ws_request_timeout`.
    Timeout,
}

impl Failure {
    /// Status, name and explanation.
    pub const fn describe(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Rejected(Rejection::BadJson) => (400, "bad_json", "the message is not JSON"),
            Self::Rejected(Rejection::BadMessage(why)) => (400, "bad_message", why),
            Self::HeaderNotAllowed => {
                (400, "header_not_allowed", "a header is not in ws_client_headers or not valid")
            }
            Self::NotFound => (404, "not_found", "no such path or action here"),
            Self::BinaryNotSupported => {
                (415, "binary_not_supported", "a call is a JSON text message")
            }
            Self::TooManyMessages(_) => (429, "too_many_messages", "the message rate is exceeded"),
            Self::ResponseTooLarge => {
                (502, "response_too_large", "the response exceeds ws_max_response")
            }
            Self::BackendFailed => (502, "backend_failed", "the response is incomplete"),
            Self::Overloaded => (503, "overloaded", "the worker has no capacity left"),
            Self::ShuttingDown => (503, "shutting_down", "the server is going away"),
            Self::Timeout => (504, "timeout", "no response within ws_request_timeout"),
        }
    }
}
