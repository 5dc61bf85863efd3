//! Reads the bytes of the fuzzer from the front; what is missing reads as zero.

/// What is left of the fuzzer's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Input<'d>(pub &'d [u8]);

impl<'d> Input<'d> {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    /// The next `n` bytes, or as many as there are.
    pub fn take(&mut self, n: usize) -> &'d [u8] {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Up to 255 bytes behind their number.
    pub fn piece(&mut self) -> &'d [u8] {
        let n = self.byte();
        self.take(usize::from(n))
    }

    /// A piece as text, with what is not UTF-8 replaced.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.piece()).into_owned()
    }
}
