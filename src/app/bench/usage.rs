//! What a process has used, as Linux counts it.

use anyhow::{Context, Result};
use std::time::Duration;

/// Ticks of a second in `/proc/self/stat`: fixed by the kernel's interface.
const TICKS: u64 = 100;

/// CPU time of this process so far, user and system, all its threads; in steps of 10 ms.
pub fn cpu() -> Result<Duration> {
    let stat =
        std::fs::read_to_string("/proc/self/stat").context("the bench reads /proc, which only Linux has")?;
    let ticks = ticks(&stat).context("/proc/self/stat")?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS))
}

/// User and system time. The name before them is in brackets and may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// CPU time of this thread so far.
pub fn thread_cpu() -> Result<Duration> {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").context("/proc/thread-self/schedstat")?;
    let nanos = text.split_whitespace().next().and_then(|text| text.parse().ok());
    nanos.map(Duration::from_nanos).context("/proc/thread-self/schedstat")
}

/// The most memory that this process ever had resident, MB.
pub fn peak_mb() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kb.map(|kb| kb / 1_024).context("no VmHWM in /proc/self/status")
}

/// Milliseconds since the epoch by the wall clock.
#[allow(clippy::disallowed_methods, reason = "simulated events end now")]
pub fn wall_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_brackets_and_spaces() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 900 0 0 0 150 25 7 8 20 0 4 0 100 1 1";
        assert_eq!(ticks(stat), Some(175));
        assert_eq!(ticks("42 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_used_something() {
        assert!(peak_mb().unwrap() > 0);
        assert!(thread_cpu().is_ok() && cpu().is_ok());
    }
}
