use analytics::{DayDiff, Rebuild};
use domain::{date_of, day_number};
use jiff::civil::Date;
use serde::Serialize;
use sql::Tx;

use super::ledger;
use crate::{App, Result};

/// What a rebuild of the figures found.
#[derive(Debug, Clone, Serialize)]
pub struct Rebuilt {
    /// Orders that were read.
    pub orders: u64,
    /// The days whose figures were not what the ledger gives, and are now.
    pub days: Vec<DayDiff>,
}

/// Orders whose facts are added in one transaction: few enough that it stays short.
const AT_ONCE: u32 = 500;
/// Days that are compared over one snapshot.
const DAYS_AT_ONCE: i32 = 31;
/// Rows of the old figures that are deleted in one transaction.
const SWEPT_AT_ONCE: u32 = 2_000;

/// Builds all figures anew from the ledger, beside the old ones and while orders come in, and puts them in their
/// place. Returns what was wrong with the old ones, day by day.
pub async fn rebuild(app: &App) -> Result<Rebuilt> {
    let inner = app.clone();
    let rebuild = app
        .transaction("start_rebuild", move |tx| -> Result<_> { Ok(Rebuild::start(tx, inner.calendar())?) })
        .await?;
    let built = build(app, rebuild).await;
    if built.is_err() {
        app.transaction("discard_rebuild", move |tx| -> Result<_> { Ok(rebuild.discard(tx)?) }).await?;
    }
    while app
        .transaction("sweep_figures", |tx| -> Result<_> { Ok(analytics::sweep(tx, SWEPT_AT_ONCE)?) })
        .await?
    {}
    built
}

async fn build(app: &App, rebuild: Rebuild) -> Result<Rebuilt> {
    let mut orders = 0;
    loop {
        let inner = app.clone();
        let step = move |tx: &mut Tx<'_>| add_next(&inner, tx, rebuild);
        match app.transaction("rebuild_figures", step).await? {
            Some(read) => orders += read as u64,
            None => break,
        }
    }
    let days = compare(app, rebuild).await?;
    let inner = app.clone();
    app.transaction("switch_figures", move |tx| -> Result<_> { Ok(rebuild.switch(tx, inner.calendar())?) })
        .await?;
    Ok(Rebuilt { orders, days })
}

/// Adds the facts of the next orders; none when all were read.
fn add_next(app: &App, tx: &mut Tx<'_>, rebuild: Rebuild) -> Result<Option<usize>> {
    let Some(position) = rebuild.position(tx, app.calendar())? else { return Ok(None) };
    let (facts, read, next) = ledger::facts_from(tx, position, AT_ONCE)?;
    rebuild.add(tx, app.calendar(), &facts, next)?;
    Ok(Some(read))
}

async fn compare(app: &App, rebuild: Rebuild) -> Result<Vec<DayDiff>> {
    let days = app.read("rebuilt_days", move |tx| -> Result<_> { Ok(rebuild.days(tx)?) }).await?;
    let Some((first, last)) = days else { return Ok(Vec::new()) };
    let mut diffs = Vec::new();
    let mut from = day_number(first);
    while from <= day_number(last) {
        let to = (from + DAYS_AT_ONCE - 1).min(day_number(last));
        diffs.extend(compare_span(app, rebuild, date_of(from), date_of(to)).await?);
        from = to + 1;
    }
    Ok(diffs)
}

async fn compare_span(app: &App, rebuild: Rebuild, from: Date, to: Date) -> Result<Vec<DayDiff>> {
    let inner = app.clone();
    app.read("compare_figures", move |tx| Ok(rebuild.compare(tx, inner.calendar(), from, to)?)).await
}
