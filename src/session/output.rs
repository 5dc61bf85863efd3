//! The way out: messages to the client, compressed where that was agreed.

use super::Session;
use crate::nginx::connection::Connection;
use crate::nginx::tenancy::{End, Turn};
use crate::proto::call::answer::{Answer, Failure};
use crate::proto::dialect::native;
use crate::proto::endpoint::outbound::{Broken, Unsent, Wire};
use crate::proto::frame::header::Opcode;
use crate::proto::frame::receiver::{Body, Payload};
use crate::proto::frame::violation::Violation;
use crate::proto::hold::memory::NoMemory;
use crate::worker::codecs;

impl Wire for Connection {
    fn send(&mut self, pieces: &[&[u8]]) -> Result<usize, Broken> {
        Self::send(*self, pieces)
    }

    fn is_flushed(&self) -> bool {
        !self.has_buffered()
    }
}

impl Session {
    /// Sends a frame with the payload just received, behind all that waits.
    pub(super) fn send_back(
        &mut self,
        opcode: Opcode,
        body: Body,
        buf: &mut [u8],
        turn: &Turn<'_>,
    ) -> Result<(), End> {
        let compressed = match self.deflate(opcode, body.as_slice(buf)) {
            Ok(compressed) => compressed,
            Err(violation) => return self.fail_behind(violation, buf, turn),
        };
        let queued = match (compressed, body) {
            (Some(payload), _) => self.outbound.push_payload(buf, opcode, payload, true),
            (None, Body::Window(range)) => self.outbound.echo(buf, opcode, range),
            (None, Body::Owned(payload)) => self.outbound.push_payload(buf, opcode, payload, false),
        };
        queued.or_else(|v| self.fail_behind(v, buf, turn))
    }

    /// The compressed form of a data message, where that was agreed on and is of any use.
    fn deflate(&mut self, opcode: Opcode, plain: &[u8]) -> Result<Option<Payload>, Violation> {
        match &mut self.compression {
            Some(compression) if !opcode.is_control() => {
                codecs::with(|codecs| compression.deflate(codecs, plain))
            }
            _ => Ok(None),
        }
    }

    /// Sends the answers that are due.
    pub(super) fn answer(&mut self, turn: &Turn<'_>) -> Result<(), End> {
        self.answer_behind(&[], turn)
    }

    /// As [`answer`](Self::answer), behind what was built in the receive buffer.
    pub(super) fn answer_behind(&mut self, buf: &[u8], turn: &Turn<'_>) -> Result<(), End> {
        while self.life.is_open()
            && let Some(written) = self.services.poll(turn.now(), write)
        {
            self.reply(written, buf, turn)?;
        }
        Ok(())
    }

    /// Answers a message with a failure.
    pub(super) fn reply_failure(
        &mut self,
        failure: Failure,
        id: Option<&str>,
        buf: &[u8],
        turn: &Turn<'_>,
    ) -> Result<(), End> {
        self.reply(write(&Answer::Failure(failure), id), buf, turn)
    }

    /// Sends a text message of ours.
    fn reply(
        &mut self,
        written: Result<Payload, NoMemory>,
        buf: &[u8],
        turn: &Turn<'_>,
    ) -> Result<(), End> {
        let Ok(payload) = written else {
            return self.fail_behind(Violation::OutOfMemory, buf, turn);
        };
        self.facts.sent(payload.len());
        self.counters.sent(true, payload.len());
        let queued = self.deflate(Opcode::Text, payload.as_slice()).and_then(|compressed| {
            let is_compressed = compressed.is_some();
            let payload = compressed.unwrap_or(payload);
            self.outbound.push_payload(buf, Opcode::Text, payload, is_compressed)
        });
        queued.or_else(|v| self.fail_behind(v, buf, turn))
    }

    /// Sends the frames built in `buf`, and what waits before them.
    pub(super) fn finish(&mut self, buf: &[u8], turn: &Turn<'_>) -> Result<(), End> {
        match self.outbound.finish(buf, &mut turn.connection()) {
            Ok(progress) => {
                self.note_progress(progress, turn);
                Ok(())
            }
            Err(Unsent::Broken) => Err(End::Abort),
            Err(Unsent::NoMemory(violation)) => self.fail(violation, turn),
        }
    }

    /// Sends as much of what waits as the client takes.
    pub(super) fn flush(&mut self, turn: &Turn<'_>) -> Result<(), End> {
        let mut c = turn.connection();
        let progress = c.has_tls_buffered() && c.flush_tls()?;
        let progress = self.outbound.flush(&mut c)? || progress;
        self.note_progress(progress, turn);
        Ok(())
    }

    /// `ws_send_timeout` counts from the last progress.
    fn note_progress(&self, progress: bool, turn: &Turn<'_>) {
        if progress {
            turn.connection().disarm_send_timer();
        }
    }
}

/// An answer as the payload of a message.
fn write(answer: &Answer<'_>, id: Option<&str>) -> Result<Payload, NoMemory> {
    let filled = Payload::filled_by(|out| {
        native::write(answer, id, out).map_err(|NoMemory| Violation::OutOfMemory)
    });
    filled.map_err(|_| NoMemory)
}
