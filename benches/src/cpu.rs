use std::time::Duration;

use anyhow::Context as _;

/// The processor time that a process, all its threads together, has used so far; its id, or `self`.
pub fn used_by(process: &str) -> anyhow::Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&path)?;
    // The name in parentheses may hold anything. User and system time are the 14th and 15th field, those of children
    // that have ended, such as a Redis that wrote its file anew, the next two.
    let (_, fields) = stat.rsplit_once(')').with_context(|| format!("{path} has no name"))?;
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    // Linux counts in hundredths of a second, whatever its own clock is.
    Ok(Duration::from_millis(ticks * 10))
}
