//! One upgraded connection: keeps the order of things.
//!
//! An event comes in through [`Tenant::on_event`]; it flushes, reads, and says whether the connection
//! is to end.  What is done is done by others: the endpoint (`proto/endpoint`) knows frames and
//! deadlines, the [`Services`] know what messages mean, the [`Turn`] knows nginx.  Nothing here
//! blocks, and between events an idle session owns no buffer.

mod input;
mod output;

use crate::metrics::{Counter, Gauge, Side};
use crate::nginx::connection::Connection;
use crate::nginx::log::Level;
use crate::nginx::random::random_below;
use crate::nginx::tenancy::{End, Tenant, Turn};
use crate::proto::endpoint::compression::Compression;
use crate::proto::endpoint::facts::Facts;
use crate::proto::endpoint::gate::{Gate, Why};
use crate::proto::endpoint::inbound::Inbound;
use crate::proto::endpoint::life::{Due, Effect, Event, Life, State};
use crate::proto::endpoint::limits::Limits;
use crate::proto::endpoint::outbound::{Broken, Outbound};
use crate::proto::frame::close;
use crate::proto::frame::header::Opcode;
use crate::proto::frame::receiver::Rsv1;
use crate::proto::frame::violation::Violation;
use crate::service::Services;
use crate::settings::Settings;
use crate::worker::counters::Counters;
use crate::worker::heap;

/// Messages that are asked for something in one turn of the worker.  One that is answered at once
/// never meets `ws_inflight`, and may cost as much as a request: more than an echo.
const ASKED_A_TURN: u32 = 64;

/// The state of a socket.
#[derive(Debug)]
pub(crate) struct Session {
    settings: &'static Settings,
    life: Life,
    inbound: Inbound,
    outbound: Outbound,
    compression: Option<Box<Compression>>,
    limits: Limits,
    services: Services,
    facts: Facts,
    counters: Counters,
    /// Messages that may be asked for something before other connections get their turn.
    turn_quota: u32,
    /// Bytes of memory when the last event was over.
    held: usize,
    /// How the connection ends when the last request of its messages has.
    gone: Option<End>,
}

/// What a handshake has settled.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) services: Services,
    pub(crate) compression: Option<Compression>,
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
    pub(crate) facts: Facts,
}

impl Drop for Session {
    fn drop(&mut self) {
        heap::note_freed(self.held);
        self.counters.change(Gauge::Sockets, -1);
    }
}

impl From<Broken> for End {
    fn from(Broken: Broken) -> Self {
        Self::Abort
    }
}

impl Tenant for Session {
    fn on_event(&mut self, turn: &Turn<'_>) -> Option<End> {
        if let Some(end) = self.gone {
            return self.wait_for_services(end, turn);
        }
        let served = self.serve(turn);
        let end = served.and_then(|()| self.wait(turn)).err()?;
        self.on_gone(end, turn)
    }

    fn give_up(&mut self, turn: &Turn<'_>) -> Option<End> {
        match self.gone {
            Some(end) => self.wait_for_services(end, turn),
            None => self.on_gone(End::Abort, turn),
        }
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl Session {
    pub(crate) fn new(settings: &'static Settings, parts: Parts, now: u64) -> Self {
        let Parts { services, compression, limits, counters, facts } = parts;
        counters.change(Gauge::Sockets, 1);
        let rsv1 = if compression.is_some() { Rsv1::Compressed } else { Rsv1::Reserved };
        Self {
            settings,
            life: Life::new(now),
            inbound: Inbound::new(settings.limits, rsv1),
            outbound: Outbound::default(),
            compression: compression.map(Box::new),
            limits,
            services,
            facts,
            counters,
            turn_quota: ASKED_A_TURN,
            held: 0,
            gone: None,
        }
    }

    fn on_gone(&mut self, end: End, turn: &Turn<'_>) -> Option<End> {
        let c = turn.connection();
        // Whatever ended the connection without a Close frame.
        self.facts.ended(close::ABNORMAL, "", Side::Client, turn.now());
        let _ = self.life.step(Event::Lost, turn.now());
        c.disarm();
        if let Some((side, code)) = self.facts.end() {
            self.counters.closed(side, code);
        }
        self.gone = Some(end);
        let over = self.wait_for_services(end, turn);
        if over.is_none() {
            // `proxy_ignore_client_abort`: the client need not wait for that.  Only here, because
            // shutdown(2) raises an event, even when it fails.
            c.half_close();
        }
        over
    }

    /// Requests of messages use the connection's descriptor and addresses: it ends after them.
    fn wait_for_services(&mut self, end: End, turn: &Turn<'_>) -> Option<End> {
        if self.services.abandon() {
            return Some(end);
        }
        self.services.expire(turn.now());
        if let Some(ms) = self.services.next_deadline(turn.now()) {
            turn.connection().wake_within(ms);
        }
        None
    }

    fn serve(&mut self, turn: &Turn<'_>) -> Result<(), End> {
        let c = turn.connection();
        if turn.is_terminated() {
            return Err(self.last_words(turn));
        }
        if c.take_close_request() {
            self.counters.set(Gauge::Draining, 1);
            // Jitter, so that clients do not come back all at once.
            self.life.drain(turn.now() + random_below(self.settings.drain));
            self.on_deadlines(turn)?;
        }
        if c.take_send_timeout() {
            return Err(self.on_slow_reader(turn));
        }
        if c.take_wake() {
            self.on_deadlines(turn)?;
        }
        // Not for an event within the turn, as the end of each call is one.
        if !c.is_read_posted() || self.life.is_leaving() {
            self.turn_quota = ASKED_A_TURN;
        }
        if !turn.request().flush_header()? {
            return Ok(());
        }
        self.answer(turn)?;
        self.flush(turn)?;
        self.receive(turn)?;
        if self.life.is_leaving() && !self.services.is_busy() {
            self.close(close::GOING_AWAY, self.life.reason(), turn)?;
            self.flush(turn)?;
        }
        if self.outbound.is_empty() && c.flush_tls()? {
            match self.life.state() {
                State::Open | State::Leaving | State::Closing => {}
                State::Closed | State::Gone => return Err(End::Clean),
                State::Failed => {
                    let seconds = self.settings.timeouts.close.div_ceil(1000);
                    return Err(End::Linger { seconds });
                }
            }
        }
        Ok(())
    }

    /// Why the next message of the client is not taken.
    #[inline]
    fn gate(&self, now: u64) -> Gate {
        if !self.life.is_open() {
            // What comes behind our Close is dropped.
            Gate::Open
        } else if self.inbound.is_flooded(now) {
            Gate::Shut(Why::Flood)
        } else if self.inbound.is_paused(now) || self.limits.wait(now) > 0 {
            Gate::Shut(Why::Rate)
        } else if self.outbound.held() > self.settings.send_queue {
            Gate::Shut(Why::Queue)
        } else if !self.services.is_ready() {
            Gate::Shut(Why::Calls)
        } else if self.turn_quota == 0 {
            Gate::Shut(Why::Turn)
        } else {
            Gate::Open
        }
    }

    /// Arms what wakes the session next.
    fn wait(&mut self, turn: &Turn<'_>) -> Result<(), End> {
        let (c, now) = (turn.connection(), turn.now());
        if self.is_flushed(c) {
            c.disarm_send_timer();
            c.free_tls_buffer();
        } else if self.settings.send_timeout > 0 && !c.is_send_timer_set() {
            c.arm_send_timer(self.settings.send_timeout);
        }
        let has_input =
            turn.request().has_early_input() || self.inbound.has_unserved() || c.is_read_ready();
        self.services.queue_up(turn, has_input);
        // Deadlines only move away as the peer is heard, so a timer may fire early but not late,
        // and the message path never touches the timer tree.
        let deadlines = [
            self.life.next(&self.settings.timeouts, now),
            self.services.next_deadline(now),
            self.inbound.pause_left(now),
            self.shared_pause(has_input, now),
        ];
        if let Some(ms) = deadlines.into_iter().flatten().min() {
            c.wake_within(ms);
        }
        c.watch()?;
        let held = self.held();
        heap::note_freed(self.held.saturating_sub(held));
        self.held = held;
        Ok(())
    }

    /// Milliseconds until a rate is asked again that others use up.  All who wait for it are told
    /// the same time, and one of them will be served: the others come back over an ever longer
    /// time, up to a second, so that a crowd costs little.
    fn shared_pause(&mut self, has_input: bool, now: u64) -> Option<u64> {
        let wait = if has_input && self.life.is_open() { self.limits.wait(now) } else { 0 };
        if wait == 0 {
            return None;
        }
        let refused = self.limits.waits();
        if refused == 1 {
            self.counters.add(Counter::LimitDelayed, 1);
        }
        Some(wait + random_below(wait.saturating_mul(u64::from(refused) - 1).min(1000)))
    }

    /// Bytes on the heap of this socket, all of them: `ws_send_queue` bounds a part of it, and the
    /// worker's heap is told of what is freed.
    fn held(&self) -> usize {
        let Self {
            settings: _,
            life: _,
            inbound,
            outbound,
            compression,
            limits,
            services,
            facts,
            counters: _,
            turn_quota: _,
            held: _,
            gone: _,
        } = self;
        inbound.held()
            + outbound.held()
            + compression.as_ref().map_or(0, |compression| compression.held())
            + limits.held()
            + services.held()
            + facts.held()
    }

    fn on_deadlines(&mut self, turn: &Turn<'_>) -> Result<(), End> {
        let (c, now) = (turn.connection(), turn.now());
        self.services.expire(now);
        while let Some(due) = self.life.due(&self.settings.timeouts, now) {
            match due {
                // The client waits for us, not we for it.
                Due::Idle if self.services.is_busy() => self.life.heard(now),
                // Nobody who is not listened to can be blamed for silence.
                Due::Idle | Due::PongTimeout if !self.is_read(now) => self.life.heard(now),
                Due::Ping => {
                    self.life.pinged(now);
                    let queued = self.outbound.push_copy(&[], Opcode::Ping, &[]);
                    queued.or_else(|v| self.fail(v, turn))?;
                }
                Due::Idle => self.close(close::GOING_AWAY, "idle timeout", turn)?,
                Due::Lifetime => self.life.leave("lifetime", now),
                Due::Drain => self.life.leave("going away", now),
                Due::PongTimeout => {
                    c.log(Level::Info, format_args!("websocket: client does not answer a ping"));
                    self.facts.ended(close::ABNORMAL, "ping timeout", Side::Server, now);
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

    fn on_slow_reader(&mut self, turn: &Turn<'_>) -> End {
        turn.connection().log(
            Level::Info,
            format_args!("websocket: client does not read, {} bytes unsent", self.outbound.len()),
        );
        self.facts.ended(close::POLICY, "slow reader", Side::Server, turn.now());
        self.counters.add(Counter::SlowReaders, 1);
        End::TimedOut
    }

    /// Time is up: a Close frame if it fits, and out.
    fn last_words(&mut self, turn: &Turn<'_>) -> End {
        if self.close(close::GOING_AWAY, "going away", turn).is_ok() && self.flush(turn).is_ok() {
            // Unread input would make the kernel send a reset, which could overtake the Close.
            self.discard(turn.connection());
        }
        End::Abort
    }

    /// Starts the closing handshake.
    fn close(&mut self, code: u16, reason: &'static str, turn: &Turn<'_>) -> Result<(), End> {
        self.step(Event::Close, code, reason, &[], turn)
    }

    /// Fails the connection (RFC 6455 §7.1.7).
    fn fail(&mut self, violation: Violation, turn: &Turn<'_>) -> Result<(), End> {
        self.fail_behind(violation, &[], turn)
    }

    /// As [`fail`](Self::fail), behind what was built in the receive buffer: answers to what came
    /// before the violation go out before the Close frame.
    fn fail_behind(
        &mut self,
        violation: Violation,
        buf: &[u8],
        turn: &Turn<'_>,
    ) -> Result<(), End> {
        let c = turn.connection();
        let code = violation.close_code();
        if violation.is_ours() {
            c.log(Level::Alert, format_args!("websocket: {violation}, closing with {code}"));
        } else {
            c.log(
                Level::Info,
                format_args!("websocket: client error: {violation}, closing with {code}"),
            );
        }
        self.inbound.fail(self.settings.limits);
        self.step(Event::Violation, code, violation.reason(), buf, turn)
    }

    /// Moves the closing handshake and sends the Close frame that the move asks for.
    fn step(
        &mut self,
        event: Event,
        code: u16,
        reason: &str,
        buf: &[u8],
        turn: &Turn<'_>,
    ) -> Result<(), End> {
        let effect = self.life.step(event, turn.now());
        let frame = match effect {
            Effect::Nothing => return Ok(()),
            Effect::SendClose => close::frame(code, reason),
            // RFC 6455 §5.5.1: the answer typically echoes the status code.
            Effect::AnswerClose => close::frame(code, ""),
        };
        let side = if effect == Effect::AnswerClose { Side::Client } else { Side::Server };
        self.facts.ended(code, reason, side, turn.now());
        if self.outbound.push_bytes(buf, frame, 0).is_err() {
            let c = turn.connection();
            c.log(Level::Alert, format_args!("websocket: no memory for a close frame"));
            return Err(End::Abort);
        }
        Ok(())
    }

    /// Whether every byte we sent has left this process.
    fn is_flushed(&self, c: Connection) -> bool {
        self.outbound.is_empty() && !c.has_buffered()
    }
}
