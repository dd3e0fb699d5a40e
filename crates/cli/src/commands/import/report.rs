use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use app::App;
use app::imports::Status;
use domain::{ImportId, OrderId};
use serde::Serialize;
use sql::Tx;
use store::imports::{ImportStatus, Reject};
use store::orders::{Filter, OrderRow};

use super::Followed;
use crate::commands::imports::{first_rejects, print_rejects, reject_json, rejects_into};
use crate::output::{Out, plain};
use crate::session::Exit;
use crate::settle::Settled;
use crate::words::{count, grouped, spoken};

/// What came of one file.
#[derive(Debug, Serialize)]
pub struct Report {
    file: PathBuf,
    outcome: Outcome,
    /// Why there is no import, or why it failed.
    error: Option<String>,
    import: Option<Status>,
    /// What became of the orders that it brought: how many stand how.
    orders: BTreeMap<&'static str, u64>,
    seconds: f64,
    rows_per_second: Option<f64>,
    #[serde(serialize_with = "rejects")]
    first_rejects: Vec<Reject>,
    /// Where all rejected rows were written.
    rejects_file: Option<PathBuf>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// All is done.
    Imported,
    /// The same file was imported before: nothing was done.
    Unchanged,
    /// It is queued, for others to do.
    Queued,
    /// A signal came.
    Interrupted,
    /// It ended before its end.
    Cancelled,
    /// It cannot go on, or never began.
    Failed,
    /// It is imported, but some of its orders cannot come to rest.
    Stuck,
}

impl Report {
    /// A file that no import could begin with.
    pub fn refused(path: &Path, error: &anyhow::Error) -> Self {
        let error = Some(format!("{error:#}"));
        Report { error, ..Report::new(path, Outcome::Failed, None) }
    }

    /// An import that others do.
    pub fn detached(path: &Path, status: Status) -> Self {
        Report::new(path, Outcome::Queued, Some(status))
    }

    /// A file that was imported before.
    pub async fn unchanged(app: &App, path: &Path, status: Status) -> Result<Self> {
        let id = status.import.id;
        let mut report = Report::new(path, Outcome::Unchanged, Some(status));
        report.orders = statuses(app, id).await?;
        report.first_rejects = first_rejects(app, id).await?;
        Ok(report)
    }

    /// An import that was watched.
    pub async fn followed(app: &App, path: &Path, followed: Followed, resumed: bool) -> Result<Self> {
        let Followed { status, settled, rows_took, took } = followed;
        let outcome = match (status.import.status, settled) {
            (_, Settled::Interrupted) => Outcome::Interrupted,
            (ImportStatus::Completed, Settled::Stuck) => Outcome::Stuck,
            (ImportStatus::Completed, _) => Outcome::Imported,
            (ImportStatus::Cancelled, _) => Outcome::Cancelled,
            (ImportStatus::Duplicate, _) => Outcome::Unchanged,
            _ => Outcome::Failed,
        };
        let id = status.import.id;
        let rows = status.progress.counts.rows() as f64;
        let mut report = Report::new(path, outcome, Some(status));
        report.error = report.import.as_ref().and_then(|status| status.import.error.clone());
        report.orders = statuses(app, id).await?;
        report.first_rejects = first_rejects(app, id).await?;
        report.seconds = took.as_secs_f64();
        // Rows that an earlier run imported took time of that run.
        report.rows_per_second = (!resumed).then(|| rows / rows_took.as_secs_f64().max(0.001));
        Ok(report)
    }

    fn new(path: &Path, outcome: Outcome, import: Option<Status>) -> Self {
        Report {
            file: path.to_owned(),
            outcome,
            error: None,
            import,
            orders: BTreeMap::new(),
            seconds: 0.0,
            rows_per_second: None,
            first_rejects: Vec::new(),
            rejects_file: None,
        }
    }

    /// Writes the rejected rows into a file, if there are any and a file is named.
    pub async fn write_rejects(mut self, app: &App, path: Option<&Path>) -> Result<Self> {
        if let (Some(path), Some(status), false) = (path, &self.import, self.first_rejects.is_empty()) {
            rejects_into(app, status.import.id, path).await?;
            self.rejects_file = Some(path.to_owned());
        }
        Ok(self)
    }

    /// How the command ends, as far as this file goes.
    pub fn exit(&self) -> Exit {
        let rejected = self.import.as_ref().is_some_and(|status| status.progress.counts.rows_rejected > 0);
        match self.outcome {
            Outcome::Failed | Outcome::Cancelled | Outcome::Stuck => Exit::Failed,
            Outcome::Interrupted => Exit::Interrupted,
            Outcome::Imported | Outcome::Unchanged if rejected => Exit::Partly,
            Outcome::Imported | Outcome::Unchanged | Outcome::Queued => Exit::Done,
        }
    }

    /// Prints it for people.
    pub fn print(&self, out: Out) -> Result<()> {
        let file = out.bold(self.file.display());
        let Some(status) = &self.import else {
            let error = self.error.as_deref().unwrap_or("it failed");
            return Ok(out.line(format_args!("{file}: {} {}", out.bad("failed:"), plain(error)))?);
        };
        let id = status.import.id;
        match self.outcome {
            Outcome::Queued => {
                let text = format!(
                    "{file}: queued as import {id}; `ordermill imports show {id}` tells how far it is"
                );
                return Ok(out.line(text)?);
            }
            Outcome::Unchanged => {
                let text = out.good("nothing changed");
                out.line(format_args!(
                    "{file}: {text}: the same file was imported before, as import {id} (--force imports it again)"
                ))?;
                let (rows, orders) = (status.import.rows_total, status.progress.counts.orders_imported);
                out.line(format_args!(
                    "  then: {} rows, {} orders imported",
                    grouped(rows),
                    grouped(orders)
                ))?;
                return Ok(());
            }
            Outcome::Interrupted => {
                out.line(format_args!("{file}: interrupted; the same command goes on"))?;
            }
            Outcome::Cancelled => {
                out.line(format_args!("{file}: import {id} was cancelled; what was imported stays"))?;
            }
            Outcome::Failed => {
                let error = self.error.as_deref().unwrap_or("its error was not kept");
                out.line(format_args!("{file}: import {id} {} {}", out.bad("failed:"), plain(error)))?;
            }
            Outcome::Imported | Outcome::Stuck => {
                let rate = self.rows_per_second.map(|rate| format!(" ({} rows/s)", grouped(rate as i64)));
                let took = spoken(std::time::Duration::from_secs_f64(self.seconds));
                let took = format!("import {id} in {took}{}", rate.unwrap_or_default());
                out.line(format_args!("{file}: {}, {took}", out.good("imported")))?;
            }
        }
        self.print_counts(out, status)
    }

    fn print_counts(&self, out: Out, status: &Status) -> Result<()> {
        let counts = &status.progress.counts;
        let orders = grouped;
        let mut told = vec![format!("{} imported", orders(counts.orders_imported))];
        if counts.orders_duplicate > 0 {
            told.push(format!("{} there already", orders(counts.orders_duplicate)));
        }
        if counts.orders_differ > 0 {
            told.push(format!(
                "{} of them with other content, left as they were",
                orders(counts.orders_differ)
            ));
        }
        if counts.orders_rejected > 0 {
            told.push(format!("{} rejected", orders(counts.orders_rejected)));
        }
        let rows = count(status.import.rows_total, "row", "rows").replacen(
            &status.import.rows_total.to_string(),
            &grouped(status.import.rows_total),
            1,
        );
        out.line(format_args!("  {rows}; orders: {}", told.join(", ")))?;
        if !self.orders.is_empty() {
            let now = self
                .orders
                .iter()
                .map(|(status, number)| format!("{} {status}", grouped(number.cast_signed())));
            out.line(format_args!("  they are now: {}", now.collect::<Vec<_>>().join(", ")))?;
        }
        if self.outcome == Outcome::Stuck {
            out.line(out.bad("  some cannot move on: `ordermill queue failed` shows why"))?;
        }
        self.print_rejected(out, status)
    }

    fn print_rejected(&self, out: Out, status: &Status) -> Result<()> {
        let rejected = status.progress.counts.rows_rejected;
        if rejected == 0 {
            return Ok(());
        }
        let id = status.import.id;
        let rows =
            if rejected == 1 { "1 row was".to_owned() } else { format!("{} rows were", grouped(rejected)) };
        out.line(format_args!("  {}", out.bad(format_args!("{rows} rejected:"))))?;
        print_rejects(out, &self.first_rejects)?;
        out.line(match &self.rejects_file {
            Some(file) => format!("  all of them, to be corrected and imported again: {}", file.display()),
            None => format!("  all of them, to be corrected and imported again: ordermill imports rejects {id} > rejects.csv"),
        })?;
        Ok(())
    }
}

/// How many orders of an import stand how. Read page by page, so that no snapshot is held for long.
async fn statuses(app: &App, id: ImportId) -> Result<BTreeMap<&'static str, u64>> {
    const PAGE: u32 = 2_000;
    let (mut counts, mut before) = (BTreeMap::new(), None);
    loop {
        let filter = Filter { import_id: Some(id.get()), before, limit: PAGE, ..Filter::default() };
        let read =
            move |tx: &mut Tx<'_>| -> app::Result<Vec<OrderRow>> { Ok(store::orders::list(tx, &filter)?) };
        let page = app.read("count_orders", read).await?;
        for row in &page {
            *counts.entry(row.fail_reason.unwrap_or(row.status)).or_default() += 1;
        }
        before = page.last().map(|row| -> OrderId { row.id });
        if page.len() < PAGE as usize {
            return Ok(counts);
        }
    }
}

fn rejects<S: serde::Serializer>(rejects: &[Reject], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rejects.iter().map(reject_json))
}
