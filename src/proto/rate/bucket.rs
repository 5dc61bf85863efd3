//! Message rates: a leaky bucket in the manner of nginx's `limit_req`.
//!
//! A bucket holds the excess over the rate in thousandths of a message.

/// A rate and how far it may be exceeded for a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// Thousandths of a message per second; at least 1.
    pub per_second: u64,
    /// Thousandths of a message.
    pub burst: u64,
}

/// The largest burst in messages.
pub const MAX_BURST: u64 = 60_000;

/// What a rate allows at a moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The message may pass, and is counted.
    Pass,
    /// It may not pass, and is not counted; welcome in so many milliseconds.
    Wait(u64),
}

/// The messages of one sender.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Bucket {
    /// Thousandths of a message over the rate.
    excess: u64,
    /// When that was so, in milliseconds.
    at: u64,
}

impl Rate {
    /// Reads `10r/s` or `30r/m`.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = text.split_once("r/")?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            _ => return None,
        };
        let number: u64 = number.parse().ok().filter(|n| (1..=1_000_000).contains(n))?;
        Some(Self { per_second: (number * 1000 / seconds).max(1), burst: 0 })
    }

    /// The same rate with a burst of so many messages.
    #[must_use]
    pub const fn with_burst(self, messages: u32) -> Self {
        Self { burst: messages as u64 * 1000, ..self }
    }
}

impl Bucket {
    /// Thousandths of a message: what fits into a packed bucket.
    const MAX_EXCESS: u64 = (1 << Self::EXCESS_BITS) - 1;
    const EXCESS_BITS: u32 = 26;
    /// What [`charge`](Self::charge) adds above the burst, at most: a message that passes just
    /// within it, and one that came with it.
    const OWED: u64 = 2000;

    /// The bucket as one word, which can be shared between processes: good for bursts up to
    /// [`MAX_BURST`] and for 8 years of uptime.
    pub const fn pack(self) -> u64 {
        let excess = if self.excess > Self::MAX_EXCESS { Self::MAX_EXCESS } else { self.excess };
        self.at << Self::EXCESS_BITS | excess
    }

    /// The inverse of [`pack`](Self::pack).
    pub const fn unpack(word: u64) -> Self {
        Self { excess: word & Self::MAX_EXCESS, at: word >> Self::EXCESS_BITS }
    }

    /// Lets a message pass at `now` (milliseconds), or says when to come again.
    pub fn pass(&mut self, rate: Rate, now: u64) -> Verdict {
        let excess = self.excess_at(rate, now);
        if excess > rate.burst {
            // Rounded up, or the sender would come a moment too early.
            let over = excess - rate.burst;
            return Verdict::Wait((over * 1000).div_ceil(rate.per_second).max(1));
        }
        *self = Self { excess: excess + 1000, at: now };
        Verdict::Pass
    }

    /// Counts a message that has come already, and says for how many milliseconds no further one
    /// is welcome.
    ///
    /// Exact for a single sender that waits as told: it never owes more than two messages above the
    /// burst.  Nor does a bucket that many senders share, who all have sent before any of them was
    /// told; or each message would shut it for the others for as long as it would have had to wait.
    pub fn charge(&mut self, rate: Rate, now: u64) -> u64 {
        let excess = self.excess_at(rate, now);
        // Another limit on the same bucket may have a larger burst: what is owed, is.
        let most = excess.max(rate.burst + Self::OWED).min(Self::MAX_EXCESS);
        let excess = (excess + 1000).min(most);
        *self = Self { excess, at: now };
        // Behind a message that is just within the burst, the next one has to wait.
        let over = excess.saturating_sub(rate.burst + 1000);
        (over * 1000).div_ceil(rate.per_second)
    }

    /// Milliseconds until a message is welcome; counts nothing.
    pub fn wait(&self, rate: Rate, now: u64) -> u64 {
        let over = self.excess_at(rate, now).saturating_sub(rate.burst);
        (over * 1000).div_ceil(rate.per_second)
    }

    /// Whether the bucket is as good as a new one.
    pub fn is_empty(&self, rate: Rate, now: u64) -> bool {
        self.excess_at(rate, now) == 0
    }

    /// When the last message was counted, in milliseconds.
    pub const fn last_used(&self) -> u64 {
        self.at
    }

    fn excess_at(&self, rate: Rate, now: u64) -> u64 {
        let leaked = now.saturating_sub(self.at).saturating_mul(rate.per_second) / 1000;
        self.excess.saturating_sub(leaked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_as_they_are_written() {
        assert_eq!(Rate::parse("20r/s"), Some(Rate { per_second: 20_000, burst: 0 }));
        assert_eq!(Rate::parse("30r/m"), Some(Rate { per_second: 500, burst: 0 }));
        for bad in ["", "20", "0r/s", "r/s", "20r/h", "-1r/s", "1.5r/s", "20R/s", "9999999r/s"] {
            assert_eq!(Rate::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let rate = Rate::parse("10r/s").unwrap().with_burst(3);
        let mut bucket = Bucket::default();
        for _ in 0..4 {
            assert_eq!(bucket.pass(rate, 5000), Verdict::Pass);
        }
        assert_eq!(bucket.pass(rate, 5000), Verdict::Wait(100));
        assert_eq!(bucket.pass(rate, 5099), Verdict::Wait(1));
        assert_eq!(bucket.pass(rate, 5100), Verdict::Pass);
        assert!(!bucket.is_empty(rate, 5100));
        assert!(bucket.is_empty(rate, 5500));
    }

    #[test]
    fn whoever_asks_first_is_never_in_debt() {
        let rate = Rate::parse("10r/s").unwrap().with_burst(1);
        let (mut bucket, mut now, mut passed) = (Bucket::default(), 0, 0);
        while now < 10_000 {
            match bucket.wait(rate, now) {
                0 => {
                    assert_eq!(bucket.charge(rate, now), 0);
                    passed += 1;
                }
                ms => now += ms,
            }
        }
        assert_eq!(passed, 101);
        assert!(bucket.wait(rate, now) <= 100);
    }

    #[test]
    fn whoever_is_charged_pays_later() {
        let rate = Rate::parse("10r/s").unwrap().with_burst(1);
        let mut bucket = Bucket::default();
        assert_eq!(bucket.charge(rate, 0), 0);
        assert_eq!(bucket.charge(rate, 0), 0);
        assert_eq!(bucket.charge(rate, 0), 100);
        assert_eq!(bucket.charge(rate, 100), 100);
        assert_eq!(bucket.charge(rate, 1000), 0);
    }

    #[test]
    fn senders_that_share_a_bucket_do_not_shut_it() {
        let rate = Rate::parse("30r/m").unwrap().with_burst(2);
        let mut bucket = Bucket::default();
        for _ in 0..200 {
            assert!(bucket.charge(rate, 0) <= 2000);
        }
        // One too many, and the one that would come.
        assert_eq!(bucket.pass(rate, 0), Verdict::Wait(4000));
        assert_eq!(bucket.pass(rate, 4000), Verdict::Pass);

        // What was allowed elsewhere is not forgiven here.
        let large = rate.with_burst(10);
        let mut bucket = Bucket::default();
        while bucket.pass(large, 0) == Verdict::Pass {}
        assert_eq!(bucket.charge(rate, 0), 16_000);
        assert_eq!(bucket.charge(rate, 0), 16_000);
    }

    #[test]
    fn a_packed_bucket_is_the_same_bucket() {
        let rate = Rate::parse("10r/s").unwrap().with_burst(MAX_BURST as u32);
        let mut bucket = Bucket::default();
        let now = 8 * 365 * 86_400_000;
        while bucket.pass(rate, now) == Verdict::Pass {}
        let copy = Bucket::unpack(bucket.pack());
        assert_eq!((copy.excess, copy.at), (bucket.excess, bucket.at));
    }

    #[test]
    fn whoever_waits_as_told_passes_and_the_rate_is_exact() {
        for text in ["1r/m", "7r/s", "1000r/s", "1000000r/s"] {
            let rate = Rate::parse(text).unwrap();
            let (mut bucket, mut now, mut passed) = (Bucket::default(), 0, 0u64);
            while passed < 1000 {
                match bucket.pass(rate, now) {
                    Verdict::Pass => passed += 1,
                    Verdict::Wait(ms) => now += ms,
                }
            }
            let ideal = 999 * 1_000_000 / rate.per_second;
            assert!(now >= ideal && now <= ideal + 1000, "{text}: {now} of {ideal} ms");
        }
    }
}
