//! permessage-deflate (RFC 7692) on one connection.
//!
//! The codecs belong to the worker, and its sockets take turns message by message.  A socket owns
//! nothing but, with context takeover, the last bytes of each direction.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::proto::frame::deflate::{Deflater, History, Inflater};
use crate::proto::frame::receiver::Payload;
use crate::proto::frame::violation::Violation;
use crate::proto::handshake::extension::Agreement;
use crate::settings::CompressionSettings;

/// What was agreed on a connection, and what it remembers for that.
#[derive(Debug)]
pub(crate) struct Compression {
    settings: CompressionSettings,
    window_bits: u8,
    sent: Option<History>,
    received: Option<History>,
}

/// The codecs of a worker.
#[derive(Debug)]
struct Codecs {
    /// By level and window bits: the configuration bounds their number.
    deflaters: BTreeMap<(u32, u8), Deflater>,
    inflater: Option<Inflater>,
}

thread_local! {
    static CODECS: RefCell<Codecs> =
        const { RefCell::new(Codecs { deflaters: BTreeMap::new(), inflater: None }) };
}

impl Compression {
    pub(crate) fn new(settings: CompressionSettings, agreement: Agreement) -> Self {
        Self {
            settings,
            window_bits: agreement.server_window_bits,
            sent: agreement.server_takeover.then(|| History::new(agreement.server_window_bits)),
            received: agreement.client_takeover.then(|| History::new(agreement.client_window_bits)),
        }
    }

    /// The compressed form of a message, where there is any use in it.
    pub(super) fn deflate(&mut self, plain: &[u8]) -> Result<Option<Payload>, Violation> {
        if plain.len() < self.settings.min_length {
            return Ok(None);
        }
        let key = (self.settings.level, self.window_bits);
        let payload = CODECS.with_borrow_mut(|codecs| {
            let deflater = match codecs.deflaters.entry(key) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(Deflater::new(key.0, key.1)?),
            };
            Payload::filled_by(|out| deflater.message(plain, self.sent.as_mut(), out))
        })?;
        // What the history holds must go out, even if it grew.
        Ok(Some(payload).filter(|p| self.sent.is_some() || p.len() < plain.len()))
    }

    /// The message that a compressed one stands for; at most `limit` bytes.
    pub(super) fn inflate(&mut self, deflated: &[u8], limit: u64) -> Result<Payload, Violation> {
        CODECS.with_borrow_mut(|codecs| {
            let inflater = match &mut codecs.inflater {
                Some(inflater) => inflater,
                none => none.insert(Inflater::new()?),
            };
            let received = self.received.as_mut();
            Payload::filled_by(|out| inflater.message(deflated, limit, received, out))
        })
    }
}
