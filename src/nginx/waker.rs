//! Keys of live tenants: what may be kept of a connection between two events.
//!
//! nginx can take a connection back at any time, and its structures are used again.  So nobody keeps
//! a pointer to one: a [`Waker`] is an index and a generation (as in h2's `store::Key`), and that of
//! a tenant that is gone wakes nobody.
//!
//! Tenants are woken by an event of the process, one for all of them, and not by events of their
//! connections: nginx may have put its own handlers there ([`super::tenancy`]).

use core::cell::Cell;
use core::mem;
use core::ptr;
use std::cell::RefCell;

use nginx_sys::{
    ngx_connection_t, ngx_cycle, ngx_event_t, ngx_post_event, ngx_posted_events,
    ngx_posted_next_events,
};

use super::timer::{Fire, event_of};

/// Names a tenant, live or gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Waker {
    index: u32,
    generation: u32,
}

/// Makes a [`Waker`] good; struck when dropped.
#[derive(Debug)]
pub(super) struct Registration(Waker);

/// How a tenant is entered.
pub(super) type Enter = unsafe fn(*mut ngx_connection_t);

#[derive(Debug)]
struct Entry {
    generation: u32,
    /// Null when free.
    connection: *mut ngx_connection_t,
    enter: Enter,
    woken: Option<When>,
}

/// When a tenant that was woken gets its turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum When {
    /// In this round of the event loop.
    Now = 0,
    /// In the next one, after all others had theirs.
    Next = 1,
}

#[derive(Debug)]
struct Table {
    entries: Vec<Entry>,
    free: Vec<u32>,
    woken: [Vec<Waker>; 2],
}

thread_local! {
    static TABLE: RefCell<Table> = const {
        RefCell::new(Table {
            entries: Vec::new(),
            free: Vec::new(),
            woken: [Vec::new(), Vec::new()],
        })
    };
    static EVENTS: [Cell<*mut ngx_event_t>; 2] =
        const { [Cell::new(ptr::null_mut()), Cell::new(ptr::null_mut())] };
}

impl Registration {
    /// Enters `connection`, which is to be struck before nginx uses it again.
    pub(super) fn new(connection: *mut ngx_connection_t, enter: Enter) -> Self {
        TABLE.with_borrow_mut(|table| {
            let index = table.free.pop().unwrap_or_else(|| {
                table.entries.push(Entry {
                    generation: 0,
                    connection: ptr::null_mut(),
                    enter,
                    woken: None,
                });
                table.entries.len() as u32 - 1
            });
            let mut generation = 0;
            if let Some(entry) = table.entries.get_mut(index as usize) {
                generation = entry.generation;
                *entry = Entry { generation, connection, enter, woken: None };
            }
            Self(Waker { index, generation })
        })
    }

    pub(super) const fn waker(&self) -> Waker {
        self.0
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        TABLE.with_borrow_mut(|table| {
            if let Some(entry) = table.entries.get_mut(self.0.index as usize)
                && entry.generation == self.0.generation
            {
                entry.generation = entry.generation.wrapping_add(1);
                entry.connection = ptr::null_mut();
                table.free.push(self.0.index);
            }
        });
    }
}

impl Table {
    fn live(&mut self, waker: Waker) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(waker.index as usize)?;
        (entry.generation == waker.generation && !entry.connection.is_null()).then_some(entry)
    }
}

impl Waker {
    /// Gives the tenant a turn behind what happens now, in this round of the event loop.
    pub(crate) fn wake(self) {
        self.post(When::Now);
    }

    /// Gives the tenant a turn in the next round, after other connections had theirs.
    pub(crate) fn wake_next_round(self) {
        self.post(When::Next);
    }

    fn post(self, when: When) {
        let is_news = TABLE.with_borrow_mut(|table| {
            let Some(entry) = table.live(self) else { return false };
            // Sooner replaces later, and nothing replaces now.
            if entry.woken == Some(When::Now) || entry.woken == Some(when) {
                return false;
            }
            entry.woken = Some(when);
            let woken = match when {
                When::Now => &mut table.woken[0],
                When::Next => &mut table.woken[1],
            };
            woken.push(self);
            true
        });
        if !is_news {
            return;
        }
        EVENTS.with(|[now, next]| {
            // SAFETY: the events live as long as the process, and nginx's queues are this worker's.
            // The cycle is set before the first event; a single process gets others.
            unsafe {
                match when {
                    When::Now => {
                        let event = event_of::<Round<0>>(now);
                        (*event).log = (*ngx_cycle).log;
                        ngx_post_event(event, &raw mut ngx_posted_events);
                    }
                    When::Next => {
                        let event = event_of::<Round<1>>(next);
                        (*event).log = (*ngx_cycle).log;
                        ngx_post_event(event, &raw mut ngx_posted_next_events);
                    }
                }
            }
        });
    }
}

/// What the two events do: each tenant that was woken gets its turn, once.
struct Round<const WHEN: usize>;

impl<const WHEN: usize> Fire for Round<WHEN> {
    fn fire() {
        let woken = TABLE
            .with_borrow_mut(|table| table.woken.get_mut(WHEN).map(mem::take).unwrap_or_default());
        for waker in &woken {
            // Looked up each time: the one before may have ended this one.
            let found = TABLE.with_borrow_mut(|table| {
                let entry = table.live(*waker)?;
                entry.woken.take_if(|when| *when as usize == WHEN)?;
                Some((entry.connection, entry.enter))
            });
            if let Some((connection, enter)) = found {
                // SAFETY: an entry that is not struck names a live connection, whose tenancy has
                // registered it together with this function.
                unsafe { enter(connection) };
            }
        }
        // The memory of a burst is kept for the next one, if it is not much.
        let mut woken = woken;
        woken.clear();
        TABLE.with_borrow_mut(|table| {
            if let Some(list) = table.woken.get_mut(WHEN)
                && list.is_empty()
                && list.capacity() < woken.capacity()
                && woken.capacity() <= 1024
            {
                *list = woken;
            }
        });
    }
}
