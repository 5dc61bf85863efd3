//! Message rates by key, in memory that several processes share, without a lock.
//!
//! A table of buckets under 64-bit hashes of their keys.  Two keys with one hash share a bucket,
//! which is a matter of 2^-64.  Where more keys are in use than there is room for, the bucket that
//! was used the longest ago gives way, as in `limit_req`.

use core::hash::Hasher;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::hash::DefaultHasher;

use super::bucket::{Bucket, Rate, Verdict};

/// A view of the shared words: the seed of the hash in a line of its own, then sets of pairs of hash
/// and packed bucket, a set to a line.
#[derive(Clone, Copy, Debug)]
pub struct SharedRates<'w> {
    seed: u64,
    sets: &'w [Set],
}

/// The bucket of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Key(u64);

/// Hash and bucket.
const PAIR: usize = 2;
/// Places where a key may be: one line of the processor's cache.
const WAYS: usize = 4;
/// Words of a line; zones are given memory from the start of a page.
const LINE: usize = WAYS * PAIR;
/// The places of the keys that share a line.
type Set = [AtomicU64; LINE];

impl<'w> SharedRates<'w> {
    /// The table in `words`, zero or used before; `random` is the seed if they are new.
    ///
    /// `None` when there is not room for one key.
    pub fn new(words: &'w [AtomicU64], random: u64) -> Option<Self> {
        let ([first, ..], sets) = words.as_chunks::<LINE>().0.split_first()?;
        if sets.is_empty() {
            return None;
        }
        let _ = first.compare_exchange(0, random | 1, Relaxed, Relaxed);
        Some(Self { seed: first.load(Relaxed), sets })
    }

    /// How many keys there is room for.
    pub const fn capacity(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// The key for a value, the same in all processes.
    pub fn key(&self, value: &[u8]) -> Key {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.seed);
        hasher.write(value);
        // 0 marks a free place.
        Key(hasher.finish().max(1))
    }

    /// As [`Bucket::pass`], for a key.
    pub fn pass(&self, key: Key, rate: Rate, now: u64) -> Verdict {
        self.update(key, rate, now, |bucket| bucket.pass(rate, now)).unwrap_or(Verdict::Pass)
    }

    /// As [`Bucket::charge`], for a key.
    pub fn charge(&self, key: Key, rate: Rate, now: u64) -> u64 {
        self.update(key, rate, now, |bucket| bucket.charge(rate, now)).unwrap_or_default()
    }

    /// As [`Bucket::wait`], for a key; takes no place for one that is not known.
    pub fn wait(&self, key: Key, rate: Rate, now: u64) -> u64 {
        let sets = self.sets.len();
        let set = self.sets.get(key.0 as usize % sets).map(|set| set.as_chunks::<PAIR>().0);
        let found = set.unwrap_or_default().iter().find(|[hash, _]| hash.load(Relaxed) == key.0);
        found.map_or(0, |[_, state]| Bucket::unpack(state.load(Relaxed)).wait(rate, now))
    }

    fn update<T>(
        &self,
        key: Key,
        rate: Rate,
        now: u64,
        change: impl Fn(&mut Bucket) -> T,
    ) -> Option<T> {
        let state = self.find(key, rate, now)?;
        loop {
            let old = state.load(Relaxed);
            let mut bucket = Bucket::unpack(old);
            let result = change(&mut bucket);
            if state.compare_exchange_weak(old, bucket.pack(), Relaxed, Relaxed).is_ok() {
                return Some(result);
            }
        }
    }

    /// The bucket of a key, a new one if need be.
    fn find(&self, key: Key, rate: Rate, now: u64) -> Option<&'w AtomicU64> {
        let set = self.sets.get(key.0 as usize % self.sets.len())?;
        let mut victim: Option<(u64, u64, &AtomicU64, &AtomicU64)> = None;
        for [hash, state] in set.as_chunks::<PAIR>().0 {
            let held = hash.load(Relaxed);
            if held == key.0 {
                return Some(state);
            }
            let bucket = Bucket::unpack(state.load(Relaxed));
            let age = if held == 0 || bucket.is_empty(rate, now) { 0 } else { bucket.last_used() };
            if victim.is_none_or(|(best, ..)| age < best) {
                victim = Some((age, held, hash, state));
            }
        }
        let (_, held, hash, state) = victim?;
        // Whoever loses the race for a place counts in the winner's bucket, once.
        if hash.compare_exchange(held, key.0, Relaxed, Relaxed).is_ok() {
            state.store(Bucket::default().pack(), Relaxed);
        }
        Some(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(words: usize) -> Vec<AtomicU64> {
        (0..words).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn keys_have_buckets_of_their_own_that_all_views_share() {
        let words = memory(LINE + 1024 * PAIR);
        let ours = SharedRates::new(&words, 42).unwrap();
        let theirs = SharedRates::new(&words, 43).unwrap();
        assert_eq!(ours.key(b"a"), theirs.key(b"a"), "the first seed stands");
        assert_ne!(ours.key(b"a"), ours.key(b"b"));

        let rate = Rate::parse("1r/s").unwrap().with_burst(1);
        assert_eq!(ours.pass(ours.key(b"a"), rate, 0), Verdict::Pass);
        assert_eq!(theirs.pass(theirs.key(b"a"), rate, 0), Verdict::Pass);
        assert_eq!(ours.pass(ours.key(b"a"), rate, 0), Verdict::Wait(1000));
        assert_eq!(ours.wait(ours.key(b"b"), rate, 0), 0);
        assert_eq!(ours.pass(ours.key(b"b"), rate, 0), Verdict::Pass);
        assert_eq!(theirs.wait(ours.key(b"a"), rate, 0), 1000);
        assert_eq!(theirs.wait(ours.key(b"a"), rate, 1000), 0);
    }

    #[test]
    fn a_full_table_forgets_the_longest_unused() {
        let words = memory(LINE + WAYS * PAIR);
        let rates = SharedRates::new(&words, 1).unwrap();
        assert_eq!(rates.capacity(), WAYS);
        let rate = Rate::parse("1r/m").unwrap();
        let key = |i: u64| rates.key(&i.to_be_bytes());
        for i in 0..4 {
            assert_eq!(rates.pass(key(i), rate, i), Verdict::Pass);
        }
        assert_eq!(rates.pass(key(4), rate, 4), Verdict::Pass, "takes the place of 0");
        assert!(matches!(rates.pass(key(3), rate, 5), Verdict::Wait(_)));
        assert!(matches!(rates.pass(key(1), rate, 5), Verdict::Wait(_)));
        assert_eq!(rates.pass(key(0), rate, 5), Verdict::Pass, "was forgotten");
    }

    #[test]
    fn a_key_is_looked_for_in_one_line_of_the_cache() {
        let words = memory(LINE + 1024 * PAIR);
        let rates = SharedRates::new(&words, 42).unwrap();
        let rate = Rate::parse("1r/m").unwrap();
        let at = |word| (std::ptr::from_ref::<AtomicU64>(word).addr() - words.as_ptr().addr()) / 8;
        for key in 0..2000u64 {
            let state = rates.find(rates.key(&key.to_be_bytes()), rate, 0).unwrap();
            assert!(at(state) > LINE, "the seed has its line");
        }
        for set in rates.sets {
            assert_eq!(at(&set[0]) % LINE, 0, "a set begins with a line");
        }
    }

    #[test]
    fn threads_together_pass_what_the_rate_allows() {
        let words = memory(LINE + 1024 * PAIR);
        let rates = SharedRates::new(&words, 1).unwrap();
        let rate = Rate::parse("1r/s").unwrap().with_burst(999);
        let key = rates.key(b"everyone");
        let passed: usize = std::thread::scope(|scope| {
            let count = || (0..1000).filter(|_| rates.pass(key, rate, 7) == Verdict::Pass).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(passed, 1000);
    }

    #[test]
    fn too_little_memory_is_no_table() {
        assert!(SharedRates::new(&memory(0), 1).is_none());
        assert!(SharedRates::new(&memory(2 * LINE - 1), 1).is_none());
        assert!(SharedRates::new(&memory(2 * LINE), 1).is_some());
    }
}
