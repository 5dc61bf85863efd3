//! What the kernel knows of the server's processes.

use std::fs::read_to_string;
use std::io::{Error, Result};

/// CPU time of all of them so far, in seconds; the kernel tells it in ticks of 10 ms.
pub(crate) fn cpu(pids: &[u32]) -> Result<f64> {
    // SAFETY: takes no pointer.
    let ticks_a_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    let ticks = sum(pids, |pid| {
        let stat = read_to_string(format!("/proc/{pid}/stat"))?;
        // The name in parentheses may hold anything; utime and stime are fields 14 and 15.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().skip(11).take(2).map(parse).sum()
    })?;
    Ok(ticks as f64 / ticks_a_second)
}

/// Resident memory of all of them, in kilobytes.
pub(crate) fn rss(pids: &[u32]) -> Result<u64> {
    sum(pids, |pid| {
        let status = read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next())
            .map_or_else(|| Err(Error::other(format!("no VmRSS of process {pid}"))), parse)
    })
}

fn sum(pids: &[u32], each: impl Fn(u32) -> Result<u64>) -> Result<u64> {
    pids.iter().map(|&pid| each(pid)).sum()
}

fn parse(field: &str) -> Result<u64> {
    field.parse().map_err(Error::other)
}
