//! The way in: bytes of the client to messages and control frames.

use super::Session;
use crate::handler::Reaction;
use crate::nginx::connection::{Connection, Received};
use crate::nginx::log::Level;
use crate::nginx::request::End;
use crate::nginx::scratch;
use crate::proto::batch::Batch;
use crate::proto::close::{self, Event, State};
use crate::proto::header::Opcode;
use crate::proto::receiver::{Body, Incoming};

/// Reads per event before other connections get their turn.
const ROUNDS: usize = 16;

impl Session {
    /// Whether bytes of the client are of any use now.
    pub(super) fn wants_input(&self) -> bool {
        matches!(self.state, State::Open | State::Closing)
            && self.outbox.len() <= self.settings.send_queue
    }

    /// Reads and serves what has arrived.
    pub(super) fn read(&mut self, c: Connection, now: u64) -> Result<(), End> {
        scratch::with(|buf| {
            for _ in 0..ROUNDS {
                if !c.is_read_ready() || !self.wants_input() {
                    return Ok(());
                }
                match c.recv(buf) {
                    Received::Bytes(n) => {
                        self.consume(buf.get_mut(..n).unwrap_or_default(), c, now)?;
                    }
                    Received::Again => return Ok(()),
                    Received::Eof => return Err(self.on_eof(c)),
                    Received::Broken => return Err(End::Abort),
                }
            }
            // Edge-triggered events: nobody will tell us again of what is still unread.
            if self.wants_input() {
                c.read_later();
            }
            Ok(())
        })
    }

    /// Serves bytes of the client.  Frames that go out at once are built and sent in place.
    pub(super) fn consume(&mut self, buf: &mut [u8], c: Connection, now: u64) -> Result<(), End> {
        self.clock.heard(now);
        let mut batch = Batch::default();
        let mut pos = 0;
        while matches!(self.state, State::Open | State::Closing) {
            match self.receiver.next(buf, &mut pos) {
                Ok(Some(incoming)) => self.dispatch(incoming, buf, &mut batch, c, now)?,
                Ok(None) => break,
                Err(violation) => {
                    // Answers to what came before the violation go out before the Close frame.
                    self.send_batch(&mut batch, buf, c, now)?;
                    self.fail(violation, c, now)?;
                }
            }
        }
        self.send_batch(&mut batch, buf, c, now)?;
        self.flush(c)
    }

    fn dispatch(
        &mut self,
        incoming: Incoming,
        buf: &mut [u8],
        batch: &mut Batch,
        c: Connection,
        now: u64,
    ) -> Result<(), End> {
        let Incoming { opcode, body } = incoming;
        match opcode {
            Opcode::Text | Opcode::Binary => {
                let len = body.len() as u64;
                self.traffic.messages_in += 1;
                self.traffic.bytes_in += len;
                // RFC 6455 §5.5.1: after a Close frame, no more data.
                if self.state == State::Open {
                    match self.handler.message() {
                        Reaction::SendBack => {
                            self.traffic.messages_out += 1;
                            self.traffic.bytes_out += len;
                            self.emit(opcode, body, buf, batch, c, now)?;
                        }
                    }
                }
            }
            Opcode::Ping if self.state == State::Open => {
                self.emit(Opcode::Pong, body, buf, batch, c, now)?;
            }
            Opcode::Close => {
                self.send_batch(batch, buf, c, now)?;
                let parsed = close::parse(body.as_slice(buf));
                return match parsed {
                    Ok((code, reason)) => {
                        let reason = reason.to_owned();
                        self.turn(Event::PeerClose, code, &reason, c, now)
                    }
                    Err(violation) => self.fail(violation, c, now),
                };
            }
            // An unasked Pong is a one-way heartbeat (§5.5.3); Continuation does not occur.
            Opcode::Ping | Opcode::Pong | Opcode::Continuation => {}
        }
        Ok(())
    }

    fn on_eof(&self, c: Connection) -> End {
        if self.state == State::Open {
            c.log(Level::Info, format_args!("websocket: client left without a close frame"));
        }
        End::Abort
    }

    /// Reads and forgets what has arrived.
    pub(super) fn discard(&self, c: Connection) {
        scratch::with(|buf| {
            for _ in 0..ROUNDS {
                if !matches!(c.recv(buf), Received::Bytes(_)) {
                    break;
                }
            }
        });
    }
}

impl Body {
    fn len(&self) -> usize {
        match self {
            Self::Window(range) => range.len(),
            Self::Owned(payload) => payload.len(),
        }
    }

    /// The payload; `buf` is what the receiver was given.
    fn as_slice<'b>(&'b self, buf: &'b [u8]) -> &'b [u8] {
        match self {
            Self::Window(range) => buf.get(range.clone()).unwrap_or_default(),
            Self::Owned(payload) => payload.as_slice(),
        }
    }
}
