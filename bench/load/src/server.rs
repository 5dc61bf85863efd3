//! What the kernel knows of the server's processes.

use std::fs::{read_dir, read_to_string};
use std::io::{Error, Result};

/// CPU time of all their threads so far, in seconds.
///
/// `schedstat` counts nanoseconds where `stat` has ticks of 10 ms.
pub(crate) fn cpu(pids: &[u32]) -> Result<f64> {
    let nanoseconds = sum(pids, |pid| {
        read_dir(format!("/proc/{pid}/task"))?
            .map(|thread| {
                let times = read_to_string(thread?.path().join("schedstat"))?;
                parse(times.split_whitespace().next().unwrap_or_default())
            })
            .sum()
    })?;
    Ok(nanoseconds as f64 / 1e9)
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
