//! The proof that nothing drifted: the rules that always hold, each checked over the whole ledger, or over what
//! changed since they last held.
//!
//! It runs beside everything else and writes nothing but its own mark:
//!
//! - **Orders** (rules 2, 3 and 5) are read in ranges of ids, each with all that belongs to it, each table once along
//!   its key, over one snapshot. What looks wrong is read once more in a short write transaction, which nobody can
//!   change meanwhile, and reported if it still is.
//! - **Jobs** (rule 4): orders that are not at rest are gathered from the ranges and read again over one snapshot,
//!   together with the jobs that wait or run.
//! - **Stock** (rule 1) is one sweep over all movements, over one snapshot.
//! - **Figures** (rule 6) are compared in spans of days, each with the sales and refunds that count in it, over one
//!   snapshot; then what is derived from the days is added up again. A day is the smallest span. Where Redis keeps them,
//!   they are read at one batch before the snapshot is taken, and what the snapshot's feed holds above that batch is added.
//! - **Imports** (rule 7): one snapshot for a few of them.
//!
//! Memory does not grow with the orders. It holds a range and a span, the sums of each product, the count of each
//! import, the ids of some orders that are not at rest, and the first breaches of each rule.

mod changed;
mod figures;
mod findings;
mod holding;
mod imports;
mod jobs;
mod money;
mod orders;
mod parts;
mod report;
mod stock;
mod timeline;

use std::time::Instant;

use crate::{App, Result};
use changed::Mark;
use orders::Walk;

pub use report::{Breach, Report, RuleReport};

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything.
    All,
    /// What changed since the last run that found nothing wrong; everything, if there was none. [`Report::notes`] say
    /// what is left to a whole run.
    Changed,
}

/// When the last run began that found nothing wrong.
pub async fn last_sound(app: &App) -> Result<Option<jiff::Timestamp>> {
    Ok(Mark::find(app).await?.map(|mark| mark.at()))
}

/// Checks the rules that always hold. Nothing wrong moves the mark from which [`Scope::Changed`] goes on.
pub async fn run(app: &App, scope: Scope) -> Result<Report> {
    let begun = Instant::now();
    let mark = Mark::now(app).await?;
    let last = if scope == Scope::Changed { Mark::find(app).await? } else { None };
    let (scope, walk) = match last {
        Some(last) => (Scope::Changed, changed::check(app, &last).await?),
        None => (Scope::All, check_all(app).await?),
    };
    if walk.findings.is_clean() {
        mark.keep(app, &walk.open).await?;
    }
    Ok(walk.findings.report(scope, walk.orders, begun.elapsed()))
}

async fn check_all(app: &App) -> Result<Walk> {
    let ended = imports::list_ended(app).await?;
    let sums = async {
        let mut findings = stock::check(app).await?;
        findings.merge(figures::check_all(app).await?);
        Ok(findings)
    };
    let (mut walk, sums) = tokio::try_join!(orders::walk_all(app), sums)?;
    walk.findings.merge(sums);
    let counted = imports::Counted { ended, orders: std::mem::take(&mut walk.orders_of_imports) };
    walk.findings.merge(imports::check(app, Some(counted)).await?);
    Ok(walk)
}
