//! `ws_rest` and `ws_route`: messages become requests to nginx's own locations.
//!
//! Owns the calls of one socket that are not answered yet.  Requests tell of their end through an
//! event of the client's connection; [`Rest::reply`] then has the answer.

mod pending;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use crate::metrics::{Counter, Slot as Counters};
use crate::nginx::capture::Capture;
use crate::nginx::request::{NoMemory, Request};
use crate::nginx::slots::{self, Slot, Ticket};
use crate::nginx::virtual_request::{BaseHeaders, Spec, VirtualRequest};
use crate::proto::call::path;
use crate::proto::dialect::native::reply::Failure;
use crate::proto::dialect::native::{self, Call, Rejection, Target};
use crate::proto::hold::memory;
use crate::settings::RestSettings;
use pending::{Pending, Running};

/// The calls of one socket.
#[derive(Debug)]
pub(crate) struct Rest {
    settings: &'static RestSettings,
    /// Where this worker counts for the location.
    counters: Option<Counters<'static>>,
    /// Made for the first call.
    base: Option<BaseHeaders>,
    /// In the order of their messages.
    calls: VecDeque<Pending>,
    /// Held while the worker has no place for one more call.
    ticket: Option<Ticket>,
}

impl Rest {
    pub(crate) const fn new(
        settings: &'static RestSettings,
        counters: Option<Counters<'static>>,
    ) -> Self {
        Self { settings, counters, base: None, calls: VecDeque::new(), ticket: None }
    }

    /// Whether one more call may start: `ws_inflight`, `ws_worker_inflight`.
    pub(crate) fn is_ready(&self) -> bool {
        let limit = self.settings.worker_inflight;
        self.calls.len() < self.settings.inflight && slots::is_free(limit, self.ticket.as_ref())
    }

    /// Whether calls are under way.
    pub(crate) fn is_busy(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Queues up if a call may be waiting and it is the worker, and not this socket, that has too
    /// much to do.
    pub(crate) fn queue_up(&mut self, client: Request, has_input: bool) {
        if !has_input || self.calls.len() >= self.settings.inflight || self.is_ready() {
            self.ticket = None;
        } else if self.ticket.is_none() {
            self.ticket = Some(Ticket::draw(client));
        }
    }

    /// Takes a text message; the reply, if there is one already.
    pub(crate) fn text(
        &mut self,
        client: Request,
        message: &str,
        leaving: bool,
        now: u64,
    ) -> Option<String> {
        // The library that parses aborts when it cannot allocate: a copy of the text, what it decodes
        // to, and a copy of that.
        if !memory::has_room(message.len().saturating_mul(3)) {
            return self.refuse(Failure::Overloaded, None);
        }
        let (id, started) = match native::parse(message) {
            Ok(call) if leaving => (call.id, Err(Failure::ShuttingDown)),
            Ok(call) => (call.id, self.start(client, &call, now)),
            Err((id, rejection)) => (id, Err(Failure::Rejected(rejection))),
        };
        self.refuse(started.err()?, id)
    }

    /// Takes a binary message; the reply, if it is its turn.
    pub(crate) fn binary(&mut self) -> Option<String> {
        self.refuse(Failure::BinaryNotSupported, None)
    }

    /// Takes a text message over a rate, which is welcome in `wait` milliseconds.
    pub(crate) fn limited(&mut self, message: &str, wait: u64) -> Option<String> {
        if !memory::has_room(message.len().saturating_mul(3)) {
            return self.refuse(Failure::Overloaded, None);
        }
        let id = match native::parse(message) {
            Ok(call) => call.id,
            Err((id, _)) => id,
        };
        self.refuse(Failure::TooManyMessages(wait), id)
    }

    /// The reply to a message that becomes no request, if it is its turn.
    fn refuse(&mut self, failure: Failure, id: Option<&str>) -> Option<String> {
        if let Some(counters) = self.counters {
            counters.add(Counter::RestRefused, 1);
        }
        let reply = failure.to_json(id);
        if self.settings.strict && self.is_busy() {
            self.calls.push_back(Pending::settled(reply));
            return None;
        }
        Some(reply)
    }

    fn start(&mut self, client: Request, call: &Call<'_>, now: u64) -> Result<(), Failure> {
        let settings = self.settings;
        let (method, uri, prefix) = match &call.target {
            Target::Path { method, path } => {
                if !path::is_sane(path) {
                    return Err(Failure::Rejected(Rejection::BadMessage("invalid \"path\"")));
                }
                // Without `ws_rest` a client may choose actions only.
                let prefix = settings.prefix.as_deref().ok_or(Failure::NotFound)?;
                (*method, Cow::Borrowed(&**path), Some(prefix))
            }
            Target::Action { name, params } => {
                let route = settings
                    .routes
                    .iter()
                    .find(|route| route.action == *name)
                    .ok_or(Failure::NotFound)?;
                let bad = |why| Failure::Rejected(Rejection::BadMessage(why));
                (route.method, Cow::Owned(route.uri(params).map_err(bad)?), None)
            }
        };
        let headers = self.headers(&call.headers)?;
        let base = match &self.base {
            Some(base) => base,
            None => {
                let base = BaseHeaders::new(client).map_err(|NoMemory| Failure::Overloaded)?;
                self.base.insert(base)
            }
        };
        let spec = Spec {
            method,
            uri: &uri,
            prefix,
            headers: &headers,
            body: call.body.as_ref().map(|body| (&*body.bytes, body.content_type)),
        };
        let capture = Capture::new(&settings.response_headers, settings.max_response);
        let request = VirtualRequest::start(client, base, &spec, capture)
            .map_err(|NoMemory| Failure::Overloaded)?;
        self.calls.push_back(Pending::running(Running {
            id: call.id.map(Into::into),
            request,
            started: now,
            deadline: now.saturating_add(settings.request_timeout),
            counters: self.counters,
            _slot: Slot::take(),
        }));
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

    /// The next reply that is due, in the order of `ws_order`.
    pub(crate) fn reply(&mut self, now: u64) -> Option<String> {
        self.calls.retain(|call| !call.is_over());
        let mut open = self.calls.iter_mut().filter(|call| !call.is_answered());
        let next = if self.settings.strict {
            open.next().filter(|call| call.is_ready(now))
        } else {
            open.find(|call| call.is_ready(now))
        };
        let reply = next?.take_reply(now);
        self.calls.retain(|call| !call.is_over());
        Some(reply)
    }

    /// Gives up requests whose time is over.
    pub(crate) fn expire(&mut self, now: u64) {
        self.calls.iter_mut().for_each(|call| call.expire(now));
    }

    /// Milliseconds until the next request's time is over.
    pub(crate) fn next_deadline(&self, now: u64) -> Option<u64> {
        self.calls.iter().filter_map(Pending::deadline).min().map(|at| at.saturating_sub(now))
    }

    /// The client is gone: gives everything up.  True when nothing runs any more.
    pub(crate) fn abandon(&mut self) -> bool {
        self.calls.iter_mut().for_each(Pending::abandon);
        self.calls.retain(|call| !call.is_over());
        self.ticket = None;
        self.calls.is_empty()
    }
}
