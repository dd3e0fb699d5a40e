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

/// What was done in a stretch of time.
#[derive(Debug)]
pub struct Stretch {
    /// Over the whole of it, by queue and kind.
    pub totals: Vec<Work>,
    /// By its steps, all kinds together, oldest first; steps without jobs are left out.
    pub steps: BTreeMap<Timestamp, Step>,
}

/// What was done in a step of a stretch, whatever the kind. Times are in milliseconds.
#[derive(Debug, Clone)]
pub struct Step {
    /// Jobs done.
    pub completed: u64,
    /// Jobs that failed for good.
    pub failed: u64,
    /// Attempts that failed and were tried again.
    pub retried: u64,
    /// How long jobs ran.
    pub run: Quantiles,
}

/// What was done from `from` on, in all queues or in one, also by steps that are each so many spans long. The first step
/// begins with the span that holds `from`.
pub async fn stretch(
    app: &App,
    queue: Option<&str>,
    (span, per_step): (Span, i64),
    from: Timestamp,
) -> Result<Stretch> {
    let from = span.start(from);
    let mut totals: BTreeMap<(String, String), Figures> = BTreeMap::new();
    let mut steps: BTreeMap<Timestamp, Figures> = BTreeMap::new();
    for (subject, figures) in app.queue().figures(span, from, end(app)).await? {
        if queue.is_some_and(|queue| queue != subject.queue) {
            continue;
        }
        let length = span.seconds() * per_step.max(1);
        let whole = (subject.at.as_second() - from.as_second()).div_euclid(length) * length;
        let at = from.saturating_add(SignedDuration::from_secs(whole)).unwrap_or(from);
        steps.entry(at).or_default().merge(&figures);
        totals.entry((subject.queue, subject.kind)).or_default().merge(&figures);
    }
    let step = |figures: &Figures| Step {
        completed: figures.count(Measure::Completed),
        failed: figures.count(Measure::Failed),
        retried: figures.count(Measure::Retried),
        run: Quantiles::of(&figures.run),
    };
    Ok(Stretch {
        totals: totals.into_iter().map(|((queue, kind), sum)| Work::new(queue, kind, &sum)).collect(),
        steps: steps.iter().map(|(at, figures)| (*at, step(figures))).collect(),
    })
}
