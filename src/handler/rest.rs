//! `ws_rest` and `ws_route`: messages become requests to nginx's own locations.
//!
//! Owns the calls of one socket that are not answered yet.  Requests tell of their end through an
//! event of the client's connection; [`Rest::reply`] then has the answer.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use crate::conf::RestSettings;
use crate::metrics::{Counter, Gauge, Slot as Counters};
use crate::nginx::capture::{Capture, CaptureFailure};
use crate::nginx::request::{NoMemory, Request};
use crate::nginx::slots::{self, Slot, Ticket};
use crate::nginx::virtual_request::{BaseHeaders, Cancel, Spec, VirtualRequest};
use crate::proto::envelope::reply::{Failure, Response};
use crate::proto::envelope::{self, Call, Rejection, Target};
use crate::proto::path;

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

#[derive(Debug)]
struct Pending {
    id: Option<Box<str>>,
    request: VirtualRequest,
    started: u64,
    deadline: u64,
    counters: Option<Counters<'static>>,
    /// Its time is over; it may run on until nginx lets go of it.
    timed_out: bool,
    answered: bool,
    _slot: Slot,
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
        self.calls.len() < self.settings.inflight && slots::is_free(self.settings.worker_inflight)
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
        let (id, started) = match envelope::parse(message) {
            Ok(call) if leaving => (call.id, Err(Failure::ShuttingDown)),
            Ok(call) => (call.id, self.start(client, &call, now)),
            Err((id, rejection)) => (id, Err(Failure::Rejected(rejection))),
        };
        let failure = started.err()?;
        self.count(Counter::RestRefused);
        Some(failure.to_json(id))
    }

    fn count(&self, counter: Counter) {
        if let Some(counters) = self.counters {
            counters.add(counter, 1);
        }
    }

    /// Takes a binary message.
    pub(crate) fn binary() -> String {
        Failure::BinaryNotSupported.to_json(None)
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
        if let Some(counters) = self.counters {
            counters.change(Gauge::Requests, 1);
        }
        self.calls.push_back(Pending {
            started: now,
            counters: self.counters,
            id: call.id.map(Into::into),
            request,
            deadline: now.saturating_add(settings.request_timeout),
            timed_out: false,
            answered: false,
            _slot: Slot::take(),
        });
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
                if allowed && clean {
                    Ok((name.as_ref(), value.as_ref()))
                } else {
                    Err(Failure::HeaderNotAllowed)
                }
            })
            .collect()
    }

    /// The next reply that is due, in the order of `ws_order`.
    pub(crate) fn reply(&mut self, now: u64) -> Option<String> {
        let (settings, counters) = (self.settings, self.counters);
        // A call that was answered early goes when its request does.
        self.calls.retain(|call| !(call.answered && call.request.response().is_some()));
        let ready = |call: &Pending| {
            !call.answered && (call.timed_out || call.request.response().is_some())
        };
        let i = if settings.strict {
            let first = self.calls.iter().position(|call| !call.answered)?;
            self.calls.get(first).filter(|call| ready(call)).map(|_| first)?
        } else {
            self.calls.iter().position(ready)?
        };
        let call = self.calls.get_mut(i)?;
        call.answered = true;
        let (counter, reply) = call.reply();
        if let Some(counters) = counters {
            counters.add(counter, 1);
            counters.took(now.saturating_sub(call.started));
        }
        if call.request.response().is_some() {
            self.calls.remove(i);
        }
        Some(reply)
    }

    /// Gives up requests whose time is over.
    pub(crate) fn expire(&mut self, now: u64) {
        for call in self.calls.iter_mut().filter(|call| call.deadline <= now) {
            if !call.timed_out && call.request.response().is_none() {
                call.timed_out = true;
                call.request.cancel(Cancel::TimedOut);
            }
        }
    }

    /// Milliseconds until the next request's time is over.
    pub(crate) fn next_deadline(&self, now: u64) -> Option<u64> {
        let running = self.calls.iter().filter(|call| !call.timed_out);
        running.map(|call| call.deadline.saturating_sub(now)).min()
    }

    /// The client is gone: gives everything up.  True when nothing runs any more.
    pub(crate) fn abandon(&mut self) -> bool {
        for call in &mut self.calls {
            if !call.answered {
                call.answered = true;
                call.request.cancel(Cancel::ClientGone);
            }
        }
        self.calls.retain(|call| call.request.response().is_none());
        self.ticket = None;
        self.calls.is_empty()
    }
}

impl Pending {
    fn reply(&self) -> (Counter, String) {
        let id = self.id.as_deref();
        let failure = match self.request.response() {
            _ if self.timed_out => Failure::Timeout,
            None => Failure::Timeout,
            Some(capture) => match capture.failure {
                Some(CaptureFailure::TooLarge) => Failure::ResponseTooLarge,
                Some(CaptureFailure::NoMemory) => Failure::Overloaded,
                Some(CaptureFailure::OutsidePrefix) => Failure::NotFound,
                // No status: the request was closed without an answer (`return 444`).
                None if capture.status == 0 || !capture.is_complete => Failure::BackendFailed,
                None => {
                    let response = Response {
                        status: capture.status,
                        headers: &capture.headers,
                        content_type: capture.content_type.as_deref(),
                        body: &capture.body,
                    };
                    let counter = match capture.status / 100 {
                        1 | 2 => Counter::Rest2xx,
                        3 => Counter::Rest3xx,
                        4 => Counter::Rest4xx,
                        _ => Counter::Rest5xx,
                    };
                    return (counter, response.to_json(id));
                }
            },
        };
        (Counter::RestFailed, failure.to_json(id))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(counters) = self.counters {
            counters.change(Gauge::Requests, -1);
        }
    }
}
