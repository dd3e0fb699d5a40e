use std::time::Duration;

use anyhow::Context as _;

/// The processor time that this process has used so far, all its threads together.
pub fn used() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name in parentheses may hold anything; user and system time are the 14th and 15th field.
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat has no name")?;
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    // Linux counts in hundredths of a second, whatever its own clock is.
    Ok(Duration::from_millis(ticks * 10))
}
