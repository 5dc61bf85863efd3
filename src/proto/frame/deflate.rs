//! The payload transformation of permessage-deflate (RFC 7692 §7.2), whole messages only.
//!
//! A [`Deflater`] and an [`Inflater`] forget each message and so serve all sockets of a worker.
//! What a direction of a socket remembers for context takeover is its last bytes as plain text, in
//! a [`History`] of its own, not a compressor: at most 32 KiB instead of 371, and nothing before
//! the first message.  The price is that a deflater reads the history again for each message: 0.7 ms
//! per MiB, so 25 us for a full one of 15 bits and 3 us for one of 12.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::violation::Violation;
use crate::proto::hold::memory;

/// The last bytes of one direction of a socket, to which its next message may refer.
#[derive(Debug)]
pub struct History {
    bytes: Vec<u8>,
    window: usize,
}

impl History {
    /// Remembers up to 2^`window_bits` bytes; 9 to 15, and the nearest of them for any other value.
    pub const fn new(window_bits: u8) -> Self {
        // Some releases of zlib use 9 where 8 was agreed, so 8 is brought up to 9, too.
        let bits = match window_bits {
            ..9 => 9,
            9..=15 => window_bits,
            16.. => 15,
        };
        Self { bytes: Vec::new(), window: 1 << bits }
    }

    /// Bytes of memory.
    pub const fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends a message; memory doubles with what there is to remember, up to the window.
    fn push(&mut self, plain: &[u8]) -> Result<(), Violation> {
        let plain = plain.get(plain.len().saturating_sub(self.window)..).unwrap_or_default();
        let needed = (self.bytes.len() + plain.len()).min(self.window);
        if needed > self.bytes.capacity() {
            let target = needed.max(2 * self.bytes.capacity()).min(self.window);
            self.bytes
                .try_reserve_exact(target - self.bytes.len())
                .map_err(|_| Violation::OutOfMemory)?;
        }
        self.bytes.drain(..self.bytes.len() + plain.len() - needed);
        self.bytes.extend_from_slice(plain);
        Ok(())
    }
}

/// Compresses messages, each by itself or in the light of a [`History`].
#[derive(Debug)]
pub struct Deflater {
    stream: Compress,
}

impl Deflater {
    /// A compressor of 245 KiB (a window of 9 bits) to 371 KiB (15 bits).
    ///
    /// Levels are 1 to 9, windows 9 to 15 bits, and the nearest of them for any other value.
    ///
    /// # Errors
    ///
    /// [`Violation::OutOfMemory`].
    pub fn new(level: u32, window_bits: u8) -> Result<Self, Violation> {
        see_whether_there_is_memory()?;
        let level = Compression::new(level.clamp(1, 9));
        let stream = Compress::new_with_window_bits(level, false, window_bits.clamp(9, 15));
        Ok(Self { stream })
    }

    /// Appends the payload of a compressed message to `out` (RFC 7692 §7.2.1).
    ///
    /// With a `history` (context takeover) it refers to the earlier messages there, and is added.
    ///
    /// # Errors
    ///
    /// [`Violation::OutOfMemory`], or [`Violation::Compressor`] for a bug; `out` and `history` are
    /// then as they were, and the message may still be sent uncompressed.
    pub fn message(
        &mut self,
        plain: &[u8],
        history: Option<&mut History>,
        out: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        let start = out.len();
        let earlier = history.as_deref().map_or(&[][..], |history| &history.bytes);
        let result = self.deflate(plain, earlier, out).and_then(|()| match history {
            Some(history) => history.push(plain),
            None => Ok(()),
        });
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    fn deflate(
        &mut self,
        plain: &[u8],
        earlier: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        self.stream.reset();
        if !earlier.is_empty() {
            self.stream.set_dictionary(earlier).map_err(|_| Violation::Compressor)?;
        }
        let mut rest = plain;
        // Text shrinks to less than half; what does not goes round again.
        let mut room = (plain.len() / 2).clamp(MIN_ROOM, MAX_ROOM);
        loop {
            let seen = self.stream.total_in();
            let written = append(out, room, usize::MAX, |room| {
                let before = self.stream.total_out();
                self.stream
                    .compress(rest, room, FlushCompress::Sync)
                    .map_err(|_| Violation::Compressor)?;
                Ok(self.stream.total_out() - before)
            })?;
            let seen = advance(&mut rest, self.stream.total_in() - seen);
            if rest.is_empty() && written < room {
                break;
            }
            if written == 0 && seen == 0 {
                return Err(Violation::Compressor);
            }
            room = (2 * room).min(MAX_ROOM);
        }
        // RFC 7692 §7.2.1: of the empty block that ends a flush, only the header is sent.
        if !out.ends_with(TAIL) {
            return Err(Violation::Compressor);
        }
        out.truncate(out.len() - TAIL.len());
        Ok(())
    }
}

/// Decompresses messages, each by itself or in the light of a [`History`].
#[derive(Debug)]
pub struct Inflater {
    stream: Decompress,
    /// How often the message had its window loaded behind a final block.
    loads: usize,
}

/// Why [`Inflater::run`] stopped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Pause {
    /// At the end of the input, maybe inside of a block.
    Hungry,
    /// Behind a final block, at a byte boundary.
    FinalBlock,
}

impl Inflater {
    /// A decompressor of 46 KiB, for windows of any size.
    ///
    /// # Errors
    ///
    /// [`Violation::OutOfMemory`].
    pub fn new() -> Result<Self, Violation> {
        see_whether_there_is_memory()?;
        Ok(Self { stream: Decompress::new(false), loads: 0 })
    }

    /// Appends a message to `out`, given the payload that was received of it (RFC 7692 §7.2.2).
    ///
    /// With a `history` (context takeover) it may refer to earlier messages there, and is added.
    /// Memory grows with what has been decompressed, to `limit` + 1 bytes at most.
    ///
    /// # Errors
    ///
    /// [`Violation::TooBig`] when the message has more than `limit` bytes, known after `limit` + 1;
    /// [`Violation::BadCompression`] when it is not DEFLATE, refers to what was not sent, or ends
    /// inside of a block; [`Violation::TooManyBlocks`] when it refers back across too many final
    /// ones; [`Violation::OutOfMemory`].  `out` is then as long as it was.
    pub fn message(
        &mut self,
        compressed: &[u8],
        limit: u64,
        history: Option<&mut History>,
        out: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        let start = out.len();
        // A message has to fit into memory, so a limit beyond it is none.
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let end = start.saturating_add(limit);
        let earlier = history.as_deref().map_or(&[][..], |history| &history.bytes);
        let result = self.inflate(compressed, earlier, end, out).and_then(|()| match history {
            Some(history) => history.push(out.get(start..).unwrap_or_default()),
            None => Ok(()),
        });
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// Decompresses a message behind `out`, which must not grow beyond `end` bytes.
    fn inflate(
        &mut self,
        compressed: &[u8],
        earlier: &[u8],
        end: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        let start = out.len();
        let mut rest = compressed;
        let mut pause = Pause::FinalBlock;
        // Text grows to about four times as much.
        let mut room = compressed.len().saturating_mul(4).clamp(MIN_ROOM, MAX_ROOM);
        self.loads = 0;
        self.restart(earlier, &[])?;
        while !rest.is_empty() {
            let (before, made) = (rest, out.len());
            pause = match self.run(&mut rest, room, end, out) {
                // Maybe it refers to what is before the final block.
                Err(Violation::BadCompression) if before.len() < compressed.len() => {
                    self.loads += 1;
                    if self.loads > FREE_LOADS + compressed.len() / BYTES_PER_LOAD {
                        return Err(Violation::TooManyBlocks);
                    }
                    rest = before;
                    out.truncate(made);
                    self.restart(earlier, out.get(start..).unwrap_or_default())?;
                    self.run(&mut rest, room, end, out)?
                }
                result => result?,
            };
            if rest.len() == before.len() {
                return Err(Violation::BadCompression);
            }
            // RFC 7692 §7.2.1: a final block ends neither the message nor the window.  But to load a
            // window takes longer than to read a block, and one to which nothing refers is of no
            // use: without it, what refers to it does not inflate.
            if pause == Pause::FinalBlock {
                self.stream.reset(false);
            }
            room = BEHIND_ROOM;
        }
        // A message that ends with a final block, or is empty, lacks the header of the empty block
        // (§7.2.3.4, §7.2.3.6).  There is but one way to read it, and other decoders do.
        if pause == Pause::FinalBlock {
            return Ok(());
        }
        // §7.2.2 appends TAIL.  The empty block that it completes may be a final one; if not, one
        // more tells whether TAIL was read as such a block, and not inside of another.
        match self.finish(TAIL)? {
            Pause::FinalBlock => Ok(()),
            Pause::Hungry => match self.finish(FINAL_BLOCK)? {
                Pause::FinalBlock => Ok(()),
                Pause::Hungry => Err(Violation::BadCompression),
            },
        }
    }

    /// Reads octets behind a message, all of them, which must not yield output.
    fn finish(&mut self, octets: &[u8]) -> Result<Pause, Violation> {
        let seen = self.stream.total_in();
        let status = self.stream.decompress(octets, &mut [], FlushDecompress::Sync);
        match (status, self.stream.total_in() - seen == octets.len() as u64) {
            (Ok(Status::Ok), true) => Ok(Pause::Hungry),
            (Ok(Status::StreamEnd), true) => Ok(Pause::FinalBlock),
            _ => Err(Violation::BadCompression),
        }
    }

    /// Begins a stream whose window holds `earlier` and then `message`, as far as they fit.
    fn restart(&mut self, earlier: &[u8], message: &[u8]) -> Result<(), Violation> {
        self.stream.reset(false);
        for part in [earlier, message] {
            if !part.is_empty() {
                self.stream.set_dictionary(part).map_err(|_| Violation::BadCompression)?;
            }
        }
        Ok(())
    }

    /// Decompresses up to the end of `rest` or of a final block; fails beyond `end` bytes in `out`.
    fn run(
        &mut self,
        rest: &mut &[u8],
        mut room: usize,
        end: usize,
        out: &mut Vec<u8>,
    ) -> Result<Pause, Violation> {
        loop {
            // One byte beyond the end tells that there is more.
            let ahead = end.saturating_sub(out.len()).saturating_add(1);
            room = room.min(ahead);
            let seen = self.stream.total_in();
            let mut status = Status::Ok;
            let written = append(out, room, ahead, |room| {
                let before = self.stream.total_out();
                status = self
                    .stream
                    .decompress(rest, room, FlushDecompress::Sync)
                    .map_err(|_| Violation::BadCompression)?;
                Ok(self.stream.total_out() - before)
            })?;
            let seen = advance(rest, self.stream.total_in() - seen);
            if out.len() > end {
                return Err(Violation::TooBig);
            }
            if status == Status::StreamEnd {
                return Ok(Pause::FinalBlock);
            }
            if rest.is_empty() && written < room {
                return Ok(Pause::Hungry);
            }
            if written == 0 && seen == 0 {
                return Err(Violation::BadCompression);
            }
            room = (2 * room).min(MAX_ROOM);
        }
    }
}

/// Lets `fill` write into `room` bytes behind `out`, and keeps as many as it says.
///
/// Memory doubles, but never for more than `ahead` bytes.  Room costs time even where it is not
/// written to, because it is zeroed first.
fn append(
    out: &mut Vec<u8>,
    room: usize,
    ahead: usize,
    fill: impl FnOnce(&mut [u8]) -> Result<u64, Violation>,
) -> Result<usize, Violation> {
    let old = out.len();
    if out.capacity() - old < room {
        out.try_reserve_exact(room.max(old.min(ahead))).map_err(|_| Violation::OutOfMemory)?;
    }
    out.resize(old + room, 0);
    let written = fill(out.get_mut(old..).unwrap_or_default());
    let kept = written.map_or(0, |n| usize::try_from(n).map_or(room, |n| n.min(room)));
    out.truncate(old + kept);
    written.map(|_| kept)
}

/// Drops the first `n` bytes of `rest` and returns their number.
fn advance(rest: &mut &[u8], n: u64) -> usize {
    let n = usize::try_from(n).map_or(rest.len(), |n| n.min(rest.len()));
    *rest = rest.get(n..).unwrap_or_default();
    n
}

/// zlib-rs panics when it cannot allocate; so that it can, see whether more than it needs is there.
fn see_whether_there_is_memory() -> Result<(), Violation> {
    if memory::has_room(LARGEST_CODEC) { Ok(()) } else { Err(Violation::OutOfMemory) }
}

/// What a codec takes, rounded up.
const LARGEST_CODEC: usize = 448 * 1024;

/// An empty block without compression, less the three bits of its header (RFC 7692 §7.2.1).
const TAIL: &[u8] = &[0x00, 0x00, 0xFF, 0xFF];

/// The same as a final block, with its header.
const FINAL_BLOCK: &[u8] = &[0x01, 0x00, 0x00, 0xFF, 0xFF];

/// What is behind a final block may refer to what is before it so many times in a message, and once
/// more for each so many bytes of it.  A client ends a message with a final block, if anything.
const FREE_LOADS: usize = 32;
const BYTES_PER_LOAD: usize = 256;

/// Output is made in steps of at least and at most this many bytes, limits permitting.
const MIN_ROOM: usize = 512;
const MAX_ROOM: usize = 64 * 1024;
/// The first step behind a final block: small, for there may be a million of them.
const BEHIND_ROOM: usize = 64;

#[cfg(test)]
#[path = "deflate_tests.rs"]
mod tests;
