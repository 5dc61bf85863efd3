//! Replies: what a location answered, or why there is no answer.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::value::RawValue;

use super::Rejection;

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
    /// Status, `error` and `message` of the reply.
    const fn describe(self) -> (u16, &'static str, &'static str) {
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

    /// The reply; `id` is `None` where the call had none or a bad one.
    pub fn to_json(self, id: Option<&str>) -> String {
        let (status, error, message) = self.describe();
        let mut json = String::with_capacity(96 + message.len());
        // Whoever sent something unreadable is told that no id could be read.
        let id = match self {
            Self::Rejected(_) => Some(id.unwrap_or("null")),
            _ => id,
        };
        open(&mut json, id, status);
        json.push_str(",\"error\":");
        push_string(&mut json, error);
        json.push_str(",\"message\":");
        push_string(&mut json, message);
        if let Self::TooManyMessages(ms) = self {
            json.push_str(",\"retry_after_ms\":");
            json.push_str(itoa::Buffer::new().format(ms));
        }
        json.push('}');
        json
    }
}

impl Response<'_> {
    /// The reply under `id`; `None` when there is no memory for it.
    pub fn to_json(&self, id: Option<&str>) -> Option<String> {
        let headers = self.headers.iter().map(|(name, value)| name.len() + quoted(value) + 4);
        let body = quoted_bytes(self.body).max(self.body.len() / 3 * 4 + 4);
        let room = 128 + id.map_or(0, str::len) + headers.sum::<usize>() + body;
        let mut json = String::new();
        json.try_reserve_exact(room).ok()?;
        open(&mut json, id, self.status);
        json.push_str(",\"headers\":{");
        for (i, (name, value)) in self.headers.iter().enumerate() {
            if i > 0 {
                json.push(',');
            }
            push_string(&mut json, name);
            json.push(':');
            push_string(&mut json, value);
        }
        json.push('}');
        self.push_body(&mut json);
        json.push('}');
        Some(json)
    }

    fn push_body(&self, json: &mut String) {
        if self.body.is_empty() {
            return;
        }
        let text = simdutf8::basic::from_utf8(self.body).ok();
        if self.is_json()
            && let Some(text) = text
            && let Ok(value) = serde_json::from_str::<&RawValue>(text)
        {
            // Byte for byte: numbers keep their digits, members their order.
            json.push_str(",\"body\":");
            json.push_str(value.get());
        } else if let Some(text) = text {
            json.push_str(",\"body\":");
            push_string(json, text);
            json.push_str(",\"encoding\":\"text\"");
        } else {
            json.push_str(",\"body\":\"");
            BASE64_STANDARD.encode_string(self.body, json);
            json.push_str("\",\"encoding\":\"base64\"");
        }
    }

    /// `application/json`, or a type with the suffix `+json` (RFC 6839 §3.1).
    fn is_json(&self) -> bool {
        let media_type = self.content_type.unwrap_or_default();
        let media_type = media_type.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
        let ends_with = |tail: &[u8]| {
            media_type
                .len()
                .checked_sub(tail.len())
                .and_then(|at| media_type.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(tail))
        };
        media_type.eq_ignore_ascii_case(b"application/json") || ends_with(b"+json")
    }
}

/// The length of a text as a JSON string, at most.
fn quoted(text: &str) -> usize {
    quoted_bytes(text.as_bytes())
}

fn quoted_bytes(bytes: &[u8]) -> usize {
    let extra = bytes.iter().map(|byte| match byte {
        0..0x20 => 5,
        b'"' | b'\\' => 1,
        _ => 0,
    });
    bytes.len() + extra.sum::<usize>() + 2
}

fn open(json: &mut String, id: Option<&str>, status: u16) {
    json.push('{');
    if let Some(id) = id {
        json.push_str("\"id\":");
        json.push_str(id);
        json.push(',');
    }
    json.push_str("\"status\":");
    json.push_str(itoa::Buffer::new().format(status));
}

/// Appends a JSON string (RFC 8259 §7).
fn push_string(json: &mut String, text: &str) {
    json.push('"');
    let mut plain = 0;
    for (i, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        json.push_str(text.get(plain..i).unwrap_or_default());
        plain = i + 1;
        if escape.is_empty() {
            const HEX: [char; 16] =
                ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
            json.push_str("\\u00");
            json.push(if byte < 0x10 { '0' } else { '1' });
            json.push(HEX.get(usize::from(byte & 0xF)).copied().unwrap_or('0'));
        } else {
            json.push_str(escape);
        }
    }
    json.push_str(text.get(plain..).unwrap_or_default());
    json.push('"');
}
