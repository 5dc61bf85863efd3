//! One message of a socket between its arrival and its reply.

use crate::metrics::{Counter, Gauge, Slot as Counters};
use crate::nginx::capture::{Capture, CaptureFailure};
use crate::nginx::slots::Slot;
use crate::nginx::virtual_request::{Cancel, VirtualRequest};
use crate::proto::dialect::native::reply::{Failure, Response};

/// A message that has not been answered, or whose request runs on all the same.
#[derive(Debug)]
pub(super) struct Pending {
    state: State,
    answered: bool,
    /// Its time is over, and its request was told.
    expired: bool,
    /// Its client is gone, and its request was told.
    abandoned: bool,
}

#[derive(Debug)]
enum State {
    /// The reply is known, and waits for its turn (`ws_order strict`).
    Settled(String),
    Running(Box<Running>),
}

/// A request of a message.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) id: Option<Box<str>>,
    pub(super) request: VirtualRequest,
    /// Milliseconds on the session's clock.
    pub(super) started: u64,
    pub(super) deadline: u64,
    pub(super) counters: Option<Counters<'static>>,
    pub(super) _slot: Slot,
}

impl Pending {
    pub(super) const fn settled(reply: String) -> Self {
        Self { state: State::Settled(reply), answered: false, expired: false, abandoned: false }
    }

    pub(super) fn running(running: Running) -> Self {
        if let Some(counters) = running.counters {
            counters.change(Gauge::Requests, 1);
        }
        Self {
            state: State::Running(Box::new(running)),
            answered: false,
            expired: false,
            abandoned: false,
        }
    }

    pub(super) const fn is_answered(&self) -> bool {
        self.answered
    }

    /// Whether the reply can be had.
    pub(super) fn is_ready(&self, now: u64) -> bool {
        match &self.state {
            _ if self.answered => false,
            State::Settled(_) => true,
            State::Running(run) => run.deadline <= now || run.request.response().is_some(),
        }
    }

    /// Whether nothing is left to do: it is answered, and nginx has let go of its request.
    pub(super) fn is_over(&self) -> bool {
        self.answered
            && match &self.state {
                State::Settled(_) => true,
                State::Running(running) => running.request.is_over(),
            }
    }

    /// When the time of its request is over, if it runs; also without a client that waits for it.
    pub(super) fn deadline(&self) -> Option<u64> {
        match &self.state {
            State::Running(running) if running.request.response().is_none() && !self.expired => {
                Some(running.deadline)
            }
            _ => None,
        }
    }

    /// Gives its request up if its time is over.
    pub(super) fn expire(&mut self, now: u64) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.expired = true;
            self.cancel(Cancel::TimedOut);
        }
    }

    fn cancel(&self, why: Cancel) {
        if let State::Running(running) = &self.state {
            running.request.cancel(why);
        }
    }

    /// Takes no more interest in the reply, and tells its request once.
    pub(super) fn abandon(&mut self) {
        self.answered = true;
        if !self.abandoned {
            self.abandoned = true;
            self.cancel(Cancel::ClientGone);
        }
    }

    /// The reply, which [`is_ready`](Self::is_ready).
    pub(super) fn take_reply(&mut self, now: u64) -> String {
        // An event may come between the deadline and its timer.
        self.expire(now);
        self.answered = true;
        match &mut self.state {
            State::Settled(reply) => core::mem::take(reply),
            State::Running(running) => {
                let response = running.request.response().filter(|_| !self.expired);
                let (counter, reply) = running.outcome(response);
                if let Some(counters) = running.counters {
                    counters.add(counter, 1);
                    if counter != Counter::RestRefused {
                        counters.took(now.saturating_sub(running.started));
                    }
                }
                reply
            }
        }
    }
}

impl Running {
    /// What is counted, and the reply; no response is one that did not come in time.
    fn outcome(&self, response: Option<&Capture>) -> (Counter, String) {
        let id = self.id.as_deref();
        let failure = match response {
            Some(capture) => match capture.failure {
                Some(CaptureFailure::TooLarge) => Failure::ResponseTooLarge,
                Some(CaptureFailure::NoMemory) => Failure::Overloaded,
                Some(CaptureFailure::OutsidePrefix) => {
                    return (Counter::RestRefused, Failure::NotFound.to_json(id));
                }
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
                    match response.to_json(id) {
                        Some(reply) => return (counter, reply),
                        None => Failure::Overloaded,
                    }
                }
            },
            None => Failure::Timeout,
        };
        (Counter::RestFailed, failure.to_json(id))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(counters) = self.counters {
            counters.change(Gauge::Requests, -1);
        }
    }
}
