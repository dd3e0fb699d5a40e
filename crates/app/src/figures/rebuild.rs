use analytics::redis::{Fed, ReadFacts, RedisRebuild, Store};
use analytics::{DayDiff, Rebuild};
use domain::{OrderId, date_of, day_number};
use jiff::civil::Date;
use serde::Serialize;
use sql::Tx;

use super::ledger;
use crate::{App, Error, Result};

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
    if let Some(store) = app.figures_in_redis() {
        return Box::pin(rebuild_in_redis(store)).await;
    }
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
    for (from, to) in spans(first, last) {
        diffs.extend(compare_span(app, rebuild, from, to).await?);
    }
    Ok(diffs)
}

/// The days from one to another, in spans that are compared at once.
fn spans(first: Date, last: Date) -> impl Iterator<Item = (Date, Date)> {
    let last = day_number(last);
    let starts = (day_number(first)..=last).step_by(DAYS_AT_ONCE as usize);
    starts.map(move |from| (date_of(from), date_of((from + DAYS_AT_ONCE - 1).min(last))))
}

async fn compare_span(app: &App, rebuild: Rebuild, from: Date, to: Date) -> Result<Vec<DayDiff>> {
    let inner = app.clone();
    app.read("compare_figures", move |tx| Ok(rebuild.compare(tx, inner.calendar(), from, to)?)).await
}

async fn rebuild_in_redis(store: &Store) -> Result<Rebuilt> {
    if store.catch_up().await? == Fed::Rebuild {
        // What is lost or cannot be brought up to date is nothing to compare with.
        let orders = rebuild_lost(store).await?;
        return Ok(Rebuilt { orders, days: Vec::new() });
    }
    let rebuild = store.start_rebuild().await?;
    let built = build_in_redis(store, rebuild).await;
    if built.is_err() {
        store.discard(rebuild).await?;
    }
    while store.sweep().await? {}
    built
}

async fn build_in_redis(store: &Store, rebuild: RedisRebuild) -> Result<Rebuilt> {
    let orders = read_ledger(store, rebuild).await?;
    let mut days = Vec::new();
    if let Some((first, last)) = store.days(rebuild).await? {
        for (from, to) in spans(first, last) {
            days.extend(store.compare(rebuild, from, to).await?);
        }
    }
    store.switch(rebuild).await?;
    Ok(Rebuilt { orders, days })
}

/// Rebuilds figures that Redis has lost, or goes on where somebody else was interrupted. Returns how many orders were
/// read.
pub(super) async fn rebuild_lost(store: &Store) -> Result<u64> {
    let Some(rebuild) = store.go_on_rebuilding().await? else { return Ok(0) };
    let orders = read_ledger(store, rebuild).await?;
    store.switch(rebuild).await?;
    tracing::info!(orders, "the figures in Redis were rebuilt from the ledger");
    while store.sweep().await? {}
    Ok(orders)
}

/// Whether another rebuild has taken over.
pub(super) fn is_superseded(error: &Error) -> bool {
    matches!(error, Error::Analytics(analytics::Error::Superseded))
}

/// Adds the facts of all orders that are not read yet; returns how many orders were.
async fn read_ledger(store: &Store, rebuild: RedisRebuild) -> Result<u64> {
    let mut orders = 0;
    loop {
        let (tell, told) = std::sync::mpsc::channel();
        let read = move |tx: &mut Tx<'_>, first: OrderId| -> Result<ReadFacts> {
            let (facts, read, next) = ledger::facts_from(tx, first, AT_ONCE)?;
            // A step that is begun anew reads once more: the last one counts, and nobody listens to none.
            tell.send(read as u64).unwrap_or_default();
            Ok((facts, next))
        };
        let more = store.rebuild_step(rebuild, read).await?;
        orders += told.try_iter().last().unwrap_or_default();
        if !more {
            return Ok(orders);
        }
    }
}
