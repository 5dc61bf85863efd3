//! Numbers that nobody can guess.

/// A uniformly distributed number below `bound`; 0 when `bound` is 0.
pub(crate) fn random_below(bound: u64) -> u64 {
    // The bias of the remainder is below 2^-64 * bound: nothing, for a time in milliseconds.
    u64::from_ne_bytes(random_bytes()).checked_rem(bound).unwrap_or_default()
}

/// Bytes that nobody can guess; at most 256.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    // SAFETY: writes at most the given length.  Up to 256 bytes come whole (getrandom(2)).
    let n = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), N, 0) };
    debug_assert_eq!(usize::try_from(n), Ok(N));
    bytes
}
