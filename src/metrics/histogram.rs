//! A histogram of durations with fixed bounds.

/// Counts by duration, as words: one per bound, one for all that is longer, the sum.
#[derive(Clone, Copy, Debug)]
pub struct Histogram<'w>(&'w [u64]);

/// Upper bounds in milliseconds, inclusive.
const BOUNDS: [u64; 13] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

impl<'w> Histogram<'w> {
    /// Words of a histogram.
    pub const WORDS: usize = BOUNDS.len() + 2;

    pub(super) const fn new(words: &'w [u64]) -> Self {
        Self(words)
    }

    /// Which words a duration is added to, and how much.
    pub(super) fn increments(ms: u64) -> [(usize, u64); 2] {
        let bucket = BOUNDS.iter().position(|bound| ms <= *bound).unwrap_or(BOUNDS.len());
        [(bucket, 1), (BOUNDS.len() + 1, ms)]
    }

    /// Each bound in milliseconds, with the number of durations up to it.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut total = 0;
        BOUNDS.into_iter().zip(self.0).map(move |(bound, n)| {
            total += n;
            (bound, total)
        })
    }

    /// The number of durations.
    pub fn count(&self) -> u64 {
        self.0.iter().take(BOUNDS.len() + 1).sum()
    }

    /// Their sum in milliseconds.
    pub fn sum(&self) -> u64 {
        self.0.get(BOUNDS.len() + 1).copied().unwrap_or_default()
    }
}
