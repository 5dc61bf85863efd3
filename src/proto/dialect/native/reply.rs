//! Replies: what a location answered, or why there is no answer, as JSON.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::value::RawValue;

use crate::proto::call::answer::{Answer, Failure, Response};
use crate::proto::hold::memory::NoMemory;

/// Appends the answer to what was asked under `id`; `None` where that had none or a bad one.
///
/// # Errors
///
/// There is no memory for it; nothing is appended.
pub fn write(answer: &Answer<'_>, id: Option<&str>, out: &mut Vec<u8>) -> Result<(), NoMemory> {
    match answer {
        Answer::Reply(response) => {
            let body = Form::of(response);
            exactly(out, |sink| reply(response, &body, id, sink))
        }
        Answer::Failure(failure) => exactly(out, |sink| self::failure(*failure, id, sink)),
    }
}

/// Lets `put` tell how much it puts, and then put it into as much memory.
fn exactly(out: &mut Vec<u8>, put: impl Fn(&mut dyn Sink)) -> Result<(), NoMemory> {
    let mut len = Length(0);
    put(&mut len);
    out.try_reserve_exact(len.0).map_err(|_| NoMemory)?;
    put(out);
    Ok(())
}

/// Where JSON is put.
trait Sink {
    /// Bytes as they are.
    fn raw(&mut self, bytes: &[u8]);
    /// A JSON string.
    fn string(&mut self, text: &str);
    /// Bytes in base64, between quotes.
    fn base64(&mut self, bytes: &[u8]);

    /// A number.
    fn number(&mut self, n: u64) {
        self.raw(itoa::Buffer::new().format(n).as_bytes());
    }
}

/// How long it is.
struct Length(usize);

impl Sink for Length {
    fn raw(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn string(&mut self, text: &str) {
        self.0 += quoted(text);
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.0 += encoded(bytes);
    }
}

impl Sink for Vec<u8> {
    fn raw(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn string(&mut self, text: &str) {
        push_string(self, text);
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.push(b'"');
        let start = self.len();
        self.resize(start + encoded(bytes) - 2, 0);
        // There is room for it, which is all that can fail.
        let room = self.get_mut(start..).unwrap_or_default();
        let _ = BASE64_STANDARD.encode_slice(bytes, room);
        self.push(b'"');
    }
}

fn failure(failure: Failure, id: Option<&str>, out: &mut dyn Sink) {
    let (status, error, message) = failure.describe();
    // Whoever sent something unreadable is told that no id could be read.
    let id = match failure {
        Failure::Rejected(_) => Some(id.unwrap_or("null")),
        _ => id,
    };
    open(out, id, status);
    out.raw(b",\"error\":");
    out.string(error);
    out.raw(b",\"message\":");
    out.string(message);
    if let Failure::TooManyMessages(ms) = failure {
        out.raw(b",\"retry_after_ms\":");
        out.number(ms);
    }
    out.raw(b"}");
}

fn reply(response: &Response<'_>, body: &Form<'_>, id: Option<&str>, out: &mut dyn Sink) {
    open(out, id, response.status);
    out.raw(b",\"headers\":{");
    for (i, (name, value)) in response.headers.iter().enumerate() {
        if i > 0 {
            out.raw(b",");
        }
        out.string(name);
        out.raw(b":");
        out.string(value);
    }
    out.raw(b"}");
    match body {
        Form::Nothing => {}
        Form::Json(json) => {
            out.raw(b",\"body\":");
            out.raw(json.as_bytes());
        }
        Form::Text(text) => {
            out.raw(b",\"body\":");
            out.string(text);
            out.raw(b",\"encoding\":\"text\"");
        }
        Form::Base64(bytes) => {
            out.raw(b",\"body\":");
            out.base64(bytes);
            out.raw(b",\"encoding\":\"base64\"");
        }
    }
    out.raw(b"}");
}

fn open(out: &mut dyn Sink, id: Option<&str>, status: u16) {
    out.raw(b"{");
    if let Some(id) = id {
        out.raw(b"\"id\":");
        out.raw(id.as_bytes());
        out.raw(b",");
    }
    out.raw(b"\"status\":");
    out.number(status.into());
}

/// A string of JSON beyond this is one in which every byte counts; below it, people read text.
const LONG: usize = 1024;

/// How a body is written.
enum Form<'r> {
    Nothing,
    /// Byte for byte: numbers keep their digits, members their order.
    Json(&'r str),
    Text(&'r str),
    /// What is no text, or long and shorter so: a control byte is six in JSON.
    Base64(&'r [u8]),
}

impl<'r> Form<'r> {
    fn of(response: &Response<'r>) -> Self {
        let body = response.body;
        if body.is_empty() {
            return Self::Nothing;
        }
        let text = simdutf8::basic::from_utf8(body).ok().filter(|_| !response.is_coded);
        let Some(text) = text else { return Self::Base64(body) };
        // RFC 8259 §8.1: a byte order mark may be ignored.
        let unmarked = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        if is_json(response)
            && let Ok(value) = serde_json::from_str::<&RawValue>(unmarked)
        {
            return Self::Json(value.get());
        }
        let len = quoted(text);
        if len > LONG && encoded(body) < len { Self::Base64(body) } else { Self::Text(text) }
    }
}

/// `application/json`, or a type with the suffix `+json` (RFC 6839 §3.1).
fn is_json(response: &Response<'_>) -> bool {
    let media_type = response.content_type.unwrap_or_default();
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

/// The length of bytes in base64, between quotes.
const fn encoded(bytes: &[u8]) -> usize {
    bytes.len().div_ceil(3).saturating_mul(4) + 2
}

/// The length of a text as a JSON string.
fn quoted(text: &str) -> usize {
    let extra = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
        0..0x20 => 5,
        _ => 0,
    });
    text.len() + extra.sum::<usize>() + 2
}

/// Appends a JSON string (RFC 8259 §7).
fn push_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    out.push(b'"');
    let mut plain = 0;
    for (i, byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => b"",
            _ => continue,
        };
        out.extend_from_slice(bytes.get(plain..i).unwrap_or_default());
        plain = i + 1;
        if escape.is_empty() {
            out.extend_from_slice(if *byte < 0x10 { b"\\u000" } else { b"\\u001" });
            out.push(HEX.get(usize::from(byte & 0xF)).copied().unwrap_or(b'0'));
        } else {
            out.extend_from_slice(escape);
        }
    }
    out.extend_from_slice(bytes.get(plain..).unwrap_or_default());
    out.push(b'"');
}
