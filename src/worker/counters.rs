//! Where a worker counts for the sockets of a location.

use core::ptr;
use std::cell::RefCell;

use crate::metrics::{Counter, Gauge, Side, Slot};
use crate::nginx::process;
use crate::nginx::shm::Zone;
use crate::settings::http::CounterZone;

type Taken = (&'static Zone<CounterZone>, Option<Slot<'static>>);

thread_local! {
    /// The slots this worker has taken; `None` where a zone had no more.
    static SLOTS: RefCell<Vec<Taken>> = const { RefCell::new(Vec::new()) };
}

/// Counts of a location, or nowhere: a zone may not be given, or be full.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters(Option<Slot<'static>>);

impl Counters {
    /// Those of this worker in `zone`.
    pub(crate) fn of(zone: Option<&'static Zone<CounterZone>>) -> Self {
        let Some(zone) = zone else { return Self(None) };
        Self(SLOTS.with_borrow_mut(|slots| {
            if let Some((_, slot)) = slots.iter().find(|(known, _)| ptr::eq(*known, zone)) {
                return *slot;
            }
            let slot = Slot::take(zone.words(), process::id(), process::is_alive);
            slots.push((zone, slot));
            slot
        }))
    }

    #[inline]
    pub(crate) fn add(self, counter: Counter, n: u64) {
        if let Some(slot) = self.0 {
            slot.add(counter, n);
        }
    }

    pub(crate) fn change(self, gauge: Gauge, by: i64) {
        if let Some(slot) = self.0 {
            slot.change(gauge, by);
        }
    }

    pub(crate) fn set(self, gauge: Gauge, value: u64) {
        if let Some(slot) = self.0 {
            slot.set(gauge, value);
        }
    }

    /// Counts a data message of the client.
    #[inline]
    pub(crate) fn received(self, is_text: bool, len: usize) {
        if let Some(slot) = self.0 {
            slot.add(if is_text { Counter::TextIn } else { Counter::BinaryIn }, 1);
            let bytes = if is_text { Counter::TextBytesIn } else { Counter::BinaryBytesIn };
            slot.add(bytes, len as u64);
        }
    }

    /// Counts a data message to the client.
    #[inline]
    pub(crate) fn sent(self, is_text: bool, len: usize) {
        if let Some(slot) = self.0 {
            slot.add(if is_text { Counter::TextOut } else { Counter::BinaryOut }, 1);
            let bytes = if is_text { Counter::TextBytesOut } else { Counter::BinaryBytesOut };
            slot.add(bytes, len as u64);
        }
    }

    /// Counts the end of a socket.
    pub(crate) fn closed(self, side: Side, code: u16) {
        if let Some(slot) = self.0 {
            slot.closed(side, code);
        }
    }

    /// Notes how long a request of a message took, in milliseconds.
    pub(crate) fn took(self, ms: u64) {
        if let Some(slot) = self.0 {
            slot.took(ms);
        }
    }
}
