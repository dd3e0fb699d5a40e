use analytics::redis::Store;
use analytics::{DayDiff, Fact, Figures, SumCheck, SumDiff};
use domain::Calendar;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sql::Tx;

use super::findings::{Findings, Rule, Thing};
use crate::figures::ledger;
use crate::{App, Error, Result};

/// Orders that a span of days holds, about, unless one day holds more.
const SPAN: u32 = 40_000;
/// Clocks that are set back may bring the last hour of a day after the first of the next one: a span is read a bit
/// wider than its days, and its figures pass over what is not theirs.
const SLACK: SignedDuration = SignedDuration::from_hours(3);

/// Rule 6: the stored figures are what the ledger's sales and refunds give, day by day, and what is derived from the
/// days is what they add up to.
pub(super) async fn check_all(app: &App) -> Result<Findings> {
    let calendar = calendar(app).await?;
    let mut findings = Findings::default();
    let mut from = Some(Date::MIN);
    while let Some(first) = from {
        let zone = calendar.clone();
        let last = app.read("verify_span", move |tx| -> Result<_> { last_day(tx, &zone, first) }).await?;
        findings.merge(check_days(app, &calendar, first, last).await?);
        from = last.tomorrow().ok();
    }
    findings.merge(check_sums(app).await?);
    Ok(findings)
}

/// The days `from..=to`, over one snapshot of the ledger.
pub(super) async fn check_days(app: &App, calendar: &Calendar, from: Date, to: Date) -> Result<Findings> {
    let Some(store) = app.figures_in_redis() else {
        let shop = app.clone();
        let stored = move |tx: &mut Tx<'_>| Ok(Some(Figures::stored(tx, shop.calendar(), from, to)?));
        return compare_days(app, calendar, (from, to), stored).await?.ok_or(TOO_OLD);
    };
    for _ in 0..TRIES {
        let (figures, marker) = Box::pin(store.figures(from, to)).await?;
        // What the figures lack at that batch is in the snapshot that is taken now, in the feed as in the ledger.
        let stored = move |tx: &mut Tx<'_>| {
            let mut figures = figures.clone();
            Ok(Store::add_waiting(tx, marker, &mut figures)?.then_some(figures))
        };
        if let Some(findings) = compare_days(app, calendar, (from, to), stored).await? {
            return Ok(findings);
        }
    }
    Err(TOO_OLD)
}

/// How often figures are read again that are older than the feed.
const TRIES: usize = 3;
/// Figures are older than a day all the time.
const TOO_OLD: Error = Error::Analytics(analytics::Error::Rebuilding);

/// Compares what the ledger gives with what `stored` answers over the same snapshot; none if that is none.
async fn compare_days(
    app: &App,
    calendar: &Calendar,
    (from, to): (Date, Date),
    stored: impl Fn(&mut Tx<'_>) -> Result<Option<Figures>> + Send + 'static,
) -> Result<Option<Findings>> {
    let calendar = calendar.clone();
    app.read("verify_figures", move |tx| {
        let mut figures = Figures::new(&calendar, from, to);
        let mut counted = 0;
        ledger::for_each_between(tx, instants(&calendar, from, to), |facts| {
            let is_here = |fact: &&Fact| (from..=to).contains(&calendar.business_day(fact.counts_at()));
            counted += facts.iter().filter(is_here).count() as u64;
            Ok(figures.add(facts)?)
        })?;
        let Some(stored) = stored(tx)? else { return Ok(None) };
        let mut findings = Findings::default();
        findings.checked(Rule::Figures, counted);
        for diff in analytics::diff(&stored, &figures) {
            day(&diff, &mut findings);
        }
        Ok(Some(findings))
    })
    .await
}

async fn check_sums(app: &App) -> Result<Findings> {
    let mut findings = Findings::default();
    if let Some(store) = app.figures_in_redis() {
        for check in store.sum_checks().await? {
            Box::pin(store.check_sums(check)).await?.iter().for_each(|diff| sum(diff, &mut findings));
        }
        return Ok(findings);
    }
    let shop = app.clone();
    let checks: Vec<SumCheck> = app
        .read("verify_sums", move |tx| -> Result<_> { Ok(analytics::sum_checks(tx, shop.calendar())?) })
        .await?;
    for check in checks {
        let shop = app.clone();
        let diffs = app
            .read("verify_sums", move |tx| -> Result<_> {
                Ok(analytics::check_sums(tx, shop.calendar(), check)?)
            })
            .await?;
        for diff in &diffs {
            sum(diff, &mut findings);
        }
    }
    Ok(findings)
}

/// The calendar that the stored figures are in: the shop's, unless its zone was changed since the last rebuild.
pub(super) async fn calendar(app: &App) -> Result<Calendar> {
    let other = if let Some(store) = app.figures_in_redis() {
        Box::pin(crate::figures::catch_up(app)).await?;
        store.other_zone().await?
    } else {
        let shop = app.clone();
        let zone = move |tx: &mut Tx<'_>| -> Result<_> { Ok(analytics::other_zone(tx, shop.calendar())?) };
        app.read("figures_zone", zone).await?
    };
    match other {
        None => Ok(app.calendar().clone()),
        Some(name) => TimeZone::get(&name).map(Calendar::new).map_err(|_| {
            Error::Config(format!(
                "the figures are in the time zone {name}, which is not known here; run `ordermill analytics rebuild`"
            ))
        }),
    }
}

/// The last day of the span that begins on `first`: it holds about [`SPAN`] orders.
fn last_day(tx: &mut Tx<'_>, calendar: &Calendar, first: Date) -> Result<Date> {
    let (from, _) = instants(calendar, first, first);
    let Some(beyond) = store::facts::placed_after(tx, from, SPAN)? else { return Ok(Date::MAX) };
    let before = calendar.business_day(beyond).yesterday().unwrap_or(first);
    Ok(before.max(first))
}

/// From the start of one day to the end of another, and a bit wider.
pub(super) fn instants(calendar: &Calendar, from: Date, to: Date) -> (Timestamp, Timestamp) {
    let start = if from == Date::MIN { None } else { calendar.day_start(from) };
    let end = to.tomorrow().ok().and_then(|after| calendar.day_start(after));
    let start = start.and_then(|start| start.checked_sub(SLACK).ok()).unwrap_or(Timestamp::MIN);
    let end = end.and_then(|end| end.checked_add(SLACK).ok()).unwrap_or(Timestamp::MAX);
    (start, end)
}

fn day(diff: &DayDiff, findings: &mut Findings) {
    let name = format!("{} {}", diff.date, diff.currency);
    for figure in &diff.figures {
        findings.breach(Rule::Figures, Thing::Named(&name), figure.figure, figure.ledger, figure.stored);
    }
    for (noun, what, diffs) in [
        ("customer", "score of a customer", &diff.customers),
        ("product", "score of a product", &diff.products),
    ] {
        for score in &diffs.first {
            let name = format!("{name}, {noun} {}", score.id);
            let shown = |score: &Option<analytics::Score>| match score {
                Some(score) => format!("{} for {}, reached at {}", score.count, score.net, score.reached_at),
                None => "nothing".to_owned(),
            };
            let (ledger, stored) = (shown(&score.ledger), shown(&score.stored));
            findings.breach(Rule::Figures, Thing::Named(&name), what, ledger, stored);
        }
        let unlisted = diffs.count.saturating_sub(diffs.first.len() as u64);
        if unlisted > 0 {
            let found = format!("{unlisted} more that differ");
            findings.breach(Rule::Figures, Thing::Named(&name), what, "as in the ledger", found);
        }
    }
    for first in &diff.first_orders {
        let name = format!("{name}, customer {}", first.customer_id);
        let order = |first: &Option<analytics::FirstOrder>| match first {
            Some(first) => format!("order {}", first.order_id),
            None => "none".to_owned(),
        };
        let (ledger, stored) = (order(&first.ledger), order(&first.stored));
        findings.breach(Rule::Figures, Thing::Named(&name), "first order of a customer", ledger, stored);
    }
}

fn sum(diff: &SumDiff, findings: &mut Findings) {
    let start = diff.start.map(|start| format!(" {start}")).unwrap_or_default();
    let name = format!("{}{start} {}, {}", diff.period, diff.currency, diff.figure);
    findings.breach(Rule::Figures, Thing::Named(&name), "sum of days", diff.derived, diff.stored);
}
