use std::collections::BTreeMap;
use std::time::Duration;

/// Counts of durations in buckets that grow with the duration: four for each power of two of microseconds, so a
/// figure read from them is at most a quarter too high. Only filled buckets take room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: BTreeMap<usize, u64>,
}

/// Enough for every `u64` of microseconds.
const BUCKETS: usize = 252;

impl Histogram {
    /// Counts `n` durations of this length.
    pub fn add(&mut self, duration: Duration, n: u64) {
        self.add_to(bucket(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)), n);
    }

    pub(crate) fn add_to(&mut self, bucket: usize, n: u64) {
        *self.counts.entry(bucket.min(BUCKETS - 1)).or_default() += n;
    }

    /// The buckets that are not empty.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (usize, u64)> {
        self.counts.iter().map(|(bucket, n)| (*bucket, *n))
    }

    /// Counts everything that `other` counted.
    pub fn merge(&mut self, other: &Histogram) {
        other.filled().for_each(|(bucket, n)| self.add_to(bucket, n));
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The duration that `share` (0 to 1) of them do not exceed, rounded up to the end of its bucket.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = ((count as f64 * share.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, n) in self.filled() {
            seen += n;
            if seen >= rank {
                return Some(Duration::from_micros(highest(bucket)));
            }
        }
        None
    }

    /// The upper ends of the filled buckets with how many durations are at or below each: what Prometheus wants.
    pub fn cumulative(&self) -> Vec<(Duration, u64)> {
        let mut seen = 0;
        self.filled()
            .map(|(bucket, n)| {
                seen += n;
                (Duration::from_micros(highest(bucket)), seen)
            })
            .collect()
    }
}

fn bucket(micros: u64) -> usize {
    if micros < 4 {
        return micros as usize;
    }
    let exponent = micros.ilog2();
    let quarter = (micros >> (exponent - 2)) & 3;
    ((exponent - 1) as usize) * 4 + quarter as usize
}

fn lowest(bucket: usize) -> u64 {
    match bucket {
        0..4 => bucket as u64,
        _ => (4 + (bucket % 4) as u64) << (bucket / 4 - 1),
    }
}

fn highest(bucket: usize) -> u64 {
    if bucket + 1 >= BUCKETS { u64::MAX } else { lowest(bucket + 1) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_falls_into_the_bucket_that_spans_it() {
        for shift in 0..64 {
            for near in [-1_i64, 0, 1] {
                let micros = (1_u64 << shift).wrapping_add_signed(near);
                let bucket = bucket(micros);
                assert!(bucket < BUCKETS, "{micros}");
                assert!(lowest(bucket) <= micros && micros <= highest(bucket), "{micros} in {bucket}");
            }
        }
    }

    #[test]
    fn quantiles_are_at_most_a_quarter_too_high() {
        let mut histogram = Histogram::default();
        for millis in 1..=100 {
            histogram.add(Duration::from_millis(millis), 1);
        }
        for (share, exact) in [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)] {
            let found = histogram.quantile(share).unwrap();
            let exact = Duration::from_millis(exact);
            assert!(exact <= found && found <= exact * 5 / 4, "{share}: {found:?}");
        }
    }

    #[test]
    fn an_empty_histogram_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    #[test]
    fn merging_adds_the_counts() {
        let (mut left, mut right) = (Histogram::default(), Histogram::default());
        left.add(Duration::from_millis(1), 2);
        right.add(Duration::from_millis(1), 3);
        right.add(Duration::from_secs(9), 1);
        left.merge(&right);
        assert_eq!(left.count(), 6);
        assert_eq!(left.cumulative().last().map(|(_, n)| *n), Some(6));
    }
}
