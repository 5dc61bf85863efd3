//! The way in: bytes of the client to messages and control frames.

use core::mem;

use super::Session;
use super::limits::Admission;
use crate::handler::Handler;
use crate::metrics::Counter;
use crate::nginx::connection::{Connection, Received};
use crate::nginx::log::Level;
use crate::nginx::request::{End, Request};
use crate::nginx::scratch;
use crate::proto::frame::batch::Batch;
use crate::proto::frame::close::{self, Event, State};
use crate::proto::frame::header::Opcode;
use crate::proto::frame::receiver::{Body, Incoming, Payload};
use crate::proto::frame::utf8;
use crate::proto::frame::violation::Violation;

/// Reads per event before other connections get their turn.
const ROUNDS: usize = 8;

/// Bytes of an unfinished frame that count as much as a frame.
const PROGRESS: usize = 4096;

impl Session {
    /// Whether bytes of the client are of any use now.
    pub(super) fn wants_input(&self) -> bool {
        match self.state {
            State::Open => {
                self.outbox.len() <= self.settings.send_queue
                    && self.paused_until == 0
                    && self.handler.is_ready()
            }
            State::Closing => true,
            State::Closed | State::Failed => false,
        }
    }

    /// Whether bytes of the client are to be looked at in this turn.
    fn takes_input(&self) -> bool {
        self.budget > 0 && self.wants_input()
    }

    /// Serves what has arrived, in order: behind the handshake, set aside, in the kernel.
    pub(super) fn receive(&mut self, request: Request, c: Connection, now: u64) -> Result<(), End> {
        if self.takes_input() {
            let early = request.take_early_input();
            if !early.is_empty() {
                self.consume(early, request, c, now)?;
            }
        }
        while self.takes_input() && !self.stash.is_empty() {
            let mut stash = mem::take(&mut self.stash);
            self.consume(&mut stash, request, c, now)?;
        }
        self.read(request, c, now)?;
        // Nobody reads on while a call is worked on; a client that is gone must be noticed still.
        let waits = !self.wants_input() && self.paused_until == 0;
        if waits && self.state == State::Open && c.has_pending_eof() {
            return Err(self.on_eof(c));
        }
        Ok(())
    }

    fn read(&mut self, request: Request, c: Connection, now: u64) -> Result<(), End> {
        scratch::with(|buf| {
            for _ in 0..ROUNDS {
                if !c.is_read_ready() || !self.takes_input() || !self.stash.is_empty() {
                    break;
                }
                match c.recv(buf) {
                    Received::Bytes(n) => {
                        let bytes = buf.get_mut(..n).unwrap_or_default();
                        self.consume(bytes, request, c, now)?;
                    }
                    Received::Again => return Ok(()),
                    Received::Eof => return Err(self.on_eof(c)),
                    Received::Broken => return Err(End::Abort),
                }
            }
            // Edge-triggered events: nobody will tell us again of what is still unread.
            if self.wants_input() && (c.is_read_ready() || !self.stash.is_empty()) {
                c.read_later();
            }
            Ok(())
        })
    }

    /// Serves bytes of the client.  Frames that go out at once are built and sent in place; bytes
    /// that must wait are set aside.
    fn consume(
        &mut self,
        buf: &mut [u8],
        request: Request,
        c: Connection,
        now: u64,
    ) -> Result<(), End> {
        let mut batch = Batch::default();
        let mut pos = 0;
        let frames = self.receiver.frames();
        while matches!(self.state, State::Open | State::Closing) {
            if !self.takes_input() {
                self.set_aside(buf.get(pos..).unwrap_or_default(), c)?;
                break;
            }
            match self.receiver.next(buf, &mut pos) {
                Ok(Some(incoming)) => {
                    self.dispatch(incoming, buf, &mut batch, request, c, now)?;
                }
                Ok(None) => break,
                Err(violation) => {
                    // Answers to what came before the violation go out before the Close frame.
                    self.send_batch(&mut batch, buf, c, now)?;
                    self.fail(violation, c, now)?;
                }
            }
        }
        self.listen(self.receiver.frames() > frames, pos, now);
        self.send_batch(&mut batch, buf, c, now)?;
        self.flush(c)
    }

    /// A frame is a sign of life, and so is the progress of a long one; a byte now and then is not.
    fn listen(&mut self, has_frame: bool, bytes: usize, now: u64) {
        self.trickle += bytes;
        if has_frame || self.trickle >= PROGRESS {
            self.trickle = 0;
            self.clock.heard(now);
        }
    }

    fn dispatch(
        &mut self,
        incoming: Incoming,
        buf: &mut [u8],
        batch: &mut Batch,
        request: Request,
        c: Connection,
        now: u64,
    ) -> Result<(), End> {
        let Incoming { opcode, compressed, mut body } = incoming;
        match opcode {
            Opcode::Text | Opcode::Binary => {
                if compressed {
                    body = match self.inflate(opcode, body.as_slice(buf)) {
                        Ok(payload) => Body::Owned(payload),
                        Err(violation) => {
                            self.send_batch(batch, buf, c, now)?;
                            return self.fail(violation, c, now);
                        }
                    };
                }
                self.count_in(opcode, body.len());
                // RFC 6455 §5.5.1: after a Close frame, no more data.
                if self.state != State::Open {
                    return Ok(());
                }
                match self.limits.message(now) {
                    Admission::Pass { pause: 0 } => {}
                    Admission::Pass { pause } => {
                        self.count_limited(Counter::LimitDelayed);
                        self.pause(pause, now);
                    }
                    Admission::Reject { wait } => {
                        self.count_limited(Counter::LimitRejected);
                        self.send_batch(batch, buf, c, now)?;
                        let text = core::str::from_utf8(body.as_slice(buf)).unwrap_or_default();
                        if let Handler::Rest(rest) = &mut self.handler
                            && let Some(reply) = rest.limited(text, wait)
                        {
                            self.reply(&reply, c, now)?;
                        }
                        return Ok(());
                    }
                    Admission::Close => {
                        self.count_limited(Counter::LimitClosed);
                        self.send_batch(batch, buf, c, now)?;
                        return self.fail(Violation::TooManyMessages, c, now);
                    }
                }
                if matches!(self.handler, Handler::Echo) {
                    self.count_out(opcode, body.len());
                    return self.emit(opcode, body, buf, batch, c, now);
                }
                self.send_batch(batch, buf, c, now)?;
                self.call(opcode, body.as_slice(buf), request, c, now)
            }
            // RFC 6455 §5.5.2: until the peer's Close, also behind our own.
            Opcode::Ping => {
                let pause = self.limits.control(now);
                self.pause(pause, now);
                self.emit(Opcode::Pong, body, buf, batch, c, now)
            }
            Opcode::Close => {
                self.send_batch(batch, buf, c, now)?;
                match close::parse(body.as_slice(buf)) {
                    Ok((code, reason)) => self.turn(Event::PeerClose, code, reason, c, now),
                    Err(violation) => self.fail(violation, c, now),
                }
            }
            // An unasked Pong is a one-way heartbeat (§5.5.3); Continuation does not occur.
            Opcode::Pong | Opcode::Continuation => {
                let pause = self.limits.control(now);
                self.pause(pause, now);
                Ok(())
            }
        }
    }

    /// Does not read the client for so many milliseconds.
    fn pause(&mut self, ms: u64, now: u64) {
        if ms > 0 && self.state == State::Open {
            self.paused_until = self.paused_until.max(now + ms);
        }
    }

    fn inflate(&mut self, opcode: Opcode, deflated: &[u8]) -> Result<Payload, Violation> {
        // The receiver lets no compressed message pass where compression was not agreed on.
        let compression = self.compression.as_mut().ok_or(Violation::ReservedBits)?;
        let payload = compression.inflate(deflated, self.settings.limits.message)?;
        if opcode == Opcode::Text {
            utf8::check(payload.as_slice())?;
        }
        Ok(payload)
    }

    /// Serves a message that is a call.
    fn call(
        &mut self,
        opcode: Opcode,
        message: &[u8],
        request: Request,
        c: Connection,
        now: u64,
    ) -> Result<(), End> {
        let leaving = self.leaving.is_some();
        // A refusal is cheap, and all that has been read gets one before the socket closes.
        if !leaving {
            self.budget = self.budget.saturating_sub(1);
        }
        let reply = match &mut self.handler {
            Handler::Rest(rest) if opcode == Opcode::Text => {
                // The receiver has checked it; this is to satisfy the type.
                let text = simdutf8::basic::from_utf8(message).unwrap_or_default();
                rest.text(request, text, leaving, now)
            }
            Handler::Rest(rest) => rest.binary(),
            Handler::Echo => None,
        };
        if let Some(reply) = reply {
            self.reply(&reply, c, now)?;
        }
        self.answer(c, now)
    }

    /// Keeps bytes of the client until they are wanted: at most what one read brings.
    fn set_aside(&mut self, bytes: &[u8], c: Connection) -> Result<(), End> {
        if self.stash.try_reserve_exact(bytes.len()).is_err() {
            c.log(Level::Alert, format_args!("websocket: no memory for input"));
            return Err(End::Abort);
        }
        self.stash.extend_from_slice(bytes);
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
    pub(super) fn as_slice<'b>(&'b self, buf: &'b [u8]) -> &'b [u8] {
        match self {
            Self::Window(range) => buf.get(range.clone()).unwrap_or_default(),
            Self::Owned(payload) => payload.as_slice(),
        }
    }
}
