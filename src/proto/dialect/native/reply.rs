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
        Answer::Reply(response) => reply(response, id, out),
        Answer::Failure(failure) => self::failure(*failure, id, out),
    }
}

fn failure(failure: Failure, id: Option<&str>, out: &mut Vec<u8>) -> Result<(), NoMemory> {
    let (status, error, message) = failure.describe();
    // Whoever sent something unreadable is told that no id could be read.
    let id = match failure {
        Failure::Rejected(_) => Some(id.unwrap_or("null")),
        _ => id,
    };
    let room = 128 + id.map_or(0, str::len) + quoted(error) + quoted(message);
    out.try_reserve(room).map_err(|_| NoMemory)?;
    open(out, id, status);
    out.extend_from_slice(b",\"error\":");
    push_string(out, error);
    out.extend_from_slice(b",\"message\":");
    push_string(out, message);
    if let Failure::TooManyMessages(ms) = failure {
        out.extend_from_slice(b",\"retry_after_ms\":");
        out.extend_from_slice(itoa::Buffer::new().format(ms).as_bytes());
    }
    out.push(b'}');
    Ok(())
}

fn reply(response: &Response<'_>, id: Option<&str>, out: &mut Vec<u8>) -> Result<(), NoMemory> {
    let headers = response.headers.iter().map(|(name, value)| name.len() + quoted(value) + 4);
    let body = quoted_bytes(response.body).max(response.body.len() / 3 * 4 + 4);
    let room = 128 + id.map_or(0, str::len) + headers.sum::<usize>() + body;
    out.try_reserve_exact(room).map_err(|_| NoMemory)?;
    open(out, id, response.status);
    out.extend_from_slice(b",\"headers\":{");
    for (i, (name, value)) in response.headers.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push_string(out, name);
        out.push(b':');
        push_string(out, value);
    }
    out.push(b'}');
    push_body(response, out);
    out.push(b'}');
    Ok(())
}

fn push_body(response: &Response<'_>, out: &mut Vec<u8>) {
    if response.body.is_empty() {
        return;
    }
    let text = simdutf8::basic::from_utf8(response.body).ok().filter(|_| !response.is_coded);
    if is_json(response)
        && let Some(text) = text
        // RFC 8259 §8.1: a byte order mark may be ignored.
        && let Ok(value) =
            serde_json::from_str::<&RawValue>(text.strip_prefix('\u{FEFF}').unwrap_or(text))
    {
        // Byte for byte: numbers keep their digits, members their order.
        out.extend_from_slice(b",\"body\":");
        out.extend_from_slice(value.get().as_bytes());
    } else if let Some(text) = text {
        out.extend_from_slice(b",\"body\":");
        push_string(out, text);
        out.extend_from_slice(b",\"encoding\":\"text\"");
    } else {
        out.extend_from_slice(b",\"body\":\"");
        let mut encoded = String::new();
        BASE64_STANDARD.encode_string(response.body, &mut encoded);
        out.extend_from_slice(encoded.as_bytes());
        out.extend_from_slice(b"\",\"encoding\":\"base64\"");
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

fn open(out: &mut Vec<u8>, id: Option<&str>, status: u16) {
    out.push(b'{');
    if let Some(id) = id {
        out.extend_from_slice(b"\"id\":");
        out.extend_from_slice(id.as_bytes());
        out.push(b',');
    }
    out.extend_from_slice(b"\"status\":");
    out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
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
