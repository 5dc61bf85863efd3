//! One upgraded connection: bytes in, messages to the handler, frames out, deadlines, the end.
//!
//! An event comes in through [`Session::on_event`]; it flushes, reads, and says whether the
//! connection is to end.  Nothing here blocks, and between events an idle session owns no buffer.

pub(crate) mod compression;
mod input;
pub(crate) mod limits;
mod output;

use core::mem;

use compression::Compression;
use limits::Limits;

use crate::handler::Handler;
use crate::metrics::{Counter, Gauge, Side, Slot};
use crate::nginx::connection::{Broken, Connection, random_below};
use crate::nginx::heap;
use crate::nginx::log::Level;
use crate::nginx::request::{End, NoMemory, Request};
use crate::proto::endpoint::liveness::{Clock, Due};
use crate::proto::frame::close::{self, Effect, Event, State};
use crate::proto::frame::header::Opcode;
use crate::proto::frame::receiver::{Receiver, Rsv1};
use crate::proto::frame::violation::Violation;
use crate::proto::hold::queue::Outbox;
use crate::settings::Settings;

/// Calls in one turn of the worker.  One that is answered at once never meets `ws_inflight`, and may
/// cost as much as a request: more than an echo.
const CALLS: u32 = 64;

/// The state of a socket.
#[derive(Debug)]
pub(crate) struct Session {
    settings: &'static Settings,
    handler: Handler,
    receiver: Receiver,
    compression: Option<Box<Compression>>,
    limits: Limits,
    /// The client is not read before this time, in milliseconds; 0 if it is.
    paused_until: u64,
    state: State,
    clock: Clock,
    outbox: Outbox,
    /// Bytes of a frame in progress since the client was last heard.
    trickle: usize,
    /// Calls that may start before other connections get their turn.
    budget: u32,
    /// Bytes of the client that were read and must wait.
    stash: Vec<u8>,
    /// Bytes of memory in buffers when the last event was over.
    held: usize,
    traffic: Traffic,
    /// Where this worker counts for the location.
    slot: Option<Slot<'static>>,
    opened: u64,
    /// The close that is due when the work under way is done.
    leaving: Option<&'static str>,
    ended: Option<Ended>,
    /// How the connection ends when the last request of its messages has.
    gone: Option<End>,
    id: [u8; 16],
    subprotocol: Option<&'static str>,
}

/// What a handshake has settled.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) handler: Handler,
    pub(crate) compression: Option<Compression>,
    pub(crate) limits: Limits,
    pub(crate) slot: Option<Slot<'static>>,
    pub(crate) subprotocol: Option<&'static str>,
    /// Names the socket; nobody can guess it.
    pub(crate) id: [u8; 16],
}

/// Whole data messages and their payload bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) messages_in: u64,
    pub(crate) messages_out: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
}

/// How and when a socket ended.
#[derive(Debug)]
struct Ended {
    code: u16,
    reason: Box<str>,
    side: Side,
    at: u64,
}

impl Drop for Session {
    fn drop(&mut self) {
        heap::released(self.held);
        if let Some(slot) = self.slot {
            slot.change(Gauge::Sockets, -1);
        }
    }
}

impl From<Broken> for End {
    fn from(Broken: Broken) -> Self {
        Self::Abort
    }
}

impl From<NoMemory> for End {
    fn from(NoMemory: NoMemory) -> Self {
        Self::Abort
    }
}

impl Session {
    pub(crate) fn new(settings: &'static Settings, parts: Parts, now: u64) -> Self {
        let Parts { handler, compression, limits, slot, subprotocol, id } = parts;
        if let Some(slot) = slot {
            slot.change(Gauge::Sockets, 1);
        }
        Self {
            settings,
            handler,
            receiver: Receiver::new(
                settings.limits,
                if compression.is_some() { Rsv1::Compressed } else { Rsv1::Reserved },
            ),
            compression: compression.map(Box::new),
            limits,
            paused_until: 0,
            state: State::Open,
            clock: Clock::new(now),
            outbox: Outbox::default(),
            trickle: 0,
            budget: CALLS,
            stash: Vec::new(),
            held: 0,
            traffic: Traffic::default(),
            slot,
            opened: now,
            leaving: None,
            ended: None,
            gone: None,
            id,
            subprotocol,
        }
    }

    /// Serves an event of the connection; `Some` when it is over.
    pub(crate) fn on_event(&mut self, request: Request) -> Option<End> {
        let c = request.connection();
        let now = c.now();
        if let Some(end) = self.gone {
            return self.wait_for_calls(end, c, now);
        }
        let served = self.serve(request, c, now);
        let end = served.and_then(|()| self.wait(request, c, now)).err()?;
        self.on_gone(end, c, now)
    }

    /// Ends the connection after a bug; `Some` when it is over.
    pub(crate) fn give_up(&mut self, request: Request) -> Option<End> {
        let c = request.connection();
        match self.gone {
            Some(end) => self.wait_for_calls(end, c, c.now()),
            None => self.on_gone(End::Abort, c, c.now()),
        }
    }

    fn on_gone(&mut self, end: End, c: Connection, now: u64) -> Option<End> {
        // Whatever ended the connection without a Close frame.
        self.ended(close::ABNORMAL, "", Side::Client, now);
        c.disarm();
        if let (Some(slot), Some(ended)) = (self.slot, &self.ended) {
            slot.closed(ended.side, ended.code);
        }
        self.gone = Some(end);
        let over = self.wait_for_calls(end, c, now);
        if over.is_none() {
            // `proxy_ignore_client_abort`: the client need not wait for that.  Only here, because
            // shutdown(2) raises an event, even when it fails.
            c.half_close();
        }
        over
    }

    /// Requests of messages use the connection's headers and addresses: it ends after them.
    fn wait_for_calls(&mut self, end: End, c: Connection, now: u64) -> Option<End> {
        if let Handler::Rest(rest) = &mut self.handler
            && !rest.abandon()
        {
            rest.expire(now);
            if let Some(ms) = rest.next_deadline(now) {
                c.wake_within(ms);
            }
            return None;
        }
        Some(end)
    }

    fn serve(&mut self, request: Request, c: Connection, now: u64) -> Result<(), End> {
        if c.is_terminated() {
            return Err(self.last_words(c, now));
        }
        if c.take_close_request() {
            if let Some(slot) = self.slot {
                slot.set(Gauge::Draining, 1);
            }
            // Jitter, so that clients do not come back all at once.
            self.clock.drain(now + random_below(self.settings.drain));
            self.on_deadlines(c, now)?;
        }
        if c.take_send_timeout() {
            return Err(self.on_slow_reader(c, now));
        }
        if c.take_wake() {
            self.on_deadlines(c, now)?;
        }
        if self.paused_until <= now {
            self.paused_until = 0;
        }
        // Not for an event within the turn, as the end of each call is one.
        if !c.is_read_posted() || self.leaving.is_some() {
            self.budget = CALLS;
        }
        if !request.flush_header()? {
            return Ok(());
        }
        self.answer(c, now)?;
        self.flush(c)?;
        self.receive(request, c, now)?;
        if let Some(reason) = self.leaving.filter(|_| !self.handler.is_busy()) {
            self.leaving = None;
            self.close(close::GOING_AWAY, reason, c, now)?;
            self.flush(c)?;
        }
        if self.outbox.is_empty() && c.flush_tls()? {
            match self.state {
                State::Open | State::Closing => {}
                State::Closed => return Err(End::Clean),
                State::Failed => {
                    let seconds = self.settings.timeouts.close.div_ceil(1000);
                    return Err(End::Linger { seconds });
                }
            }
        }
        Ok(())
    }

    /// Arms what wakes the session next.
    fn wait(&mut self, request: Request, c: Connection, now: u64) -> Result<(), End> {
        let pending = !self.is_flushed(c);
        if !pending {
            c.disarm_send_timer();
            c.free_tls_buffer();
        } else if self.settings.send_timeout > 0 && !c.is_send_timer_set() {
            c.arm_send_timer(self.settings.send_timeout);
        }
        // Deadlines only move away as the peer is heard, so a timer may fire early but not late,
        // and the message path never touches the timer tree.
        let deadline = self.clock.next(&self.settings.timeouts, now);
        let rest_deadline = match &mut self.handler {
            Handler::Echo => None,
            Handler::Rest(rest) => {
                let has_input =
                    request.has_early_input() || !self.stash.is_empty() || c.is_read_ready();
                rest.queue_up(request, has_input);
                rest.next_deadline(now)
            }
        };
        let pause = Some(self.paused_until.saturating_sub(now)).filter(|ms| *ms > 0);
        if let Some(ms) = deadline.into_iter().chain(rest_deadline).chain(pause).min() {
            c.wake_within(ms);
        }
        c.watch()?;
        let held = self.receiver.held() + self.outbox.len() + self.stash.capacity();
        heap::released(self.held.saturating_sub(held));
        self.held = held;
        Ok(())
    }

    fn on_deadlines(&mut self, c: Connection, now: u64) -> Result<(), End> {
        if let Handler::Rest(rest) = &mut self.handler {
            rest.expire(now);
        }
        while let Some(due) = self.clock.due(&self.settings.timeouts, now) {
            match due {
                // The client waits for us, not we for it; or we would not hear what it says.
                Due::Idle if self.handler.is_busy() => self.clock.heard(now),
                Due::Idle | Due::Ping | Due::PongTimeout if !self.wants_input() => {
                    self.clock.heard(now);
                }
                Due::Ping => {
                    self.clock.pinged(now);
                    self.queue(Opcode::Ping, &[]).or_else(|v| self.fail(v, c, now))?;
                }
                Due::Idle => self.close(close::GOING_AWAY, "idle timeout", c, now)?,
                Due::Lifetime => self.leave("lifetime"),
                Due::Drain => self.leave("going away"),
                Due::PongTimeout => {
                    c.log(Level::Info, format_args!("websocket: client does not answer a ping"));
                    self.ended(close::ABNORMAL, "ping timeout", Side::Server, now);
                    return Err(End::TimedOut);
                }
                Due::CloseTimeout => {
                    c.log(Level::Info, format_args!("websocket: client does not answer a close"));
                    return Err(End::TimedOut);
                }
            }
        }
        Ok(())
    }

    /// Closes the socket as soon as no work is under way; no new work is taken.
    const fn leave(&mut self, reason: &'static str) {
        self.clock.leaving();
        self.leaving = Some(reason);
    }

    fn on_slow_reader(&mut self, c: Connection, now: u64) -> End {
        c.log(
            Level::Info,
            format_args!("websocket: client does not read, {} bytes unsent", self.outbox.len()),
        );
        self.ended(close::POLICY, "slow reader", Side::Server, now);
        if let Some(slot) = self.slot {
            slot.add(Counter::SlowReaders, 1);
        }
        End::TimedOut
    }

    /// Time is up: a Close frame if it fits, and out.
    fn last_words(&mut self, c: Connection, now: u64) -> End {
        if self.close(close::GOING_AWAY, "going away", c, now).is_ok() && self.flush(c).is_ok() {
            // Unread input would make the kernel send a reset, which could overtake the Close.
            self.discard(c);
        }
        End::Abort
    }

    /// Starts the closing handshake.
    fn close(
        &mut self,
        code: u16,
        reason: &'static str,
        c: Connection,
        now: u64,
    ) -> Result<(), End> {
        self.turn(Event::Close, code, reason, c, now)
    }

    /// Fails the connection (RFC 6455 §7.1.7).
    fn fail(&mut self, violation: Violation, c: Connection, now: u64) -> Result<(), End> {
        let code = violation.close_code();
        if violation.is_ours() {
            c.log(Level::Alert, format_args!("websocket: {violation}, closing with {code}"));
        } else {
            c.log(
                Level::Info,
                format_args!("websocket: client error: {violation}, closing with {code}"),
            );
        }
        // What has arrived of a message is worth nothing now.
        self.receiver = Receiver::new(self.settings.limits, Rsv1::Reserved);
        self.turn(Event::Violation, code, violation.reason(), c, now)
    }

    /// Moves the closing handshake and sends the Close frame that the move asks for.
    fn turn(
        &mut self,
        event: Event,
        code: u16,
        reason: &str,
        c: Connection,
        now: u64,
    ) -> Result<(), End> {
        let (state, effect) = close::step(self.state, event);
        let was = mem::replace(&mut self.state, state);
        if was == State::Open {
            self.clock.closing(now);
        }
        let frame = match effect {
            Effect::Nothing => return Ok(()),
            Effect::SendClose => close::frame(code, reason),
            // RFC 6455 §5.5.1: the answer typically echoes the status code.
            Effect::AnswerClose => close::frame(code, ""),
        };
        let side = if effect == Effect::AnswerClose { Side::Client } else { Side::Server };
        self.ended(code, reason, side, now);
        if self.outbox.push_owned(frame, 0).is_err() {
            c.log(Level::Alert, format_args!("websocket: no memory for a close frame"));
            return Err(End::Abort);
        }
        Ok(())
    }

    /// Notes how the socket ended; the first to say so is right.
    fn ended(&mut self, code: u16, reason: &str, side: Side, now: u64) {
        match &mut self.ended {
            // The socket lasts until TCP ends, or until nginx lingers.
            Some(ended) => ended.at = now,
            None => self.ended = Some(Ended { code, reason: reason.into(), side, at: now }),
        }
    }

    /// The code that ended the socket.
    pub(crate) fn close_code(&self) -> Option<u16> {
        self.ended.as_ref().map(|ended| ended.code)
    }

    /// The reason that came or went with the code.
    pub(crate) fn close_reason(&self) -> Option<&str> {
        self.ended.as_ref().map(|ended| &*ended.reason).filter(|reason| !reason.is_empty())
    }

    /// Milliseconds since the handshake, until the end if there was one.
    pub(crate) fn duration(&self) -> u64 {
        self.ended.as_ref().map_or(0, |ended| ended.at.saturating_sub(self.opened))
    }

    /// Counts a data message of the client.
    fn count_in(&mut self, opcode: Opcode, len: usize) {
        self.traffic.messages_in += 1;
        self.traffic.bytes_in += len as u64;
        if let Some(slot) = self.slot {
            let text = opcode == Opcode::Text;
            slot.add(if text { Counter::TextIn } else { Counter::BinaryIn }, 1);
            let bytes = if text { Counter::TextBytesIn } else { Counter::BinaryBytesIn };
            slot.add(bytes, len as u64);
        }
    }

    /// Counts a data message to the client.
    fn count_out(&mut self, opcode: Opcode, len: usize) {
        self.traffic.messages_out += 1;
        self.traffic.bytes_out += len as u64;
        if let Some(slot) = self.slot {
            let text = opcode == Opcode::Text;
            slot.add(if text { Counter::TextOut } else { Counter::BinaryOut }, 1);
            let bytes = if text { Counter::TextBytesOut } else { Counter::BinaryBytesOut };
            slot.add(bytes, len as u64);
        }
    }

    /// Counts a message over a rate.
    fn count_limited(&self, counter: Counter) {
        if let Some(slot) = self.slot {
            slot.add(counter, 1);
        }
    }

    pub(crate) const fn traffic(&self) -> Traffic {
        self.traffic
    }

    pub(crate) const fn subprotocol(&self) -> Option<&str> {
        self.subprotocol
    }

    pub(crate) const fn id(&self) -> &[u8; 16] {
        &self.id
    }
}
