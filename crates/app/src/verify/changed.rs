//! What changed since the last run that found nothing wrong.

use std::collections::BTreeSet;

use domain::OrderId;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::audit::{Marks, Since};

use super::findings::Findings;
use super::orders::{self, Walk};
use super::{figures, imports, stock};
use crate::{App, Result};

/// Where a run that found nothing wrong began, kept in the ledger.
///
/// No index tells when a row was last changed. So the next run takes the orders that were not at rest then, and those
/// that the newest rows tell of: orders placed or confirmed, refunds asked for or settled, parcels sent or delivered.
/// An order that somebody calls off, or a parcel delivered, long after [`REACH`] others came after it, is left to a
/// whole run; so is whatever was changed by hand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Mark {
    at: Timestamp,
    marks: Marks,
    open: Vec<OrderId>,
}

/// The name of the mark among the facts of the installation.
const NAME: &str = "verified";
/// Orders not at rest that a mark remembers. With more of them no mark is kept, and the next run is a whole one.
pub(super) const OPEN_KEPT: usize = 10_000;
/// How far below the highest id a new one may be: processes give ids out of blocks of up to 65,536.
const REACH: i64 = 4 * 65_536;
/// A row's time is taken before its transaction is written, which may wait for its turn.
const SLACK: SignedDuration = SignedDuration::from_mins(1);
/// Orders whose days' figures are compared, at most.
const ORDERS_OF_DAYS: u32 = 25_000;
/// Spans of days that are compared, at most: each reads every refund.
const SPANS: usize = 4;

impl Mark {
    /// A mark for a run that begins now.
    pub(super) async fn now(app: &App) -> Result<Self> {
        let at = app.now();
        let marks = app.read("verify_marks", |tx| -> Result<_> { Ok(store::audit::marks(tx)?) }).await?;
        Ok(Mark { at, marks, open: Vec::new() })
    }

    /// When its run began.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// The mark of the last run that found nothing wrong.
    pub(super) async fn find(app: &App) -> Result<Option<Self>> {
        let kept = app
            .read("verify_mark", |tx| -> Result<_> { Ok(store::instance::find(tx, NAME)?) })
            .await?
            .unwrap_or_default();
        // A mark that another version wrote is as good as none.
        Ok(serde_json::from_str(&kept).ok())
    }

    /// Keeps the mark, with the orders that are not at rest.
    pub(super) async fn keep(mut self, app: &App, open: &[OrderId]) -> Result<()> {
        let text = if open.len() > OPEN_KEPT {
            String::new()
        } else {
            self.open = open.to_vec();
            serde_json::to_string(&self).expect("a mark is plain data")
        };
        let keep = move |tx: &mut sql::Tx<'_>| Ok(store::instance::put(tx, NAME, &text)?);
        app.transaction("keep_mark", keep).await
    }
}

/// Checks what changed since `last`.
pub(super) async fn check(app: &App, last: &Mark) -> Result<Walk> {
    let since =
        Since { at: last.at.saturating_sub(SLACK).unwrap_or(last.at), marks: last.marks, reach: REACH };
    let mut changed = app
        .read("verify_changed", move |tx| -> Result<_> { Ok(store::audit::list_changed(tx, &since)?) })
        .await?;
    changed.extend(&last.open);
    let changed: Vec<OrderId> = changed.into_iter().collect();
    let mut walk = orders::walk(app, &changed).await?;
    walk.findings.merge(stock::check_levels(app).await?);
    walk.findings.merge(check_figures(app, &changed, since.at).await?);
    walk.findings.merge(imports::check(app, None).await?);
    walk.findings.note("stock levels were not added up from their movements".to_owned());
    walk.findings.note("weeks, months and totals were not added up from their days".to_owned());
    walk.findings.note("the orders of imports were not counted".to_owned());
    Ok(walk)
}

/// Compares the days that the changed orders count on, the newest first, as far as they are few.
async fn check_figures(app: &App, changed: &[OrderId], since: Timestamp) -> Result<Findings> {
    let calendar = figures::calendar(app).await?;
    let days = days(app, &calendar, changed, since).await?;
    let mut findings = Findings::default();
    let (mut spans, mut left, mut skipped) = (0, ORDERS_OF_DAYS, 0);
    for (from, to) in runs(&days).into_iter().rev() {
        let span = figures::instants(&calendar, from, to);
        let held = app
            .read("verify_days", move |tx| -> Result<_> {
                Ok(store::facts::count_placed(tx, span, left + 1)?)
            })
            .await?;
        if held > left || spans == SPANS {
            skipped += 1;
            continue;
        }
        left -= held;
        spans += 1;
        findings.merge(figures::check_days(app, &calendar, from, to).await?);
    }
    if skipped > 0 {
        findings.note(format!(
            "the figures of {skipped} spans of days were not compared, because they hold many orders"
        ));
    }
    Ok(findings)
}

/// The business days that the orders count on, and those since the last run, on which refunds may have succeeded.
async fn days(
    app: &App,
    calendar: &domain::Calendar,
    changed: &[OrderId],
    since: Timestamp,
) -> Result<BTreeSet<Date>> {
    let mut days = BTreeSet::new();
    for ids in changed.chunks(orders::AT_ONCE as usize) {
        let (ids, calendar) = (ids.to_vec(), calendar.clone());
        let placed = app
            .read("verify_days", move |tx| -> Result<_> {
                let heads = store::orders::list_heads(tx, &ids)?;
                Ok(heads.iter().map(|head| calendar.business_day(head.placed_at)).collect::<BTreeSet<_>>())
            })
            .await?;
        days.extend(placed);
    }
    let (mut day, today) = (calendar.business_day(since), calendar.business_day(app.now()));
    while day <= today && days.len() < 400 {
        days.insert(day);
        day = day.tomorrow().unwrap_or(Date::MAX);
    }
    Ok(days)
}

/// Runs of days that follow each other.
fn runs(days: &BTreeSet<Date>) -> Vec<(Date, Date)> {
    let mut runs: Vec<(Date, Date)> = Vec::new();
    for day in days {
        match runs.last_mut() {
            Some((_, last)) if last.tomorrow().is_ok_and(|next| next == *day) => *last = *day,
            _ => runs.push((*day, *day)),
        }
    }
    runs
}
