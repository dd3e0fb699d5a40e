use std::time::{Duration, Instant};

use crate::handler::Rate;

/// A bucket of leave to run jobs. It fills evenly and holds what one period gives.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    left: f64,
    filled_at: Instant,
}

impl Bucket {
    pub(crate) fn full(rate: Rate, now: Instant) -> Self {
        let rate = Rate { jobs: rate.jobs.max(1), per: rate.per.max(Duration::from_millis(1)) };
        Bucket { rate, left: f64::from(rate.jobs), filled_at: now }
    }

    /// How many of `jobs` may run now, and after what time the bucket is full again for the others.
    pub(crate) fn take(&mut self, jobs: usize, now: Instant) -> (usize, Duration) {
        let capacity = f64::from(self.rate.jobs);
        let per_second = capacity / self.rate.per.as_secs_f64();
        let filled = now.saturating_duration_since(self.filled_at).as_secs_f64() * per_second;
        self.left = (self.left + filled).min(capacity);
        self.filled_at = now;
        let granted = jobs.min(self.left as usize);
        self.left -= granted as f64;
        let refused = ((jobs - granted) as f64).min(capacity);
        let wait = (refused - self.left).max(0.0) / per_second;
        (granted, Duration::from_secs_f64(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_jobs_run_in_a_period_than_the_rate_allows() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Rate { jobs: 10, per: Duration::from_secs(1) }, start);
        assert_eq!(bucket.take(25, start), (10, Duration::from_secs(1)));
        assert_eq!(bucket.take(1, start).0, 0);
        let half = start + Duration::from_millis(500);
        assert_eq!(bucket.take(25, half).0, 5);
        assert_eq!(bucket.take(3, half + Duration::from_mins(1)), (3, Duration::ZERO));
        assert_eq!(bucket.take(25, half + Duration::from_mins(1)).0, 7);
    }
}
