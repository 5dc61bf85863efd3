//! A request of a message, until it is answered.

use super::remains::Remains;
use crate::metrics::{Counter, Gauge};
use crate::nginx::virtual_request::{self, Cancel, SinkFailure, VirtualRequest};
use crate::proto::call::answer::{Answer, Failure, Response};
use crate::proto::call::op::Rejection;
use crate::proto::hold::memory::NoMemory;
use crate::worker::counters::Counters;
use crate::worker::heap;
use crate::worker::places::Place;

/// The path of a call is none.
pub(super) const BAD_PATH: Failure = Failure::Rejected(Rejection::BadMessage("invalid \"path\""));

/// Bytes of a response that was not made in one event.
const LARGE: usize = 64 * 1024;

/// A request without an answer.
#[derive(Debug)]
pub(super) struct Run {
    id: Option<Box<str>>,
    request: VirtualRequest,
    /// Milliseconds on the session's clock.
    started: u64,
    /// The same; `None` when its time was over, and it was told.
    deadline: Option<u64>,
    /// `ws_request_timeout`, in milliseconds.
    timeout: u64,
    /// Its client is gone, and it was told.
    is_abandoned: bool,
    counters: Counters,
    active: Active,
    place: Place,
}

/// Counts as a request under way.
#[derive(Debug)]
struct Active(Counters);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.change(Gauge::Requests, -1);
    }
}

impl Run {
    /// A request that started at `now`; it takes one of the worker's places.
    pub(super) fn new(
        id: Option<&str>,
        request: VirtualRequest,
        now: u64,
        timeout: u64,
        counters: Counters,
    ) -> Self {
        counters.change(Gauge::Requests, 1);
        Self {
            id: id.map(Into::into),
            request,
            started: now,
            deadline: Some(now.saturating_add(timeout)),
            timeout,
            is_abandoned: false,
            counters,
            active: Active(counters),
            place: Place::take(),
        }
    }

    /// Whether the answer can be had.
    pub(super) fn is_ready(&self, now: u64) -> bool {
        self.deadline.is_none_or(|deadline| deadline <= now) || self.request.is_answered()
    }

    /// When its time is over, if it is still worked on; also without a client that waits for it.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.deadline.filter(|_| !self.request.is_answered())
    }

    /// Gives the request up if its time is over.
    pub(super) fn expire(&mut self, now: u64) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            self.request.cancel(Cancel::TimedOut);
        }
    }

    /// The client is gone; true when the request is over.
    pub(super) fn abandon(&mut self) -> bool {
        if !self.is_abandoned {
            self.is_abandoned = true;
            self.request.cancel(Cancel::ClientGone);
        }
        self.request.is_over()
    }

    /// Writes and counts the answer, which is ready.
    pub(super) fn answer<T>(
        &mut self,
        now: u64,
        write: impl Fn(&Answer<'_>, Option<&str>) -> Result<T, NoMemory>,
    ) -> Result<T, NoMemory> {
        // An event may come between the deadline and its timer.
        self.expire(now);
        let id = self.id.as_deref();
        // A response that came in time is delivered, however long it waited for its turn.
        let response = self.deadline.map(|_| self.request.take_response());
        let (counter, written) = match response.as_ref().map_or(Err(Failure::Timeout), outcome) {
            Ok((counter, response)) => match write(&Answer::Reply(response), id) {
                Ok(written) => (counter, Ok(written)),
                Err(NoMemory) => {
                    (Counter::RestFailed, write(&Answer::Failure(Failure::Overloaded), id))
                }
            },
            Err(failure) => {
                let counter = match failure {
                    Failure::NotFound | Failure::Rejected(_) => Counter::RestRefused,
                    _ => Counter::RestFailed,
                };
                (counter, write(&Answer::Failure(failure), id))
            }
        };
        self.counters.add(counter, 1);
        if counter != Counter::RestRefused {
            self.counters.took(now.saturating_sub(self.started));
        }
        if let Some(large) = response.map(|r| r.body.capacity()).filter(|size| *size >= LARGE) {
            heap::note_freed(large);
        }
        written
    }

    /// What the request still does, now that it is answered.
    pub(super) fn into_remains(self, now: u64) -> Option<Remains> {
        let Self {
            id: _,
            request,
            started: _,
            deadline,
            timeout,
            is_abandoned,
            counters: _,
            active,
            place,
        } = self;
        drop((active, place));
        let deadline = deadline.map(|_| now.saturating_add(timeout));
        (!request.is_over()).then(|| Remains::new(request, deadline, is_abandoned))
    }

    /// Bytes on the heap.
    pub(super) fn held(&self) -> usize {
        size_of::<Self>() + self.id.as_ref().map_or(0, |id| id.len()) + self.request.held()
    }
}

/// What is counted and answered.
fn outcome(response: &virtual_request::Response) -> Result<(Counter, Response<'_>), Failure> {
    match response.failure {
        Some(SinkFailure::TooLarge) => Err(Failure::ResponseTooLarge),
        Some(SinkFailure::NoMemory) => Err(Failure::Overloaded),
        Some(SinkFailure::BadPath) => Err(BAD_PATH),
        Some(SinkFailure::OutsidePrefix) => Err(Failure::NotFound),
        Some(SinkFailure::Unreadable | SinkFailure::Interim | SinkFailure::Garbled) => {
            Err(Failure::BackendFailed)
        }
        // No status: the request was closed without an answer (`return 444`).
        None if response.status == 0 || !response.is_whole => Err(Failure::BackendFailed),
        None => {
            let counter = match response.status / 100 {
                2 => Counter::Rest2xx,
                3 => Counter::Rest3xx,
                4 => Counter::Rest4xx,
                _ => Counter::Rest5xx,
            };
            let response = Response {
                status: response.status,
                headers: &response.headers,
                content_type: response.content_type.as_deref(),
                body: &response.body,
                is_coded: response.is_coded,
            };
            Ok((counter, response))
        }
    }
}
