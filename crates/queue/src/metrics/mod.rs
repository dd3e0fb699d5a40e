//! What the engine measures: gathered in memory, kept by minute and by hour.

mod histogram;
mod past;
mod recorder;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use histogram::Histogram;
pub(crate) use past::Past;
pub(crate) use recorder::Recorder;

/// What a kept figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Jobs pushed.
    Enqueued,
    /// Jobs done.
    Completed,
    /// Jobs discarded: failed for good.
    Failed,
    /// Attempts that failed and are tried again.
    Retried,
    /// Jobs called off while a worker had them.
    Cancelled,
    /// Jobs put off by their handlers.
    Snoozed,
    /// Results of workers that had lost their lease.
    Refused,
    /// How long jobs were available before a worker took them.
    Wait,
    /// How long jobs ran: a job's share of its batch.
    Run,
}

impl Measure {
    /// Those that count events; the others are histograms.
    pub(crate) const COUNTERS: [Measure; 7] = [
        Measure::Enqueued,
        Measure::Completed,
        Measure::Failed,
        Measure::Retried,
        Measure::Cancelled,
        Measure::Snoozed,
        Measure::Refused,
    ];

    pub(crate) const fn code(self) -> i64 {
        self as i64
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        let all = Self::COUNTERS.into_iter().chain([Measure::Wait, Measure::Run]);
        all.into_iter().find(|measure| measure.code() == code)
    }
}

/// The length of the spans that figures are kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// A minute; kept for a day.
    Minute,
    /// An hour; kept for 30 days.
    Hour,
}

impl Span {
    /// Both.
    pub const ALL: [Span; 2] = [Span::Minute, Span::Hour];

    /// Its length.
    pub const fn seconds(self) -> i64 {
        match self {
            Span::Minute => 60,
            Span::Hour => 3600,
        }
    }

    /// For how long figures of this span are kept.
    pub const fn kept(self) -> Duration {
        match self {
            Span::Minute => Duration::from_hours(24),
            Span::Hour => Duration::from_hours(720),
        }
    }

    /// The start of the span that holds `at`.
    pub fn start(self, at: Timestamp) -> Timestamp {
        let second = at.as_second();
        Timestamp::from_second(second - second.rem_euclid(self.seconds())).unwrap_or(at)
    }
}

/// An amount to add to a kept figure.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The queue.
    pub queue: Arc<str>,
    /// The job kind.
    pub kind: Arc<str>,
    /// What is counted.
    pub measure: Measure,
    /// The bucket, of a histogram.
    pub bucket: usize,
    /// How many.
    pub n: u64,
}

/// A kept figure.
#[derive(Debug, Clone)]
pub struct Point {
    /// The start of its span.
    pub at: Timestamp,
    /// The queue.
    pub queue: String,
    /// The job kind.
    pub kind: String,
    /// What was counted.
    pub measure: Measure,
    /// The bucket, of a histogram.
    pub bucket: usize,
    /// How many.
    pub n: u64,
}

/// The figures of one job kind in one queue and span.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Events counted.
    pub counts: BTreeMap<Measure, u64>,
    /// How long jobs waited.
    pub wait: Histogram,
    /// How long jobs ran.
    pub run: Histogram,
}

impl Figures {
    /// How often something happened.
    pub fn count(&self, measure: Measure) -> u64 {
        self.counts.get(&measure).copied().unwrap_or_default()
    }

    /// Adds the figures of another span, queue or kind.
    pub fn merge(&mut self, other: &Figures) {
        for (measure, n) in &other.counts {
            *self.counts.entry(*measure).or_default() += n;
        }
        self.wait.merge(&other.wait);
        self.run.merge(&other.run);
    }

    fn add(&mut self, measure: Measure, bucket: usize, n: u64) {
        match measure {
            Measure::Wait => self.wait.add_to(bucket, n),
            Measure::Run => self.run.add_to(bucket, n),
            counter => *self.counts.entry(counter).or_default() += n,
        }
    }
}

/// What figures are about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The start of the span.
    pub at: Timestamp,
    /// The queue.
    pub queue: String,
    /// The job kind.
    pub kind: String,
}

/// Points put together by what they are about.
pub(crate) fn gather(points: Vec<Point>) -> BTreeMap<Subject, Figures> {
    let mut all: BTreeMap<Subject, Figures> = BTreeMap::new();
    for Point { at, queue, kind, measure, bucket, n } in points {
        all.entry(Subject { at, queue, kind }).or_default().add(measure, bucket, n);
    }
    all
}
