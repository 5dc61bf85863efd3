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
