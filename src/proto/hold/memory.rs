//! Whether there is memory, for code that aborts when there is none.

/// There is no memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoMemory;

/// What small allocations take on the way.
const MARGIN: usize = 64 * 1024;

/// Whether `bytes` and a little more can be allocated now.
pub fn has_room(bytes: usize) -> bool {
    let mut probe = Vec::<u8>::new();
    let room = probe.try_reserve_exact(bytes.saturating_add(MARGIN)).is_ok();
    // Or the optimiser would see that nobody uses the memory, and not ask for it.
    core::hint::black_box(&mut probe);
    room
}

#[cfg(test)]
mod tests {
    use super::has_room;

    #[test]
    fn there_is_room_for_a_little_and_none_for_everything() {
        assert!(has_room(0) && has_room(1 << 20));
        assert!(!has_room(usize::MAX) && !has_room(isize::MAX as usize));
    }
}
