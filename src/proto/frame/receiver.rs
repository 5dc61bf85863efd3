//! Turns a byte stream into messages and control frames (RFC 6455 §5.4, §5.5) under [`Limits`].
//!
//! Resumable at every byte.  A frame that lies whole in the caller's buffer is unmasked there and
//! handed out as a range; only what arrives in pieces is copied, as far as it has arrived.  Between
//! messages a receiver owns no heap memory.

use core::ops::Range;

use super::header::{self, Header, MAX_CLIENT_HEADER, MAX_SERVER_HEADER, Opcode};
use super::mask;
use super::utf8::{self, Utf8Stream};
use super::violation::Violation;

/// Bounds on one message.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Payload bytes of all its frames together.
    pub message: u64,
    /// Number of its frames.
    pub fragments: u32,
}

/// A whole message or a control frame.
#[derive(Debug, Eq, PartialEq)]
pub struct Incoming {
    /// Text, Binary, Close, Ping or Pong; never Continuation.
    pub opcode: Opcode,
    /// The message is compressed (RFC 7692 §6); never a control frame.
    pub compressed: bool,
    /// The unmasked payload; of Text that is not compressed it is valid UTF-8.
    pub body: Body,
}

/// What RSV1 on the first frame of a message means on this connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rsv1 {
    /// Nothing: it is a violation (RFC 6455 §5.2).
    Reserved,
    /// The message is compressed: permessage-deflate was agreed (RFC 7692 §6).
    Compressed,
}

/// Where the payload of an [`Incoming`] is.
#[derive(Debug, Eq, PartialEq)]
pub enum Body {
    /// In the buffer given to [`Receiver::next`].
    Window(Range<usize>),
    /// In memory of its own.
    Owned(Payload),
}

/// A payload with room in front of it for the header of a server frame.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Payload {
    /// Empty, or [`MAX_SERVER_HEADER`] bytes of room and then the payload.
    bytes: Vec<u8>,
}

/// Memory that a [`Payload`] of unknown length begins with: most replies are shorter, and a codec
/// wants as much.
const SHORT: usize = 512;

/// Where in a frame a stream stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Position {
    /// The bytes of a header that has not come whole.
    pub partial: [u8; MAX_CLIENT_HEADER],
    /// How many of them there are.
    pub partial_len: u8,
    /// Payload bytes of the frame that are still to come.
    pub remaining: u64,
}

/// Reassembles the frames of one client.
#[derive(Debug)]
pub struct Receiver {
    limits: Limits,
    rsv1: Rsv1,
    /// The first bytes of a header that has not arrived whole.
    partial: [u8; MAX_CLIENT_HEADER],
    partial_len: u8,
    /// The frame whose payload has not arrived whole.
    frame: Option<Frame>,
    /// The message that has begun and not ended.
    message: Option<Message>,
    /// The payload of a control frame that is arriving in pieces.
    control: Payload,
    /// Frames that have arrived whole.
    frames: u64,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: Opcode,
    compressed: bool,
    fin: bool,
    /// Turned to the next byte to arrive.
    mask: [u8; 4],
    remaining: u64,
}

#[derive(Debug)]
struct Message {
    /// Text or Binary.
    opcode: Opcode,
    compressed: bool,
    payload: Payload,
    fragments: u32,
    utf8: Utf8Stream,
}

impl Receiver {
    /// A receiver at the start of a stream.
    pub const fn new(limits: Limits, rsv1: Rsv1) -> Self {
        Self {
            limits,
            rsv1,
            partial: [0; MAX_CLIENT_HEADER],
            partial_len: 0,
            frame: None,
            message: None,
            control: Payload { bytes: Vec::new() },
            frames: 0,
        }
    }

    /// Consumes `buf` from `*pos` on until something is whole; `Ok(None)` when all is consumed.
    ///
    /// # Errors
    ///
    /// The peer's first violation.  The stream has no meaning from there on: do not call again.
    pub fn next(&mut self, buf: &mut [u8], pos: &mut usize) -> Result<Option<Incoming>, Violation> {
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => {
                    let resumed = self.partial_len > 0;
                    let Some(header) = self.header(buf, pos)? else { return Ok(None) };
                    self.admit(&header)?;
                    if !resumed && let Some(incoming) = self.whole(&header, buf, pos)? {
                        return Ok(Some(incoming));
                    }
                    Frame {
                        opcode: header.opcode,
                        compressed: header.rsv1,
                        fin: header.fin,
                        mask: header.mask,
                        remaining: header.len,
                    }
                }
            };

            self.payload(&mut frame, buf, pos)?;
            if frame.remaining > 0 {
                self.frame = Some(frame);
                return Ok(None);
            }
            self.frames += 1;
            if let Some(incoming) = self.end_of_frame(frame)? {
                return Ok(Some(incoming));
            }
        }
    }

    /// How many frames have arrived whole, fragments included.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Bytes of memory for the message that has begun, and for a control frame in it.
    pub fn held(&self) -> usize {
        self.message.as_ref().map_or(0, |message| message.payload.bytes.capacity())
            + self.control.bytes.capacity()
    }

    /// Where in a frame the next byte will be.
    pub fn position(&self) -> Position {
        Position {
            partial: self.partial,
            partial_len: self.partial_len,
            remaining: self.frame.map_or(0, |frame| frame.remaining),
        }
    }

    /// Whether a message or frame has begun and not ended.
    pub const fn is_mid_message(&self) -> bool {
        self.partial_len > 0 || self.frame.is_some() || self.message.is_some()
    }

    fn header(&mut self, buf: &[u8], pos: &mut usize) -> Result<Option<Header>, Violation> {
        let input = buf.get(*pos..).unwrap_or_default();
        if self.partial_len == 0
            && let Some((header, len)) = header::decode(input)?
        {
            *pos += len;
            return Ok(Some(header));
        }
        // Rare: the header straddles two reads.  It is at most 14 bytes, so byte by byte will do.
        for byte in input {
            let len = usize::from(self.partial_len) + 1;
            if let Some(slot) = self.partial.get_mut(len - 1) {
                *slot = *byte;
            }
            *pos += 1;
            self.partial_len = len as u8;
            if let Some((header, _)) = header::decode(self.partial.get(..len).unwrap_or_default())?
            {
                self.partial_len = 0;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    /// Checks a header against what came before it, before a byte of its payload is looked at.
    fn admit(&mut self, header: &Header) -> Result<(), Violation> {
        // RFC 7692 §6.1: on the first frame of a message only.
        if header.rsv1 && (self.rsv1 == Rsv1::Reserved || header.opcode == Opcode::Continuation) {
            return Err(Violation::ReservedBits);
        }
        if header.opcode.is_control() {
            return Ok(());
        }
        let mut compressed = header.rsv1;
        let (received, fragments) = match (&mut self.message, header.opcode) {
            (None, Opcode::Continuation) => return Err(Violation::ContinuationWithoutStart),
            (None, _) => (0, 1),
            (Some(message), Opcode::Continuation) => {
                message.fragments = message.fragments.saturating_add(1);
                compressed = message.compressed;
                (message.payload.len() as u64, message.fragments)
            }
            (Some(_), _) => return Err(Violation::InterleavedMessage),
        };
        let limit = if compressed {
            // What does not compress becomes longer by 5 bytes a block (RFC 1951 §3.2.4).
            self.limits.message.saturating_add(self.limits.message / 1024 + 64)
        } else {
            self.limits.message
        };
        if header.len > limit.saturating_sub(received) {
            return Err(Violation::TooBig);
        }
        if fragments > self.limits.fragments {
            return Err(Violation::TooManyFragments);
        }
        Ok(())
    }

    /// The fast path: a frame that is a message by itself and lies whole in the buffer.
    #[inline]
    fn whole(
        &mut self,
        header: &Header,
        buf: &mut [u8],
        pos: &mut usize,
    ) -> Result<Option<Incoming>, Violation> {
        let Ok(len) = usize::try_from(header.len) else { return Ok(None) };
        let range = *pos..pos.saturating_add(len);
        if !header.fin || header.opcode == Opcode::Continuation {
            return Ok(None);
        }
        let Some(payload) = buf.get_mut(range.clone()) else { return Ok(None) };
        mask::apply(payload, header.mask);
        if header.opcode == Opcode::Text && !header.rsv1 {
            utf8::check(payload)?;
        }
        *pos = range.end;
        self.frames += 1;
        Ok(Some(Incoming {
            opcode: header.opcode,
            compressed: header.rsv1,
            body: Body::Window(range),
        }))
    }

    /// Takes what has arrived of the frame's payload.
    fn payload(
        &mut self,
        frame: &mut Frame,
        buf: &mut [u8],
        pos: &mut usize,
    ) -> Result<(), Violation> {
        let arrived = buf.get(*pos..).unwrap_or_default();
        let take = usize::try_from(frame.remaining).map_or(arrived.len(), |r| r.min(arrived.len()));
        let chunk = arrived.get(..take).unwrap_or_default();
        *pos += take;
        frame.remaining -= take as u64;

        if frame.opcode.is_control() {
            self.control.extend(chunk, frame.mask, frame.remaining)?;
        } else {
            let message = self.message.get_or_insert_with(|| Message {
                opcode: frame.opcode,
                compressed: frame.compressed,
                payload: Payload::default(),
                fragments: 1,
                utf8: Utf8Stream::default(),
            });
            // Only the last frame tells how much is still to come; before it, grow by doubling.
            let ahead = if frame.fin { frame.remaining } else { u64::MAX };
            let unmasked = message.payload.extend(chunk, frame.mask, ahead)?;
            if message.opcode == Opcode::Text && !message.compressed {
                message.utf8.feed(unmasked)?;
            }
        }
        frame.mask = mask::advance(frame.mask, take);
        Ok(())
    }

    /// The message or control frame that ends with `frame`, if one does.
    fn end_of_frame(&mut self, frame: Frame) -> Result<Option<Incoming>, Violation> {
        if frame.opcode.is_control() {
            let body = Body::Owned(core::mem::take(&mut self.control));
            return Ok(Some(Incoming { opcode: frame.opcode, compressed: false, body }));
        }
        if !frame.fin {
            return Ok(None);
        }
        let Some(message) = self.message.take() else { return Ok(None) };
        message.utf8.finish()?;
        Ok(Some(Incoming {
            opcode: message.opcode,
            compressed: message.compressed,
            body: Body::Owned(message.payload),
        }))
    }
}

impl Body {
    /// Length of the payload in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Window(range) => range.len(),
            Self::Owned(payload) => payload.len(),
        }
    }

    /// Whether there is no payload.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The payload; `buf` is what the receiver was given.
    pub fn as_slice<'b>(&'b self, buf: &'b [u8]) -> &'b [u8] {
        match self {
            Self::Window(range) => buf.get(range.clone()).unwrap_or_default(),
            Self::Owned(payload) => payload.as_slice(),
        }
    }
}

impl Payload {
    /// Length in bytes, without the room in front.
    pub const fn len(&self) -> usize {
        self.bytes.len().saturating_sub(MAX_SERVER_HEADER)
    }

    /// Whether there is no payload.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The payload.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(MAX_SERVER_HEADER..).unwrap_or_default()
    }

    /// A payload that `fill` writes behind the room for a header.
    ///
    /// One allocation does for a short one; `fill` asks for what it needs beyond that.
    ///
    /// # Errors
    ///
    /// Those of `fill`, and [`Violation::OutOfMemory`].
    pub fn filled_by(
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), Violation>,
    ) -> Result<Self, Violation> {
        let mut bytes = Vec::new();
        let room = MAX_SERVER_HEADER + SHORT;
        bytes.try_reserve_exact(room).map_err(|_| Violation::OutOfMemory)?;
        bytes.resize(MAX_SERVER_HEADER, 0);
        fill(&mut bytes)?;
        Ok(Self { bytes })
    }

    /// Puts the header of a server frame in front: the bytes, and where in them the frame starts.
    pub fn into_frame(mut self, opcode: Opcode, compressed: bool) -> (Vec<u8>, usize) {
        let mut header = header::encode(opcode, self.len());
        if compressed {
            header = header.compressed();
        }
        if self.bytes.is_empty() {
            return (header.to_vec(), 0);
        }
        let start = MAX_SERVER_HEADER - header.len();
        if let Some(room) = self.bytes.get_mut(start..MAX_SERVER_HEADER) {
            room.copy_from_slice(&header);
        }
        (self.bytes, start)
    }

    /// Appends masked bytes and returns them unmasked; at most `ahead` more are expected.
    fn extend(&mut self, masked: &[u8], key: [u8; 4], ahead: u64) -> Result<&[u8], Violation> {
        let room = if self.bytes.is_empty() { MAX_SERVER_HEADER } else { 0 };
        let old = self.bytes.len() + room;
        let needed = old + masked.len();
        if needed > self.bytes.capacity() {
            // Memory follows the bytes received, and never exceeds those announced.
            let announced = usize::try_from(ahead).map_or(usize::MAX, |a| needed.saturating_add(a));
            let target = needed.max(2 * self.bytes.capacity()).min(announced);
            self.bytes
                .try_reserve_exact(target - self.bytes.len())
                .map_err(|_| Violation::OutOfMemory)?;
        }
        if room > 0 {
            self.bytes.resize(room, 0);
        }
        self.bytes.extend_from_slice(masked);
        let new = self.bytes.get_mut(old..).unwrap_or_default();
        mask::apply(new, key);
        Ok(new)
    }
}

#[cfg(test)]
#[path = "receiver_tests.rs"]
mod tests;
