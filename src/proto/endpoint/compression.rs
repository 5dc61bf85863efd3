//! permessage-deflate (RFC 7692) on one connection.
//!
//! The codecs are lent: they serve many sockets, which take turns message by message.  A socket owns
//! nothing but, with context takeover, the last bytes of each direction.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::proto::frame::deflate::{Deflater, History, Inflater};
use crate::proto::frame::receiver::Payload;
use crate::proto::frame::violation::Violation;
use crate::proto::handshake::extension::Agreement;

/// What was agreed on a connection, and what it remembers for that.
#[derive(Debug)]
pub struct Compression {
    level: u32,
    /// Shorter messages go out as they are.
    min_length: usize,
    window_bits: u8,
    sent: Option<History>,
    received: Option<History>,
}

/// Codecs for any number of sockets, made when they are first needed.
#[derive(Debug, Default)]
pub struct Codecs {
    /// By level and window bits: the configuration bounds their number.
    deflaters: BTreeMap<(u32, u8), Deflater>,
    inflater: Option<Inflater>,
}

impl Codecs {
    /// None yet.
    pub const fn new() -> Self {
        Self { deflaters: BTreeMap::new(), inflater: None }
    }
}

impl Compression {
    /// What was agreed; `level` is zlib's, 1 to 9, `min_length` in bytes.
    pub fn new(level: u32, min_length: usize, agreement: Agreement) -> Self {
        Self {
            level,
            min_length,
            window_bits: agreement.server_window_bits,
            sent: agreement.server_takeover.then(|| History::new(agreement.server_window_bits)),
            received: agreement.client_takeover.then(|| History::new(agreement.client_window_bits)),
        }
    }

    /// The compressed form of a message, where there is any use in it.
    ///
    /// # Errors
    ///
    /// Those of [`Deflater::message`]: they are ours, not the peer's.
    pub fn deflate(
        &mut self,
        codecs: &mut Codecs,
        plain: &[u8],
    ) -> Result<Option<Payload>, Violation> {
        if plain.len() < self.min_length {
            return Ok(None);
        }
        let key = (self.level, self.window_bits);
        let deflater = match codecs.deflaters.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Deflater::new(key.0, key.1)?),
        };
        let payload = Payload::filled_by(|out| deflater.message(plain, self.sent.as_mut(), out))?;
        // What the history holds must go out, even if it grew.
        Ok(Some(payload).filter(|p| self.sent.is_some() || p.len() < plain.len()))
    }

    /// The message that a compressed one stands for; at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`Inflater::message`].
    pub fn inflate(
        &mut self,
        codecs: &mut Codecs,
        deflated: &[u8],
        limit: u64,
    ) -> Result<Payload, Violation> {
        let inflater = match &mut codecs.inflater {
            Some(inflater) => inflater,
            none => none.insert(Inflater::new()?),
        };
        let received = self.received.as_mut();
        Payload::filled_by(|out| inflater.message(deflated, limit, received, out))
    }

    /// Bytes of memory of this socket.
    pub fn held(&self) -> usize {
        let Self { level: _, min_length: _, window_bits: _, sent, received } = self;
        size_of::<Self>() + [sent, received].into_iter().flatten().map(History::held).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::handshake::extension::{Policy, negotiate};

    fn agreement(takeover: bool) -> Agreement {
        let policy = Policy { window_bits: 15, context_takeover: takeover };
        let offer: &[u8] = b"permessage-deflate";
        negotiate([offer].into_iter(), &policy).unwrap().unwrap()
    }

    #[test]
    fn one_socket_compresses_what_another_inflates_with_the_same_codecs() {
        let mut codecs = Codecs::new();
        for takeover in [false, true] {
            let mut here = Compression::new(1, 16, agreement(takeover));
            let mut there = Compression::new(1, 16, agreement(takeover));
            let text = b"the same words, again and again; the same words".repeat(20);
            for _ in 0..3 {
                let payload = here.deflate(&mut codecs, &text).unwrap().unwrap();
                assert!(payload.len() < text.len());
                let plain = there.inflate(&mut codecs, payload.as_slice(), 1 << 20).unwrap();
                assert_eq!(plain.as_slice(), text);
            }
            assert!(here.deflate(&mut codecs, b"short").unwrap().is_none());
            assert_eq!(here.held() > size_of::<Compression>(), takeover);
        }
    }
}
