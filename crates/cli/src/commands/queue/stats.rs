use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use app::App;
use clap::Args;
use jiff::SignedDuration;
use queue::metrics::{Figures, Histogram, Measure, Span};
use serde::Serialize;
use serde_json::json;

use crate::output::{Out, cell, maybe};
use crate::words::{grouped, spoken};

/// Show what the workers did: jobs, waits and run times by queue and kind
#[derive(Debug, Args)]
pub struct WorkStats {
    /// Over how many hours back
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=720))]
    hours: u16,
}

/// The figures of one kind of jobs in one queue. Times are in milliseconds.
#[derive(Debug, Serialize)]
struct Row {
    queue: String,
    kind: String,
    enqueued: u64,
    completed: u64,
    failed: u64,
    retried: u64,
    wait: Quantiles,
    run: Quantiles,
}

#[derive(Debug, Serialize)]
struct Quantiles {
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
}

impl WorkStats {
    pub async fn run(self, app: &App, out: Out) -> Result<()> {
        let now = app.now();
        let from = now.saturating_sub(SignedDuration::from_hours(i64::from(self.hours)))?;
        // Minutes are kept for a day.
        let span = if self.hours <= 24 { Span::Minute } else { Span::Hour };
        let to = now.saturating_add(SignedDuration::from_hours(1))?;
        let mut sums: BTreeMap<(String, String), Figures> = BTreeMap::new();
        for (subject, figures) in app.queue().figures(span, span.start(from), to).await? {
            sums.entry((subject.queue, subject.kind)).or_default().merge(&figures);
        }
        let rows: Vec<Row> =
            sums.into_iter().map(|((queue, kind), sum)| Row::new(queue, kind, &sum)).collect();
        if out.is_json() {
            return Ok(out.json(&json!({ "from": from, "to": now, "stats": rows }))?);
        }
        let columns = [
            "queue", "kind", "pushed", "done", "failed", "retried", "wait p50", "p95", "p99", "run p50",
            "p95", "p99",
        ];
        let mut listing = out.listing(&columns).right(&[2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        for row in &rows {
            let counts = [row.enqueued, row.completed, row.failed, row.retried];
            let times = [row.wait.all(), row.run.all()].concat();
            let cells = [cell(&row.queue), cell(&row.kind)]
                .into_iter()
                .chain(counts.map(|count| cell(grouped(count.cast_signed()))))
                .chain(times.into_iter().map(|time| maybe(time.map(said))));
            listing.row(cells);
        }
        out.table(&listing, "no jobs ran in that time")?;
        Ok(())
    }
}

impl Row {
    fn new(queue: String, kind: String, figures: &Figures) -> Self {
        Row {
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

    fn all(&self) -> Vec<Option<f64>> {
        vec![self.p50, self.p95, self.p99]
    }
}

fn said(millis: f64) -> String {
    spoken(Duration::from_secs_f64(millis.max(0.0) / 1_000.0))
}
