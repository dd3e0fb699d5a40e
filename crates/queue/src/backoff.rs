use std::time::Duration;

/// How long a failed job waits before its next attempt: `first`, then `factor` times as long after each failure, up
/// to `longest`; of that, the share `jitter` is spread, so that jobs that failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// How much longer after each further one.
    pub factor: f64,
    /// Never longer than this.
    pub longest: Duration,
    /// The share that is spread, from 0 to 1.
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { first: Duration::from_secs(2), factor: 2.0, longest: Duration::from_hours(1), jitter: 0.25 }
    }
}

impl Backoff {
    /// The wait after the `failures`-th failure. The same `seed` spreads alike; a job's id is a good one.
    pub fn delay(&self, failures: u32, seed: u64) -> Duration {
        let steps = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let longest = self.longest.as_secs_f64();
        let whole = (self.first.as_secs_f64() * self.factor.max(1.0).powi(steps)).min(longest);
        let jitter = self.jitter.clamp(0.0, 1.0);
        let spread = unit(seed ^ u64::from(failures).rotate_left(32));
        Duration::from_secs_f64(whole * (1.0 - jitter * spread))
    }
}

/// A number from 0 to 1 that looks like chance (the finaliser of SplitMix64).
fn unit(seed: u64) -> f64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Backoff =
        Backoff { first: Duration::from_secs(1), factor: 3.0, longest: Duration::from_secs(20), jitter: 0.0 };

    #[test]
    fn waits_grow_by_the_factor_up_to_the_longest() {
        let waits: Vec<u64> = (1..=5).map(|failures| EXACT.delay(failures, 7).as_secs()).collect();
        assert_eq!(waits, [1, 3, 9, 20, 20]);
        assert_eq!(EXACT.delay(u32::MAX, 7), EXACT.longest);
    }

    #[test]
    fn jitter_shortens_a_wait_by_no_more_than_its_share_and_spreads_jobs() {
        let backoff = Backoff { jitter: 0.5, ..EXACT };
        let waits: Vec<Duration> = (0..100).map(|job| backoff.delay(1, job)).collect();
        assert!(waits.iter().all(|wait| (0.5..=1.0).contains(&wait.as_secs_f64())));
        let early = waits.iter().filter(|wait| wait.as_secs_f64() < 0.75).count();
        assert!((25..75).contains(&early), "{early}");
    }

    #[test]
    fn the_same_job_and_failure_wait_alike() {
        let backoff = Backoff::default();
        assert_eq!(backoff.delay(3, 42), backoff.delay(3, 42));
        assert_ne!(backoff.delay(3, 42), backoff.delay(3, 43));
    }
}
