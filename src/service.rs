//! What a location does with what a client asks for.
//!
//! Services see neither bytes nor opcodes: they are asked, and polled for what they have to say.

pub(crate) mod calls;

use calls::Calls;

use crate::nginx::tenancy::Turn;
use crate::proto::call::answer::{Answer, Failure};
use crate::proto::call::op::Asked;
use crate::proto::hold::memory::NoMemory;

/// The services of one socket.
#[derive(Debug)]
pub(crate) struct Services {
    /// `ws_rest`, `ws_route`; none where messages are echoed.
    calls: Option<Box<Calls>>,
}

impl Services {
    pub(crate) fn new(calls: Option<Calls>) -> Self {
        Self { calls: calls.map(Box::new) }
    }

    /// Whether messages mean something, and are not just sent back.
    #[inline]
    pub(crate) const fn is_asked(&self) -> bool {
        self.calls.is_some()
    }

    /// Whether a message may come now.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.calls.as_ref().is_none_or(|calls| calls.is_ready())
    }

    /// Whether the peer waits for something, so that its silence means nothing.
    pub(crate) fn is_busy(&self) -> bool {
        self.calls.as_ref().is_some_and(|calls| calls.is_busy())
    }

    /// Takes what a message asks for.  A failure is the answer to it, if it is known already and
    /// its turn; others come by [`poll`](Self::poll).
    pub(crate) fn ask(
        &mut self,
        turn: &Turn<'_>,
        asked: &Asked<'_>,
        leaving: bool,
    ) -> Option<Failure> {
        self.calls.as_mut()?.ask(turn, asked, leaving)
    }

    /// Refuses a message that asks for nothing; the answer, if it is its turn.
    pub(crate) fn refuse(
        &mut self,
        failure: Failure,
        id: Option<&str>,
        turn: &Turn<'_>,
    ) -> Option<Failure> {
        self.calls.as_mut()?.refuse(failure, id, turn)
    }

    /// Writes the next answer that is due, with the id that it is asked under.
    pub(crate) fn poll<T>(
        &mut self,
        now: u64,
        write: impl Fn(&Answer<'_>, Option<&str>) -> Result<T, NoMemory>,
    ) -> Option<Result<T, NoMemory>> {
        self.calls.as_mut()?.poll(now, write)
    }

    /// Gives up what has taken too long.
    pub(crate) fn expire(&mut self, now: u64) {
        if let Some(calls) = &mut self.calls {
            calls.expire(now);
        }
    }

    /// Milliseconds until there is something to expire.
    pub(crate) fn next_deadline(&self, now: u64) -> Option<u64> {
        self.calls.as_ref()?.next_deadline(now)
    }

    /// To be called at the end of a turn: whether there are messages that could be taken.
    pub(crate) fn queue_up(&mut self, turn: &Turn<'_>, has_input: bool) {
        if let Some(calls) = &mut self.calls {
            calls.queue_up(turn, has_input);
        }
    }

    /// The peer is gone: gives everything up.  True when nothing runs any more.
    pub(crate) fn abandon(&mut self) -> bool {
        self.calls.as_mut().is_none_or(|calls| calls.abandon())
    }

    /// Bytes on the heap.
    pub(crate) fn held(&self) -> usize {
        let Self { calls } = self;
        calls.as_ref().map_or(0, |calls| calls.held())
    }
}
