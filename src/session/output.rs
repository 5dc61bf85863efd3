//! The way out: frames to the client, at once or from the outbox, in order.

use super::Session;
use crate::handler::Handler;
use crate::nginx::connection::{Connection, MAX_PIECES};
use crate::nginx::heap;
use crate::nginx::request::End;
use crate::proto::frame::batch::Batch;
use crate::proto::frame::close::State;
use crate::proto::frame::header::{self, Opcode};
use crate::proto::frame::receiver::Body;
use crate::proto::frame::violation::Violation;

/// Bytes of a reply that was not made in one event.
const LARGE: usize = 64 * 1024;

impl Session {
    /// Sends a frame with the payload just received, behind all that waits.
    pub(super) fn emit(
        &mut self,
        opcode: Opcode,
        body: Body,
        buf: &mut [u8],
        batch: &mut Batch,
        c: Connection,
        now: u64,
    ) -> Result<(), End> {
        if let Some(compression) = self.compression.as_mut().filter(|_| !opcode.is_control()) {
            match compression.deflate(body.as_slice(buf)) {
                Ok(None) => {}
                Ok(Some(payload)) => {
                    self.send_batch(batch, buf, c, now)?;
                    let (bytes, start) = payload.into_frame(opcode, true);
                    self.outbox.push_owned(bytes, start).or_else(|v| self.fail(v, c, now))?;
                    return self.flush(c);
                }
                Err(violation) => return self.fail(violation, c, now),
            }
        }
        match body {
            Body::Window(range) => {
                if self.outbox.is_empty() && batch.push(buf, opcode, range.clone()).is_some() {
                    return Ok(());
                }
                self.send_batch(batch, buf, c, now)?;
                let payload = buf.get(range).unwrap_or_default();
                self.queue(opcode, payload).or_else(|v| self.fail(v, c, now))
            }
            Body::Owned(payload) => {
                self.send_batch(batch, buf, c, now)?;
                let (bytes, start) = payload.into_frame(opcode, false);
                self.outbox.push_owned(bytes, start).or_else(|v| self.fail(v, c, now))?;
                self.flush(c)
            }
        }
    }

    /// Sends the replies of calls that are over.
    pub(super) fn answer(&mut self, c: Connection, now: u64) -> Result<(), End> {
        while self.state == State::Open
            && let Handler::Rest(rest) = &mut self.handler
            && let Some(reply) = rest.reply(now)
        {
            self.reply(&reply, c, now)?;
        }
        Ok(())
    }

    /// Sends a text message of ours.
    pub(super) fn reply(&mut self, text: &str, c: Connection, now: u64) -> Result<(), End> {
        self.count_out(Opcode::Text, text.len());
        if text.len() >= LARGE {
            heap::released(text.len());
        }
        let compressed = match &mut self.compression {
            Some(compression) => compression.deflate(text.as_bytes()),
            None => Ok(None),
        };
        let queued = compressed.and_then(|payload| match payload {
            Some(payload) => {
                let (bytes, start) = payload.into_frame(Opcode::Text, true);
                self.outbox.push_owned(bytes, start)
            }
            None => self.queue(Opcode::Text, text.as_bytes()),
        });
        queued.or_else(|v| self.fail(v, c, now))
    }

    /// Puts a frame with a copy of `payload` into the outbox.
    pub(super) fn queue(&mut self, opcode: Opcode, payload: &[u8]) -> Result<(), Violation> {
        self.outbox.push(&header::encode(opcode, payload.len()))?;
        self.outbox.push(payload)
    }

    /// Sends the frames built in `buf`; what does not go out now is copied to the outbox.
    pub(super) fn send_batch(
        &mut self,
        batch: &mut Batch,
        buf: &[u8],
        c: Connection,
        now: u64,
    ) -> Result<(), End> {
        let bytes = batch.take(buf);
        if bytes.is_empty() {
            return Ok(());
        }
        let sent = if self.is_flushed(c) { c.send(&[bytes])? } else { 0 };
        self.outbox.push(bytes.get(sent..).unwrap_or_default()).or_else(|v| self.fail(v, c, now))
    }

    /// Sends from the outbox as much as the client takes.
    pub(super) fn flush(&mut self, c: Connection) -> Result<(), End> {
        let mut progress = c.has_tls_buffered() && c.flush_tls()?;
        while !self.outbox.is_empty() && c.is_write_ready() {
            let sent = c.send(&self.outbox.front::<MAX_PIECES>())?;
            self.outbox.advance(sent);
            progress |= sent > 0;
            if sent == 0 {
                break;
            }
        }
        // `ws_send_timeout` counts from the last progress.
        if progress {
            c.disarm_send_timer();
        }
        Ok(())
    }

    /// Whether every byte we sent has left this process.
    pub(super) fn is_flushed(&self, c: Connection) -> bool {
        self.outbox.is_empty() && !c.has_buffered()
    }
}
