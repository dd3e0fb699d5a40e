/// The resident memory of this process in MiB, where the system tells.
pub(super) fn used_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    resident_kib(&status).map(|kib| kib / 1024)
}

fn resident_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_memory_is_read_from_the_status() {
        assert_eq!(resident_kib("Name:\tx\nVmRSS:\t  20480 kB\nThreads:\t2\n"), Some(20_480));
        assert_eq!(resident_kib("Name:\tx\n"), None);
    }
}
