//! What the workers did, as the queue keeps it: by minute for a day, by hour for 30 days.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use queue::metrics::{Figures, Histogram, Measure, Span};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{App, Result};

/// The figures of one kind of jobs in one queue. Times are in milliseconds.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Work {
    /// The queue.
    pub queue: String,
    /// The kind of jobs.
    pub kind: String,
    /// Jobs pushed.
    pub enqueued: u64,
    /// Jobs done.
    pub completed: u64,
    /// Jobs that failed for good.
    pub failed: u64,
    /// Attempts that failed and were tried again.
    pub retried: u64,
    /// How long jobs could have run before they did.
    pub wait: Quantiles,
    /// How long they ran.
    pub run: Quantiles,
}

/// Milliseconds that so many of a hundred stay below; none where there were none.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Quantiles {
    /// Of half of them.
    pub p50: Option<f64>,
    /// Of 95.
    pub p95: Option<f64>,
    /// Of 99.
    pub p99: Option<f64>,
}

/// The figures of a minute or an hour.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WorkAt {
    /// Its start.
    pub at: Timestamp,
    /// What was done in it.
    #[serde(flatten)]
    pub work: Work,
}

impl Work {
    fn new(queue: String, kind: String, figures: &Figures) -> Self {
        Work {
            queue,
            kind,
            enqueued: figures.count(Measure::Enqueued),
            completed: figures.count(Measure::Completed),
            failed: figures.count(Measure::Failed),
            retried: figures.count(Measure::Retried),
            wait: Quantiles::of(&figures.wait),
            run: Quantiles::of(&figures.run),
        }
    }
}

impl Quantiles {
    fn of(histogram: &Histogram) -> Self {
        let quantile = |share| histogram.quantile(share).map(|time| time.as_secs_f64() * 1_000.0);
        Quantiles { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) }
    }
}

/// Past the running minute and hour, whose figures count too.
fn end(app: &App) -> Timestamp {
    app.now().saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX)
}

/// What was done from `from` on, by queue and kind.
pub async fn total(app: &App, span: Span, from: Timestamp) -> Result<Vec<Work>> {
    let mut sums: BTreeMap<(String, String), Figures> = BTreeMap::new();
    for (subject, figures) in app.queue().figures(span, span.start(from), end(app)).await? {
        sums.entry((subject.queue, subject.kind)).or_default().merge(&figures);
    }
    Ok(sums.into_iter().map(|((queue, kind), sum)| Work::new(queue, kind, &sum)).collect())
}

/// What a queue did from `from` on, by minute or hour and kind, oldest first.
pub async fn series(app: &App, queue: &str, span: Span, from: Timestamp) -> Result<Vec<WorkAt>> {
    let all = app.queue().figures(span, span.start(from), end(app)).await?;
    let of_queue = all.into_iter().filter(|(subject, _)| subject.queue == queue);
    Ok(of_queue
        .map(|(about, figures)| WorkAt { at: about.at, work: Work::new(about.queue, about.kind, &figures) })
        .collect())
}
