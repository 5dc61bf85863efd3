//! The life of a socket: one table from open to gone, and every deadline as arithmetic on
//! milliseconds.
//!
//! Times are those of a monotonic clock.  Nothing here runs per message: the caller notes when it
//! last heard the peer, and asks again when the one timer fires.

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

/// Where a socket is between the handshake and the end of TCP (RFC 6455 §7.1).
///
/// ```text
///          leave             close           peer's Close
///   Open --------> Leaving ---------> Closing -------------> Closed --.
///    | |             | | violation       | violation                  |
///    | `-------------+-+--------------> Failed -----------------------+
///    |   violation     |                                              |
///    `-----------------'--- peer's Close ---------------> Closed      |
///                                                                     v
///                          lost, from everywhere ------------------> Gone
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum State {
    /// Messages flow.
    #[default]
    Open,
    /// As `Open`, until the work under way is done; no new work is taken.
    Leaving,
    /// Our Close is sent; messages of the peer are read and dropped until its Close comes.
    Closing,
    /// Both have sent a Close: TCP is closed when ours is out, by the server first (§7.1.1).
    Closed,
    /// The peer broke the protocol: nothing it sends is parsed any more (§7.1.7).
    Failed,
    /// TCP is of no more use; what the socket has begun may still run.
    Gone,
}

/// What moves a [`State`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// We want to close when the work under way is done.
    Leave,
    /// We close.
    Close,
    /// The peer's Close arrived.
    PeerClose,
    /// The peer broke a rule.
    Violation,
    /// The connection is over.
    Lost,
}

/// What the caller must send for a transition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Nothing: a Close is sent at most once (§5.5.1).
    Nothing,
    /// A Close frame of ours.
    SendClose,
    /// A Close frame with the peer's code.
    AnswerClose,
}

/// The life of a socket as a table.
const fn step(state: State, event: Event) -> (State, Effect) {
    match (state, event) {
        (_, Event::Lost) => (State::Gone, Effect::Nothing),
        (State::Open, Event::Leave) => (State::Leaving, Effect::Nothing),
        (State::Open | State::Leaving, Event::Close) => (State::Closing, Effect::SendClose),
        (State::Open | State::Leaving, Event::PeerClose) => (State::Closed, Effect::AnswerClose),
        (State::Open | State::Leaving, Event::Violation) => (State::Failed, Effect::SendClose),
        (State::Closing, Event::PeerClose) => (State::Closed, Effect::Nothing),
        (State::Closing, Event::Violation) => (State::Failed, Effect::Nothing),
        // Whatever else is late.
        (state, _) => (state, Effect::Nothing),
    }
}

/// Where a socket is, and when things happened on it.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    state: State,
    opened: u64,
    heard: u64,
    pinged: Option<u64>,
    /// The closing handshake began.
    closing: Option<u64>,
    drain: Option<u64>,
    /// Why it is leaving: the reason of the Close frame.
    reason: &'static str,
}

impl Life {
    /// A socket opened at `now`.
    pub const fn new(now: u64) -> Self {
        Self {
            state: State::Open,
            opened: now,
            heard: now,
            pinged: None,
            closing: None,
            drain: None,
            reason: "",
        }
    }

    /// Where it is.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether data messages are served.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::Leaving)
    }

    /// Whether what the peer sends is parsed.
    pub const fn is_heard(&self) -> bool {
        matches!(self.state, State::Open | State::Leaving | State::Closing)
    }

    /// Whether no new work is taken.
    pub const fn is_leaving(&self) -> bool {
        matches!(self.state, State::Leaving)
    }

    /// Why it is leaving.
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// Moves on, and tells what to send.
    pub const fn step(&mut self, event: Event, now: u64) -> Effect {
        let (state, effect) = step(self.state, event);
        if matches!(self.state, State::Open | State::Leaving)
            && !matches!(state, State::Open | State::Leaving)
        {
            self.closing = Some(now);
        }
        self.state = state;
        effect
    }

    /// Closes as soon as the work under way is done, for `reason`: at most 123 bytes.
    pub const fn leave(&mut self, reason: &'static str, now: u64) {
        if matches!(self.state, State::Open) {
            self.reason = reason;
        }
        let _ = self.step(Event::Leave, now);
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
        let stays = matches!(self.state, State::Open);
        let after = |since: u64, timeout: u64, due| {
            (self.closing.is_none() && timeout > 0).then(|| (since.saturating_add(timeout), due))
        };
        let ping = match self.pinged {
            Some(at) => after(at, timeouts.pong, Due::PongTimeout),
            None => after(self.heard, timeouts.ping_interval, Due::Ping),
        };
        [
            self.closing.map(|at| (at.saturating_add(timeouts.close), Due::CloseTimeout)),
            self.drain.filter(|_| stays).map(|at| (at, Due::Drain)),
            after(self.heard, timeouts.idle, Due::Idle).filter(|_| stays),
            after(self.opened, timeouts.lifetime, Due::Lifetime).filter(|_| stays),
            ping,
        ]
        .into_iter()
        .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 5] =
        [Event::Leave, Event::Close, Event::PeerClose, Event::Violation, Event::Lost];

    #[test]
    fn a_close_is_sent_at_most_once() {
        for first in EVENTS {
            for second in EVENTS {
                for third in EVENTS {
                    let mut life = Life::new(0);
                    let effects = [first, second, third].map(|event| life.step(event, 1));
                    let sent = effects.iter().filter(|e| **e != Effect::Nothing).count();
                    assert!(sent <= 1, "{first:?} {second:?} {third:?}");
                    let is_over = !life.is_open() && life.state() != State::Gone;
                    assert!(!is_over || sent == 1, "{first:?} {second:?} {third:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_lost_stays_lost_and_says_nothing() {
        for event in EVENTS {
            let mut life = Life::new(0);
            assert_eq!(life.step(Event::Lost, 1), Effect::Nothing);
            assert_eq!(life.step(event, 2), Effect::Nothing);
            assert_eq!(life.state(), State::Gone);
        }
    }

    #[test]
    fn a_leaving_socket_serves_until_it_closes_and_keeps_its_first_reason() {
        let mut life = Life::new(0);
        life.leave("lifetime", 1);
        life.leave("going away", 2);
        assert!(life.is_open() && life.is_leaving());
        assert_eq!(life.reason(), "lifetime");
        assert_eq!(life.step(Event::Close, 3), Effect::SendClose);
        assert!(!life.is_open() && life.is_heard());
        assert_eq!(life.step(Event::PeerClose, 4), Effect::Nothing);
        assert_eq!(life.state(), State::Closed);
    }

    const ALL: Timeouts =
        Timeouts { idle: 120, ping_interval: 50, pong: 10, lifetime: 1000, close: 5 };

    #[test]
    fn nothing_is_due_without_timeouts() {
        let life = Life::new(5);
        assert_eq!(life.next(&Timeouts::default(), 5), None);
        assert_eq!(life.due(&Timeouts::default(), u64::MAX), None);
    }

    #[test]
    fn a_silent_peer_is_pinged_and_then_dropped() {
        let mut life = Life::new(0);
        assert_eq!(life.next(&ALL, 0), Some(50));
        assert_eq!(life.due(&ALL, 49), None);
        assert_eq!(life.due(&ALL, 50), Some(Due::Ping));
        life.pinged(50);
        assert_eq!(life.next(&ALL, 50), Some(10));
        assert_eq!(life.due(&ALL, 60), Some(Due::PongTimeout));
    }

    #[test]
    fn a_peer_that_answers_lives_until_its_lifetime_ends() {
        let mut life = Life::new(0);
        for now in (50..1000).step_by(50) {
            assert_eq!(life.due(&ALL, now), Some(Due::Ping), "{now}");
            life.pinged(now);
            life.heard(now);
            assert_eq!(life.due(&ALL, now + 1), None, "{now}");
        }
        assert_eq!(life.due(&ALL, 1000), Some(Due::Lifetime));
    }

    #[test]
    fn idle_comes_before_ping_when_both_are_due() {
        let timeouts = Timeouts { idle: 20, ping_interval: 20, ..ALL };
        assert_eq!(Life::new(0).due(&timeouts, 20), Some(Due::Idle));
    }

    #[test]
    fn a_leaving_socket_is_closed_by_its_owner_but_still_pinged() {
        let mut life = Life::new(0);
        life.drain(0);
        life.leave("going away", 0);
        assert_eq!(life.due(&ALL, 49), None);
        assert_eq!(life.due(&ALL, 5000), Some(Due::Ping));
    }

    #[test]
    fn once_closing_only_the_close_timeout_counts() {
        let mut life = Life::new(0);
        life.drain(30);
        life.drain(3);
        assert_eq!(life.next(&ALL, 0), Some(30), "the first drain deadline stands");
        assert_eq!(life.due(&ALL, 30), Some(Due::Drain));
        assert_eq!(life.step(Event::Close, 30), Effect::SendClose);
        assert_eq!(life.next(&ALL, 30), Some(5));
        assert_eq!(life.due(&ALL, 34), None);
        assert_eq!(life.due(&ALL, 35), Some(Due::CloseTimeout));
    }
}
