//! The bytes of both protocols: what is sent, and where a reply ends.

use std::io::{Error, Result};

/// A fixed nonce: nothing depends on it here.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const TEXT: u8 = 1;
/// The most a stored block of RFC 1951 holds.
const BLOCK: usize = 65_535;

/// The opening request of a WebSocket.
pub(crate) fn handshake(path: &str, deflate: bool) -> String {
    let offer = if deflate { "Sec-WebSocket-Extensions: permessage-deflate\r\n" } else { "" };
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{offer}\r\n"
    )
}

/// A keep-alive request.
pub(crate) fn request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into()
}

/// A masked text message in one frame.
pub(crate) fn message(text: &[u8], deflate: bool) -> Vec<u8> {
    let (flags, payload) = if deflate { (FIN | RSV1, stored(text)) } else { (FIN, text.to_vec()) };
    let mut frame = vec![flags | TEXT];
    match payload.len() {
        len @ ..126 => frame.push(0x80 | len as u8),
        len @ ..65_536 => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A DEFLATE stream of stored blocks, without the end that RFC 7692 §7.2.1 takes off.
fn stored(text: &[u8]) -> Vec<u8> {
    let mut stream = Vec::with_capacity(text.len() + 16);
    for block in text.chunks(BLOCK) {
        let len = block.len() as u16;
        stream.push(0);
        stream.extend(len.to_le_bytes());
        stream.extend((!len).to_le_bytes());
        stream.extend(block);
    }
    stream.push(0);
    stream
}

/// A piece of a reply at the start of a buffer.
pub(crate) struct Piece<'b> {
    /// Bytes of the buffer it takes.
    pub(crate) size: usize,
    pub(crate) payload: &'b [u8],
    /// Whether it ends the reply.
    pub(crate) last: bool,
    /// Whether the reply is compressed.
    pub(crate) deflated: bool,
}

/// The first frame; nothing if it is not all there yet.
pub(crate) fn frame(buffer: &[u8]) -> Result<Option<Piece<'_>>> {
    let &[flags, length, ref rest @ ..] = buffer else { return Ok(None) };
    if !matches!(flags & 0x0f, 0..=2) {
        return Err(Error::other(format!("the server sent frame {flags:#04x}")));
    }
    let extended = match length {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some((digits, rest)) = rest.split_at_checked(extended) else { return Ok(None) };
    let length = match extended {
        0 => usize::from(length),
        _ => digits.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit)),
    };
    Ok(rest.get(..length).map(|payload| Piece {
        size: 2 + extended + length,
        payload,
        last: flags & FIN != 0,
        deflated: flags & RSV1 != 0,
    }))
}

/// The first response; nothing if it is not all there yet.
pub(crate) fn response(buffer: &[u8]) -> Result<Option<Piece<'_>>> {
    let Some(head) = head(buffer) else { return Ok(None) };
    let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    if !text.starts_with("http/1.1 200 ") {
        return Err(Error::other(format!("the server answered {text}")));
    }
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| Error::other("a response without Content-Length"))?;
    Ok(buffer.get(head..head + length).map(|payload| Piece {
        size: head + length,
        payload,
        last: true,
        deflated: false,
    }))
}

/// Where a head of HTTP/1.1 ends.
pub(crate) fn head(buffer: &[u8]) -> Option<usize> {
    buffer.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4)
}
