//! `ws_worker_inflight`: places for requests of messages, shared by all sockets of a worker.
//!
//! Whoever finds none free queues up and is woken in order; nobody polls.

use std::cell::RefCell;
use std::collections::VecDeque;

use nginx_sys::{ngx_event_t, ngx_post_event, ngx_posted_next_events};

use super::request::Request;

#[derive(Debug)]
struct Slots {
    taken: usize,
    queue: VecDeque<(u64, *mut ngx_event_t)>,
    next_ticket: u64,
}

thread_local! {
    static SLOTS: RefCell<Slots> =
        const { RefCell::new(Slots { taken: 0, queue: VecDeque::new(), next_ticket: 0 }) };
}

/// A taken place; free again, for the first in the queue, when dropped.
#[derive(Debug)]
pub(crate) struct Slot(());

/// A place in the queue, given up when dropped.
#[derive(Debug)]
pub(crate) struct Ticket(u64);

/// Whether a place is free for the holder of `ticket`, or for one who has none.
pub(crate) fn is_free(limit: usize, ticket: Option<&Ticket>) -> bool {
    SLOTS.with_borrow(|slots| {
        let first = slots.queue.front().map(|(number, _)| *number);
        slots.taken < limit && (first.is_none() || first == ticket.map(|ticket| ticket.0))
    })
}

impl Slot {
    pub(crate) fn take() -> Self {
        SLOTS.with_borrow_mut(|slots| slots.taken += 1);
        Self(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        SLOTS.with_borrow_mut(|slots| slots.taken = slots.taken.saturating_sub(1));
        wake_first();
    }
}

/// Tells the first in the queue that it may be its turn.
fn wake_first() {
    let first = SLOTS.with_borrow(|slots| slots.queue.front().map(|(_, event)| *event));
    if let Some(event) = first {
        // In the next turn: sockets that pass a place to each other would never end this one.
        // SAFETY: events in the queue belong to live connections: a session drops its ticket
        // before its connection is closed.
        unsafe { ngx_post_event(event, &raw mut ngx_posted_next_events) };
    }
}

impl Ticket {
    /// Queues up; the client's write event comes when a place may be free.
    pub(crate) fn draw(client: Request) -> Self {
        // SAFETY: the connection is live, and so are its events.
        let event = unsafe { (*client.connection().as_ptr()).write };
        SLOTS.with_borrow_mut(|slots| {
            let ticket = slots.next_ticket;
            slots.next_ticket += 1;
            slots.queue.push_back((ticket, event));
            Self(ticket)
        })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        SLOTS.with_borrow_mut(|slots| slots.queue.retain(|(ticket, _)| *ticket != self.0));
        // Whoever leaves the queue may leave a free place unused; the next one looks for itself.
        wake_first();
    }
}
