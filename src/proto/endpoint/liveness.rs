//! Every deadline of a socket, as arithmetic on milliseconds; one timer serves them all.
//!
//! Times are those of a monotonic clock in milliseconds.  Nothing here runs per message: the caller
//! notes when it last heard the peer, and asks again when the timer fires.

/// The timeouts of a location in milliseconds; 0 turns one off where the directive allows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timeouts {
    /// `ws_idle_timeout`: no frame from the peer for so long.
    pub idle: u64,
    /// `ws_ping_interval`: a peer silent for so long is pinged.
    pub ping_interval: u64,
    /// `ws_pong_timeout`: nothing was heard for so long after a ping.
    pub pong: u64,
    /// `ws_max_lifetime`: age of the socket.
    pub lifetime: u64,
    /// `ws_close_timeout`: the peer has not answered our Close.
    pub close: u64,
}

/// What is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Due {
    /// Drop the connection: the closing handshake took too long.
    CloseTimeout,
    /// Drop the connection: a ping was not answered.
    PongTimeout,
    /// Close 1001: the worker is leaving.
    Drain,
    /// Close 1001: the peer was silent for too long.
    Idle,
    /// Close 1001: the socket is old enough.
    Lifetime,
    /// Send a Ping.
    Ping,
}

/// When things happened on a socket.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    opened: u64,
    heard: u64,
    pinged: Option<u64>,
    closing: Option<u64>,
    drain: Option<u64>,
    leaving: bool,
}

impl Clock {
    /// A socket opened at `now`.
    pub const fn new(now: u64) -> Self {
        Self { opened: now, heard: now, pinged: None, closing: None, drain: None, leaving: false }
    }

    /// Bytes of the peer arrived: it lives, and no answer to a ping is missing.
    #[inline]
    pub const fn heard(&mut self, now: u64) {
        self.heard = now;
        self.pinged = None;
    }

    /// A ping was sent.
    pub const fn pinged(&mut self, now: u64) {
        self.pinged = Some(now);
    }

    /// The closing handshake began.
    pub const fn closing(&mut self, now: u64) {
        self.closing = Some(now);
    }

    /// The socket will be closed when its work is done: until then no deadline closes it.
    pub const fn leaving(&mut self) {
        self.leaving = true;
    }

    /// Sends the socket away at `at`, unless that is settled already.
    pub const fn drain(&mut self, at: u64) {
        if self.drain.is_none() {
            self.drain = Some(at);
        }
    }

    /// What is due at `now`, the most urgent first.
    pub fn due(&self, timeouts: &Timeouts, now: u64) -> Option<Due> {
        self.deadlines(timeouts).find(|(at, _)| *at <= now).map(|(_, due)| due)
    }

    /// Milliseconds from `now` to the next deadline; `None` when there is none.
    pub fn next(&self, timeouts: &Timeouts, now: u64) -> Option<u64> {
        self.deadlines(timeouts).map(|(at, _)| at.saturating_sub(now)).min()
    }

    fn deadlines(&self, timeouts: &Timeouts) -> impl Iterator<Item = (u64, Due)> {
        let open = self.closing.is_none();
        let after = |since: u64, timeout: u64, due| {
            (open && timeout > 0).then(|| (since.saturating_add(timeout), due))
        };
        let ping = match self.pinged {
            Some(at) => after(at, timeouts.pong, Due::PongTimeout),
            None => after(self.heard, timeouts.ping_interval, Due::Ping),
        };
        [
            self.closing.map(|at| (at.saturating_add(timeouts.close), Due::CloseTimeout)),
            self.drain.filter(|_| open && !self.leaving).map(|at| (at, Due::Drain)),
            after(self.heard, timeouts.idle, Due::Idle).filter(|_| !self.leaving),
            after(self.opened, timeouts.lifetime, Due::Lifetime).filter(|_| !self.leaving),
            ping,
        ]
        .into_iter()
        .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Timeouts =
        Timeouts { idle: 120, ping_interval: 50, pong: 10, lifetime: 1000, close: 5 };

    #[test]
    fn nothing_is_due_without_timeouts() {
        let clock = Clock::new(5);
        assert_eq!(clock.next(&Timeouts::default(), 5), None);
        assert_eq!(clock.due(&Timeouts::default(), u64::MAX), None);
    }

    #[test]
    fn a_silent_peer_is_pinged_and_then_dropped() {
        let mut clock = Clock::new(0);
        assert_eq!(clock.next(&ALL, 0), Some(50));
        assert_eq!(clock.due(&ALL, 49), None);
        assert_eq!(clock.due(&ALL, 50), Some(Due::Ping));
        clock.pinged(50);
        assert_eq!(clock.next(&ALL, 50), Some(10));
        assert_eq!(clock.due(&ALL, 60), Some(Due::PongTimeout));
    }

    #[test]
    fn a_peer_that_answers_lives_until_its_lifetime_ends() {
        let mut clock = Clock::new(0);
        for now in (50..1000).step_by(50) {
            assert_eq!(clock.due(&ALL, now), Some(Due::Ping), "{now}");
            clock.pinged(now);
            clock.heard(now);
            assert_eq!(clock.due(&ALL, now + 1), None, "{now}");
        }
        assert_eq!(clock.due(&ALL, 1000), Some(Due::Lifetime));
    }

    #[test]
    fn idle_comes_before_ping_when_both_are_due() {
        let timeouts = Timeouts { idle: 20, ping_interval: 20, ..ALL };
        assert_eq!(Clock::new(0).due(&timeouts, 20), Some(Due::Idle));
    }

    #[test]
    fn a_leaving_socket_is_closed_by_its_owner_but_still_pinged() {
        let mut clock = Clock::new(0);
        clock.drain(0);
        clock.leaving();
        assert_eq!(clock.due(&ALL, 49), None);
        assert_eq!(clock.due(&ALL, 5000), Some(Due::Ping));
    }

    #[test]
    fn once_closing_only_the_close_timeout_counts() {
        let mut clock = Clock::new(0);
        clock.drain(30);
        clock.drain(3);
        assert_eq!(clock.next(&ALL, 0), Some(30), "the first drain deadline stands");
        assert_eq!(clock.due(&ALL, 30), Some(Due::Drain));
        clock.closing(30);
        assert_eq!(clock.next(&ALL, 30), Some(5));
        assert_eq!(clock.due(&ALL, 34), None);
        assert_eq!(clock.due(&ALL, 35), Some(Due::CloseTimeout));
    }
}
