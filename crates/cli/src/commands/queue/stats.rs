use std::time::Duration;

use anyhow::Result;
use app::App;
use app::work::{self, Quantiles};
use clap::Args;
use jiff::SignedDuration;
use queue::metrics::Span;
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

impl WorkStats {
    pub async fn run(self, app: &App, out: Out) -> Result<()> {
        let now = app.now();
        let from = now.saturating_sub(SignedDuration::from_hours(i64::from(self.hours)))?;
        // Minutes are kept for a day.
        let span = if self.hours <= 24 { Span::Minute } else { Span::Hour };
        let rows = work::total(app, span, from).await?;
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
            let times = [all(&row.wait), all(&row.run)].concat();
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

fn all(quantiles: &Quantiles) -> [Option<f64>; 3] {
    [quantiles.p50, quantiles.p95, quantiles.p99]
}

fn said(millis: f64) -> String {
    spoken(Duration::from_secs_f64(millis.max(0.0) / 1_000.0))
}
