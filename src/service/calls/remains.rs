//! What a request does behind its response: `mirror`, `post_action`, background updates of a cache.

use crate::nginx::virtual_request::{Cancel, VirtualRequest};

/// A request that was answered and is not over.
///
/// It has no place among the calls and keeps nothing of the response; but it has a deadline.
#[derive(Debug)]
pub(super) struct Remains {
    request: VirtualRequest,
    /// Milliseconds on the session's clock; `None` when it was ended.
    deadline: Option<u64>,
    /// Its client is gone, and it was told.
    is_abandoned: bool,
}

impl Remains {
    pub(super) const fn new(request: VirtualRequest, deadline: Option<u64>, told: bool) -> Self {
        Self { request, deadline, is_abandoned: told }
    }

    pub(super) fn is_over(&self) -> bool {
        self.request.is_over()
    }

    pub(super) const fn deadline(&self) -> Option<u64> {
        self.deadline
    }

    pub(super) fn expire(&mut self, now: u64) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.end();
        }
    }

    /// Ends the request, whatever it is doing.
    pub(super) fn end(&mut self) {
        if self.deadline.take().is_some() {
            self.request.cancel(Cancel::TimedOut);
        }
    }

    /// The client is gone; true when the request is over.
    pub(super) fn abandon(&mut self) -> bool {
        if !self.is_abandoned {
            self.is_abandoned = true;
            self.request.cancel(Cancel::ClientGone);
        }
        self.is_over()
    }
}
