//! `ws_worker_inflight`: places for requests of messages, shared by all sockets of a worker.
//!
//! Whoever finds none free queues up and is woken in order; nobody polls.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::nginx::waker::Waker;

#[derive(Debug)]
struct Places {
    taken: usize,
    queue: VecDeque<(u64, Waker)>,
    next_ticket: u64,
}

thread_local! {
    static PLACES: RefCell<Places> =
        const { RefCell::new(Places { taken: 0, queue: VecDeque::new(), next_ticket: 0 }) };
}

/// A taken place; free again, for the first in the queue, when dropped.
#[derive(Debug)]
pub(crate) struct Place(());

/// A number in the queue, given up when dropped.
#[derive(Debug)]
pub(crate) struct Ticket(u64);

/// Whether a place is free for the holder of `ticket`, or for one who has none.
pub(crate) fn is_free(limit: usize, ticket: Option<&Ticket>) -> bool {
    PLACES.with_borrow(|places| {
        let first = places.queue.front().map(|(number, _)| *number);
        places.taken < limit && (first.is_none() || first == ticket.map(|ticket| ticket.0))
    })
}

impl Place {
    pub(crate) fn take() -> Self {
        PLACES.with_borrow_mut(|places| places.taken += 1);
        Self(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        PLACES.with_borrow_mut(|places| places.taken = places.taken.saturating_sub(1));
        wake_first();
    }
}

/// Tells the first in the queue that it may be its turn.
fn wake_first() {
    let first = PLACES.with_borrow(|places| places.queue.front().map(|(_, waker)| *waker));
    if let Some(waker) = first {
        // In the next round: sockets that pass a place to each other would never end this one.
        waker.wake_next_round();
    }
}

impl Ticket {
    /// Queues up; `waker` is woken when a place may be free.
    pub(crate) fn draw(waker: Waker) -> Self {
        PLACES.with_borrow_mut(|places| {
            let ticket = places.next_ticket;
            places.next_ticket += 1;
            places.queue.push_back((ticket, waker));
            Self(ticket)
        })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        PLACES.with_borrow_mut(|places| places.queue.retain(|(ticket, _)| *ticket != self.0));
        // Whoever leaves the queue may leave a free place unused; the next one looks for itself.
        wake_first();
    }
}
