//! Counters in memory that all workers share: what they count, where it stands, who writes it.
//!
//! Pure: knows words and process numbers, not nginx.  Every process writes only to a slot of its
//! own, so an increment is a load and a store and no cache line is fought over.  A slot of a dead
//! process is folded into the first one, the base, by whoever takes it over: counts survive workers,
//! gauges do not.

pub mod histogram;
pub mod render;

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use histogram::Histogram;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)*) => {
        /// What is counted, from the start of the zone on.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[repr(usize)]
        pub enum Counter { $($(#[doc = $doc])+ $name,)* }

        const COUNTERS: usize = [$(Counter::$name),*].len();
    };
}

counters! {
    /// Handshakes answered with 101.
    Accepted,
    /// Handshakes answered with 400.
    BadRequest,
    /// Handshakes answered with 403.
    Forbidden,
    /// Handshakes answered with 405.
    NotAllowed,
    /// Handshakes answered with 426.
    UpgradeRequired,
    /// Handshakes that failed here, answered with 500.
    HandshakeFailed,
    /// Text messages from clients.
    TextIn,
    /// Binary messages from clients.
    BinaryIn,
    /// Text messages to clients.
    TextOut,
    /// Binary messages to clients.
    BinaryOut,
    /// Payload bytes of text messages from clients.
    TextBytesIn,
    /// Payload bytes of binary messages from clients.
    BinaryBytesIn,
    /// Payload bytes of text messages to clients.
    TextBytesOut,
    /// Payload bytes of binary messages to clients.
    BinaryBytesOut,
    /// Requests of messages answered with 1xx or 2xx.
    Rest2xx,
    /// Requests of messages answered with 3xx.
    Rest3xx,
    /// Requests of messages answered with 4xx.
    Rest4xx,
    /// Requests of messages answered with 5xx.
    Rest5xx,
    /// Requests of messages that got no usable response: timeout, too large, incomplete.
    RestFailed,
    /// Messages that became no request: bad JSON, not found, overloaded and the like.
    RestRefused,
    /// Messages that made their socket wait.
    LimitDelayed,
    /// Messages that were answered with 429.
    LimitRejected,
    /// Messages that ended their socket.
    LimitClosed,
    /// Sockets dropped because the client did not read.
    SlowReaders,
}

/// What is so now, in a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(usize)]
pub enum Gauge {
    /// Open sockets.
    Sockets,
    /// Requests of messages under way.
    Requests,
    /// 1 in a worker that is shutting down.
    Draining,
}

/// Who ended a socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(usize)]
pub enum Side {
    /// We sent the first Close frame, or dropped the connection.
    Server,
    /// The client did.
    Client,
}

/// Close codes that are counted each by itself; others together.
pub const CLOSE_CODES: [u16; 12] =
    [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012];

const GAUGES: usize = 3;
const CODES: usize = CLOSE_CODES.len() + 1;
const PID: usize = 0;
const GAUGE: usize = PID + 1;
const COUNTER: usize = GAUGE + GAUGES;
const CLOSE: usize = COUNTER + COUNTERS;
const LATENCY: usize = CLOSE + 2 * CODES;
const USED: usize = LATENCY + Histogram::WORDS;
/// Words of a slot: whole cache lines, so that no two processes write to one.
pub const SLOT: usize = USED.next_multiple_of(8);

/// The slot of this process.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'w>(&'w [AtomicU64]);

impl<'w> Slot<'w> {
    /// Takes a slot for the process `pid`: its own, a free one, or that of a dead process.
    ///
    /// `None` when all are taken, which the size of the zone decides.
    pub fn take(words: &'w [AtomicU64], pid: u64, is_alive: impl Fn(u64) -> bool) -> Option<Self> {
        let mut slots = words.chunks_exact(SLOT);
        let base = slots.next()?;
        let free = |slot: &&[AtomicU64]| {
            let Some(owner) = slot.get(PID) else { return false };
            let held = owner.load(Relaxed);
            held == pid
                || (held == 0 || !is_alive(held))
                    && owner.compare_exchange(held, pid, Relaxed, Relaxed).is_ok()
        };
        let slot = slots.find(free)?;
        // Gauges end with their process; counts are kept.
        for (i, word) in slot.iter().enumerate().skip(GAUGE) {
            let value = word.swap(0, Relaxed);
            if i >= COUNTER
                && let Some(total) = base.get(i)
            {
                total.fetch_add(value, Relaxed);
            }
        }
        Some(Self(slot))
    }

    /// Adds to a counter.
    #[inline]
    pub fn add(self, counter: Counter, n: u64) {
        self.bump(COUNTER + counter as usize, n);
    }

    /// Changes a gauge.
    #[inline]
    pub fn change(self, gauge: Gauge, by: i64) {
        self.bump(GAUGE + gauge as usize, by as u64);
    }

    /// Sets a gauge.
    pub fn set(self, gauge: Gauge, value: u64) {
        if let Some(word) = self.0.get(GAUGE + gauge as usize) {
            word.store(value, Relaxed);
        }
    }

    /// Counts the end of a socket.
    pub fn closed(self, side: Side, code: u16) {
        let i = CLOSE_CODES.iter().position(|c| *c == code).unwrap_or(CODES - 1);
        self.bump(CLOSE + side as usize * CODES + i, 1);
    }

    /// Notes how long a request of a message took, in milliseconds.
    pub fn took(self, ms: u64) {
        for (i, n) in Histogram::increments(ms) {
            self.bump(LATENCY + i, n);
        }
    }

    #[inline]
    fn bump(self, i: usize, n: u64) {
        if let Some(word) = self.0.get(i) {
            // Nobody else writes here, so this needs no atomic addition.
            word.store(word.load(Relaxed).wrapping_add(n), Relaxed);
        }
    }
}

/// The sums over all slots.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    words: [u64; USED],
}

impl Snapshot {
    /// Adds up the slots; gauges of live processes only.
    pub fn take(words: &[AtomicU64], is_alive: impl Fn(u64) -> bool) -> Self {
        let mut sums = [0u64; USED];
        for slot in words.chunks_exact(SLOT) {
            let pid = slot.first().map_or(0, |pid| pid.load(Relaxed));
            let from = if pid != 0 && is_alive(pid) { GAUGE } else { COUNTER };
            for (sum, word) in sums.iter_mut().zip(slot).skip(from) {
                *sum = sum.wrapping_add(word.load(Relaxed));
            }
        }
        Self { words: sums }
    }

    /// A counter.
    pub fn counter(&self, counter: Counter) -> u64 {
        self.at(COUNTER + counter as usize)
    }

    /// A gauge.
    pub fn gauge(&self, gauge: Gauge) -> u64 {
        self.at(GAUGE + gauge as usize)
    }

    /// How many sockets a side has ended with each code; `None` is all other codes.
    pub fn closed(&self, side: Side) -> impl Iterator<Item = (Option<u16>, u64)> {
        let codes = CLOSE_CODES.into_iter().map(Some).chain([None]);
        codes.enumerate().map(move |(i, code)| (code, self.at(CLOSE + side as usize * CODES + i)))
    }

    /// How long requests of messages took.
    pub fn latency(&self) -> Histogram<'_> {
        Histogram::new(self.words.get(LATENCY..).unwrap_or_default())
    }

    fn at(&self, i: usize) -> u64 {
        self.words.get(i).copied().unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
