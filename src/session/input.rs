//! The way in: bytes of the client to messages and control frames, and to whom these go.

use super::Session;
use crate::metrics::Counter;
use crate::nginx::connection::{Connection, Received};
use crate::nginx::log::Level;
use crate::nginx::tenancy::{End, Turn};
use crate::proto::call::answer::Failure;
use crate::proto::dialect::native;
use crate::proto::endpoint::gate::{Gate, Why};
use crate::proto::endpoint::life::Event;
use crate::proto::endpoint::limits::Admission;
use crate::proto::frame::close;
use crate::proto::frame::header::Opcode;
use crate::proto::frame::receiver::{Body, Incoming, Payload};
use crate::proto::frame::utf8;
use crate::proto::frame::violation::Violation;
use crate::proto::hold::memory;
use crate::worker::{codecs, scratch};

/// Reads per event before other connections get their turn.
const ROUNDS: usize = 8;

impl Session {
    /// Whether bytes of the client are read now: for messages, or for the control frames between
    /// those that wait.
    pub(super) fn is_read(&self, now: u64) -> bool {
        let gate = self.gate(now);
        self.life.is_heard()
            && (gate.is_open() || gate.lets_control_pass() && self.inbound.room() > 0)
    }

    /// Serves what has arrived, in order: behind the handshake, set aside, in the kernel.
    pub(super) fn receive(&mut self, turn: &Turn<'_>) -> Result<(), End> {
        let (c, now) = (turn.connection(), turn.now());
        let gate = self.gate(now);
        if self.life.is_heard() && (gate.is_open() || gate.lets_control_pass()) {
            let early = turn.request().take_early_input();
            if !early.is_empty() {
                self.consume(early, turn)?;
            }
        }
        while self.life.is_heard() && self.inbound.has_unserved() && self.gate(now).is_open() {
            let mut unserved = self.inbound.take_unserved();
            self.consume(&mut unserved, turn)?;
        }
        if let gate @ Gate::Shut(_) = self.gate(now)
            && self.inbound.has_unserved()
        {
            // Control frames may have had to wait themselves.
            self.set_aside(&[], 0, gate, turn)?;
            self.flush(turn)?;
        }
        self.read(turn)?;
        // Nobody may be reading; a client that is gone is noticed all the same.
        let gate = self.gate(now);
        let waits = !gate.is_open() && gate != Gate::Shut(Why::Turn);
        if waits && self.life.is_open() && c.has_pending_eof() {
            return Err(self.on_eof(c));
        }
        Ok(())
    }

    fn read(&mut self, turn: &Turn<'_>) -> Result<(), End> {
        let (c, now) = (turn.connection(), turn.now());
        scratch::with(|buf| {
            for _ in 0..ROUNDS {
                let gate = self.gate(now);
                // What was set aside comes first.
                let is_overtaking = gate.is_open() && self.inbound.has_unserved();
                if !c.is_read_ready() || !self.is_read(now) || is_overtaking {
                    break;
                }
                // What waits has a bound.
                let room = if gate.is_open() { buf.len() } else { self.inbound.room() };
                let room = room.min(buf.len());
                match c.recv(buf.get_mut(..room).unwrap_or_default()) {
                    Received::Bytes(n) if gate.is_open() => {
                        let bytes = buf.get_mut(..n).unwrap_or_default();
                        self.consume(bytes, turn)?;
                    }
                    Received::Bytes(n) => {
                        let bytes = buf.get(..n).unwrap_or_default();
                        self.set_aside(bytes, 0, gate, turn)?;
                        self.flush(turn)?;
                    }
                    Received::Again => return Ok(()),
                    Received::Eof => return Err(self.on_eof(c)),
                    Received::Broken => return Err(End::Abort),
                }
            }
            // Edge-triggered events: nobody will tell us again of what is still unread.
            let gate = self.gate(now);
            let takes = gate.is_open() || gate == Gate::Shut(Why::Turn);
            let has_more = self.is_read(now) && c.is_read_ready();
            if self.life.is_heard()
                && (has_more || takes && (c.is_read_ready() || self.inbound.has_unserved()))
            {
                c.read_later();
            }
            Ok(())
        })
    }

    /// Serves bytes of the client.  Frames that go out at once are built and sent in place; bytes
    /// that must wait are set aside.
    fn consume(&mut self, buf: &mut [u8], turn: &Turn<'_>) -> Result<(), End> {
        let mut pos = 0;
        let frames = self.inbound.frames();
        while self.life.is_heard() {
            if let gate @ Gate::Shut(_) = self.gate(turn.now()) {
                self.set_aside(buf, pos, gate, turn)?;
                break;
            }
            match self.inbound.next(buf, &mut pos) {
                Ok(Some(incoming)) => self.dispatch(incoming, buf, turn)?,
                Ok(None) => break,
                Err(violation) => self.fail_behind(violation, buf, turn)?,
            }
            if self.outbound.is_worth_sending() {
                self.flush(turn)?;
            }
        }
        if self.inbound.hears(self.inbound.frames() > frames, pos) {
            self.life.heard(turn.now());
        }
        self.finish(buf, turn)
    }

    /// Keeps bytes of the client from `pos` on until messages are taken again; the control frames
    /// among them do not wait.
    fn set_aside(
        &mut self,
        buf: &[u8],
        pos: usize,
        gate: Gate,
        turn: &Turn<'_>,
    ) -> Result<(), End> {
        if self.inbound.keep(buf.get(pos..).unwrap_or_default()).is_err() {
            let c = turn.connection();
            c.log(Level::Alert, format_args!("websocket: no memory for input"));
            return Err(End::Abort);
        }
        if !gate.lets_control_pass() {
            return Ok(());
        }
        while self.life.is_open()
            && !self.inbound.is_flooded(turn.now())
            && let Some(control) = self.inbound.next_control()
        {
            self.life.heard(turn.now());
            match control.opcode {
                Opcode::Close => self.on_close(control.payload(), buf, turn)?,
                Opcode::Ping => {
                    self.count_control(turn);
                    let queued = self.outbound.push_copy(buf, Opcode::Pong, control.payload());
                    queued.or_else(|v| self.fail_behind(v, buf, turn))?;
                }
                _ => self.count_control(turn),
            }
        }
        if self.life.is_open() {
            self.inbound.settle();
        } else {
            // RFC 6455 §5.5.1: nobody waits for what came before a Close.
            drop(self.inbound.take_unserved());
        }
        Ok(())
    }

    fn dispatch(&mut self, incoming: Incoming, buf: &mut [u8], turn: &Turn<'_>) -> Result<(), End> {
        let Incoming { opcode, compressed, mut body } = incoming;
        match opcode {
            Opcode::Text | Opcode::Binary => {
                if compressed {
                    body = match self.inflate(opcode, body.as_slice(buf)) {
                        Ok(payload) => Body::Owned(payload),
                        Err(violation) => return self.fail_behind(violation, buf, turn),
                    };
                }
                self.facts.received(body.len());
                self.counters.received(opcode == Opcode::Text, body.len());
                // RFC 6455 §5.5.1: after a Close frame, no more data.
                if !self.life.is_open() {
                    return Ok(());
                }
                self.admit(opcode, body, buf, turn)
            }
            // RFC 6455 §5.5.2: until the peer's Close, also behind our own.
            Opcode::Ping => {
                self.count_control(turn);
                self.send_back(Opcode::Pong, body, buf, turn)
            }
            Opcode::Close => self.on_close(body.as_slice(buf), buf, turn),
            // An unasked Pong is a one-way heartbeat (§5.5.3); Continuation does not occur.
            Opcode::Pong | Opcode::Continuation => {
                self.count_control(turn);
                Ok(())
            }
        }
    }

    fn count_control(&mut self, turn: &Turn<'_>) {
        let pause = self.limits.control(turn.now());
        if self.life.is_open() {
            self.inbound.pause_control(pause, turn.now());
        }
    }

    /// The client's Close frame.
    fn on_close(&mut self, payload: &[u8], buf: &[u8], turn: &Turn<'_>) -> Result<(), End> {
        match close::parse(payload) {
            Ok((code, reason)) => self.step(Event::PeerClose, code, reason, buf, turn),
            Err(violation) => self.fail_behind(violation, buf, turn),
        }
    }

    /// Serves a message if the rates allow it.
    fn admit(
        &mut self,
        opcode: Opcode,
        body: Body,
        buf: &mut [u8],
        turn: &Turn<'_>,
    ) -> Result<(), End> {
        match self.limits.message(turn.now()) {
            Admission::Pass { pause: 0 } => {}
            Admission::Pass { pause } => {
                self.counters.add(Counter::LimitDelayed, 1);
                self.inbound.pause(pause, turn.now());
            }
            Admission::Reject { wait } => {
                self.counters.add(Counter::LimitRejected, 1);
                let text = simdutf8::basic::from_utf8(body.as_slice(buf)).unwrap_or_default();
                return self.refuse(Failure::TooManyMessages(wait), text, buf, turn);
            }
            Admission::Close => {
                self.counters.add(Counter::LimitClosed, 1);
                return self.fail_behind(Violation::TooManyMessages, buf, turn);
            }
        }
        if self.services.is_asked() {
            return self.ask(opcode, body.as_slice(buf), buf, turn);
        }
        self.facts.sent(body.len());
        self.counters.sent(opcode == Opcode::Text, body.len());
        self.send_back(opcode, body, buf, turn)
    }

    fn inflate(&mut self, opcode: Opcode, deflated: &[u8]) -> Result<Payload, Violation> {
        // The receiver lets no compressed message pass where compression was not agreed on.
        let compression = self.compression.as_mut().ok_or(Violation::ReservedBits)?;
        let limit = self.settings.limits.message;
        let payload = codecs::with(|codecs| compression.inflate(codecs, deflated, limit))?;
        if opcode == Opcode::Text {
            utf8::check(payload.as_slice())?;
        }
        Ok(payload)
    }

    /// Serves a message that asks for something.
    fn ask(
        &mut self,
        opcode: Opcode,
        message: &[u8],
        buf: &[u8],
        turn: &Turn<'_>,
    ) -> Result<(), End> {
        let leaving = self.life.is_leaving();
        // A refusal is cheap, and all that has been read gets one before the socket closes.
        if !leaving {
            self.turn_quota = self.turn_quota.saturating_sub(1);
        }
        if opcode != Opcode::Text {
            return self.refuse(Failure::BinaryNotSupported, "", buf, turn);
        }
        // The library that parses aborts when it cannot allocate: a copy of the text, what it
        // decodes to, and a copy of that.
        if !memory::has_room(message.len().saturating_mul(3)) {
            return self.refuse(Failure::Overloaded, "", buf, turn);
        }
        // The receiver has checked it; this is to satisfy the type.
        let text = simdutf8::basic::from_utf8(message).unwrap_or_default();
        let asked = native::read(text);
        if let Some(failure) = self.services.ask(turn, &asked, leaving) {
            self.reply_failure(failure, asked.id, buf, turn)?;
        }
        self.answer_behind(buf, turn)
    }

    /// Answers `message` with a failure, under its id if it has one.
    fn refuse(
        &mut self,
        failure: Failure,
        message: &str,
        buf: &[u8],
        turn: &Turn<'_>,
    ) -> Result<(), End> {
        let (failure, id) = match memory::has_room(message.len().saturating_mul(3)) {
            true => (failure, native::read(message).id),
            false => (Failure::Overloaded, None),
        };
        match self.services.refuse(failure, id, turn) {
            Some(failure) => self.reply_failure(failure, id, buf, turn),
            None => Ok(()),
        }
    }

    fn on_eof(&self, c: Connection) -> End {
        if self.life.is_open() {
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
