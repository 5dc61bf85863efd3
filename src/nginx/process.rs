//! Processes of nginx.

/// This process.
pub(crate) fn id() -> u64 {
    u64::from(std::process::id())
}

/// Whether a process runs, or is at least not waited for.
pub(crate) fn is_alive(id: u64) -> bool {
    let Ok(pid) = libc::pid_t::try_from(id) else { return false };
    // SAFETY: signal 0 is never sent; kill(2) only looks.
    let rc = unsafe { libc::kill(pid, 0) };
    // Not permitted means that it is there.
    rc == 0 || std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// Whether [`trim`] does anything: it is glibc's.
pub(crate) const CAN_TRIM: bool = cfg!(target_env = "gnu");

/// Gives freed memory back to the system.
pub(crate) fn trim() {
    #[cfg(target_env = "gnu")]
    // SAFETY: returns pages that hold no block in use; no thread of nginx's pools can be in the way,
    // because glibc locks its arenas.
    unsafe {
        libc::malloc_trim(0);
    }
}
