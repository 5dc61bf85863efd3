//! `ws_rest` and `ws_route`: ops become requests to nginx's own locations.
//!
//! Owns the calls of one socket.  Their requests wake the socket when there is a response, and when
//! they are over; [`Calls::poll`] then has the answer.  What a request does behind its response is a
//! [`Remains`]: it has no place, and its own time.

mod remains;
mod run;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use crate::metrics::Counter;
use crate::nginx::exhausted::Exhausted;
use crate::nginx::log::Level;
use crate::nginx::tenancy::Turn;
use crate::nginx::virtual_request::{BaseHeaders, Sink, Spec, VirtualRequest};
use crate::proto::call::answer::{Answer, Failure};
use crate::proto::call::op::{Asked, Call, Op, Rejection, Target};
use crate::proto::call::path;
use crate::proto::hold::memory::NoMemory;
use crate::settings::calls::CallSettings;
use crate::worker::counters::Counters;
use crate::worker::places::{self, Ticket};
use remains::Remains;
use run::{BAD_PATH, Run};

/// The calls of one socket.
#[derive(Debug)]
pub(crate) struct Calls {
    settings: &'static CallSettings,
    counters: Counters,
    /// Made for the first call.
    base: Option<BaseHeaders>,
    /// Not answered yet, in the order of their messages.
    waiting: VecDeque<Waiting>,
    /// Answered, and not over.
    remains: VecDeque<Remains>,
    /// Held while the worker has no place for one more call.
    ticket: Option<Ticket>,
}

/// A call without an answer.
#[derive(Debug)]
enum Waiting {
    /// The answer is known, and waits for its turn (`ws_order strict`).
    Due { id: Option<Box<str>>, failure: Failure },
    /// Its request runs, or is over.
    Running(Box<Run>),
}

impl Waiting {
    fn is_ready(&self, now: u64) -> bool {
        match self {
            Self::Due { .. } => true,
            Self::Running(run) => run.is_ready(now),
        }
    }

    fn run(&self) -> Option<&Run> {
        match self {
            Self::Due { .. } => None,
            Self::Running(run) => Some(run),
        }
    }

    fn run_mut(&mut self) -> Option<&mut Run> {
        match self {
            Self::Due { .. } => None,
            Self::Running(run) => Some(run),
        }
    }
}

impl Calls {
    pub(crate) const fn new(settings: &'static CallSettings, counters: Counters) -> Self {
        Self {
            settings,
            counters,
            base: None,
            waiting: VecDeque::new(),
            remains: VecDeque::new(),
            ticket: None,
        }
    }

    /// Whether one more call may start: `ws_inflight`, `ws_worker_inflight`.
    pub(crate) fn is_ready(&self) -> bool {
        let limit = self.settings.http.worker_inflight;
        self.waiting.len() < self.settings.inflight && places::is_free(limit, self.ticket.as_ref())
    }

    /// Whether the client waits for an answer.
    pub(crate) fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Queues up if a call may be waiting and it is the worker, and not this socket, that has too
    /// much to do.
    pub(crate) fn queue_up(&mut self, turn: &Turn<'_>, has_input: bool) {
        if !has_input || self.waiting.len() >= self.settings.inflight || self.is_ready() {
            self.ticket = None;
        } else if self.ticket.is_none() {
            self.ticket = Some(Ticket::draw(turn.waker()));
        }
    }

    /// Takes what a message asks for; the answer, if it is known already and its turn.
    pub(crate) fn ask(
        &mut self,
        turn: &Turn<'_>,
        asked: &Asked<'_>,
        leaving: bool,
    ) -> Option<Failure> {
        let started = match &asked.op {
            Ok(_) if leaving => Err(Failure::ShuttingDown),
            Ok(Op::Call(call)) => self.start(turn, call, asked.id),
            Err(rejection) => Err(Failure::Rejected(*rejection)),
        };
        self.refuse(started.err()?, asked.id, turn)
    }

    /// Refuses a message; the answer, if it is its turn.
    pub(crate) fn refuse(
        &mut self,
        failure: Failure,
        id: Option<&str>,
        turn: &Turn<'_>,
    ) -> Option<Failure> {
        self.counters.add(Counter::RestRefused, 1);
        let (_, error, message) = failure.describe();
        let c = turn.connection();
        c.log(Level::Info, format_args!("websocket: call refused, {error}: {message}"));
        if self.settings.strict && self.is_busy() {
            self.waiting.push_back(Waiting::Due { id: id.map(Into::into), failure });
            return None;
        }
        Some(failure)
    }

    fn start(&mut self, turn: &Turn<'_>, call: &Call<'_>, id: Option<&str>) -> Result<(), Failure> {
        let settings = self.settings;
        let bad = |why| Failure::Rejected(Rejection::BadMessage(why));
        let (method, uri, prefix, rest) = match &call.target {
            Target::Path { method, path } => {
                let target = path::request_target(path).ok_or(BAD_PATH)?;
                // Without `ws_rest` a client may choose actions only.
                let prefix = settings.prefix.as_deref().ok_or(Failure::NotFound)?;
                (*method, target, Some(prefix), None)
            }
            Target::Action { name, params } => {
                let route = settings
                    .routes
                    .iter()
                    .find(|route| route.action == *name)
                    .ok_or(Failure::NotFound)?;
                let (uri, rest) = route.fill(params).map_err(bad)?;
                (route.method, Cow::Owned(uri), None, rest)
            }
        };
        let body = match (&rest, &call.body) {
            (Some(_), Some(_)) => return Err(bad("both a body and parameters that would be it")),
            (Some(params), None) => Some((params.as_bytes(), "application/json")),
            (None, body) => body.as_ref().map(|body| (&*body.bytes, body.content_type)),
        };
        let headers = self.headers(&call.headers)?;
        let overloaded = |_: Exhausted| Failure::Overloaded;
        let base = match &self.base {
            Some(base) => base,
            None => self.base.insert(BaseHeaders::new(turn.request()).map_err(overloaded)?),
        };
        let spec = Spec { method, uri: &uri, prefix, headers: &headers, body };
        let sink = Sink::new(turn.waker(), &settings.response_headers, settings.max_response);
        let request = VirtualRequest::start(turn, base, &spec, sink).map_err(overloaded)?;
        let run = Run::new(id, request, turn.now(), settings.request_timeout, self.counters);
        self.waiting.push_back(Waiting::Running(Box::new(run)));
        // For one more call, this socket queues up behind the others.
        self.ticket = None;
        Ok(())
    }

    /// Headers of a message that it may set.
    fn headers<'c>(
        &self,
        headers: &'c BTreeMap<Cow<'_, str>, Cow<'_, str>>,
    ) -> Result<Vec<(&'c str, &'c str)>, Failure> {
        headers
            .iter()
            .map(|(name, value)| {
                let allowed =
                    self.settings.client_headers.iter().any(|n| n.eq_ignore_ascii_case(name));
                // RFC 9110 §5.5; a control character could end the header, and begin another.
                let clean = value.bytes().all(|b| b >= b' ' && b != 0x7F || b == b'\t');
                if allowed && clean && value.len() <= path::MAX {
                    Ok((name.as_ref(), value.as_ref()))
                } else {
                    Err(Failure::HeaderNotAllowed)
                }
            })
            .collect()
    }

    /// Writes the next answer that is due, in the order of `ws_order`.
    pub(crate) fn poll<T>(
        &mut self,
        now: u64,
        write: impl Fn(&Answer<'_>, Option<&str>) -> Result<T, NoMemory>,
    ) -> Option<Result<T, NoMemory>> {
        self.remains.retain(|remains| !remains.is_over());
        let next = if self.settings.strict {
            self.waiting.front().filter(|call| call.is_ready(now)).map(|_| 0)
        } else {
            self.waiting.iter().position(|call| call.is_ready(now))
        };
        match self.waiting.remove(next?)? {
            Waiting::Due { id, failure } => Some(write(&Answer::Failure(failure), id.as_deref())),
            Waiting::Running(mut run) => {
                let written = run.answer(now, write);
                self.bury(run.into_remains(now), now);
                Some(written)
            }
        }
    }

    /// Lets a request run on that was answered, but no more of them than calls at once: the oldest
    /// one makes room.
    fn bury(&mut self, remains: Option<Remains>, now: u64) {
        let Some(remains) = remains else { return };
        if self.remains.len() >= self.settings.inflight
            && let Some(oldest) = self.remains.front_mut()
        {
            oldest.end();
            self.remains.retain(|remains| !remains.is_over());
        }
        self.remains.push_back(remains);
        self.expire(now);
    }

    /// Gives up requests whose time is over.
    pub(crate) fn expire(&mut self, now: u64) {
        self.waiting.iter_mut().filter_map(Waiting::run_mut).for_each(|run| run.expire(now));
        self.remains.iter_mut().for_each(|remains| remains.expire(now));
    }

    /// Milliseconds until the next request's time is over.
    pub(crate) fn next_deadline(&self, now: u64) -> Option<u64> {
        let runs = self.waiting.iter().filter_map(Waiting::run).filter_map(Run::deadline);
        let remains = self.remains.iter().filter_map(Remains::deadline);
        runs.chain(remains).min().map(|at| at.saturating_sub(now))
    }

    /// The client is gone: gives everything up.  True when nothing runs any more.
    pub(crate) fn abandon(&mut self) -> bool {
        self.ticket = None;
        self.waiting.retain_mut(|call| call.run_mut().is_some_and(|run| !run.abandon()));
        self.remains.retain_mut(|remains| !remains.abandon());
        self.waiting.is_empty() && self.remains.is_empty()
    }

    /// Bytes on the heap.
    pub(crate) fn held(&self) -> usize {
        let Self { settings: _, counters: _, base, waiting, remains, ticket: _ } = self;
        let runs: usize = waiting.iter().map(|call| call.run().map_or(0, Run::held)).sum();
        size_of::<Self>()
            + base.as_ref().map_or(0, BaseHeaders::held)
            + waiting.capacity() * size_of::<Waiting>()
            + runs
            + remains.capacity() * size_of::<Remains>()
    }
}
