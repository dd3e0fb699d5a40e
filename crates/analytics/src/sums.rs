//! Whether what is derived from the days agrees with them: weeks, months, all time, distinct and new customers, and
//! the leaders. With [`diff`](crate::diff), which proves the days themselves, that is all that is stored.

use std::collections::BTreeMap;
use std::fmt;

use domain::{Calendar, Currency, KpiFigures, Period, date_of};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use sql::{Tx, Value};

use crate::Result;
use crate::apply::{FIGURES, stored_values};
use crate::generation::{Generation, Series};
use crate::kpis::read_figures;
use crate::leaders;
use crate::spans::{PERIODS, end_of, months, start_of};

/// A stored figure that is not the sum of those it is derived from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SumDiff {
    /// The currency.
    pub currency: Currency,
    /// Day, week, month or all time.
    pub period: Period,
    /// The first day of the period; none for all time.
    pub start: Option<Date>,
    /// Which figure, and whose.
    pub figure: String,
    /// What is stored.
    pub stored: i64,
    /// What it should be.
    pub derived: i64,
}

/// A piece of [`check_sums`] that is read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SumCheck {
    currency: Currency,
    part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Periods,
    Month(i32),
    Totals { from: i64, to: i64 },
    Leaders,
}

/// Customers whose totals are checked at once.
const TOTALS_AT_ONCE: i64 = 20_000;

/// The pieces to check, so that each can be read in a snapshot of its own.
pub fn sum_checks(tx: &mut Tx<'_>, calendar: &Calendar) -> Result<Vec<SumCheck>> {
    let Some(live) = Generation::live(tx, calendar)? else { return Ok(Vec::new()) };
    let mut checks = Vec::new();
    for series in &live.series {
        let mut parts = vec![Part::Periods, Part::Leaders];
        let sql = "SELECT MIN(start_day), MAX(start_day) FROM kpi_periods WHERE series = ? AND period = ?";
        let days = tx.query_one(sql, &[series.id.into(), Period::Day.code().into()], |row| {
            Ok(row.get::<Option<i32>>(0)?.zip(row.get::<Option<i32>>(1)?))
        })?;
        parts.extend(days.into_iter().flat_map(|(first, last)| months(first, last)).map(Part::Month));
        let sql = "SELECT COALESCE(MAX(customer_id), 0) FROM customer_totals WHERE series = ?";
        let last: i64 = tx.query_one(sql, &[series.id.into()], |row| row.get(0))?;
        let mut from = 0;
        while from <= last {
            // Ids may leave wide gaps: a range ends where enough customers are in it.
            let sql = "SELECT customer_id FROM customer_totals WHERE series = ? AND customer_id >= ? \
                       ORDER BY customer_id LIMIT 1 OFFSET ?";
            let params = [series.id.into(), from.into(), (TOTALS_AT_ONCE - 1).into()];
            let to = tx.query_opt(sql, &params, |row| row.get(0))?.unwrap_or(last);
            parts.push(Part::Totals { from, to });
            from = to + 1;
        }
        checks.extend(parts.into_iter().map(|part| SumCheck { currency: series.currency, part }));
    }
    Ok(checks)
}

/// Checks one piece; returns what does not agree.
pub fn check_sums(tx: &mut Tx<'_>, calendar: &Calendar, check: SumCheck) -> Result<Vec<SumDiff>> {
    let Some(live) = Generation::live(tx, calendar)? else { return Ok(Vec::new()) };
    let Some(series) = live.series(check.currency) else { return Ok(Vec::new()) };
    let mut found = Findings { currency: check.currency, diffs: Vec::new() };
    match check.part {
        Part::Periods => check_periods(tx, &live.calendar, series.id, &mut found)?,
        Part::Month(month) => check_month(tx, series.id, month, &mut found)?,
        Part::Totals { from, to } => check_totals(tx, &live.calendar, series.id, from, to, &mut found)?,
        Part::Leaders => check_leaders(tx, series, &mut found)?,
    }
    Ok(found.diffs)
}

struct Findings {
    currency: Currency,
    diffs: Vec<SumDiff>,
}

impl Findings {
    fn compare(&mut self, period: Period, start: i32, figure: impl Into<String>, stored: i64, derived: i64) {
        if stored != derived {
            let start = (period != Period::All).then(|| date_of(start));
            let (currency, figure) = (self.currency, figure.into());
            self.diffs.push(SumDiff { currency, period, start, figure, stored, derived });
        }
    }
}

type PeriodFigures = BTreeMap<(i64, i32), KpiFigures>;

/// Key figures of longer periods are sums of days, and new customers are those whose first order is on the day.
fn check_periods(tx: &mut Tx<'_>, calendar: &Calendar, series: i64, found: &mut Findings) -> Result<()> {
    let sql = format!("SELECT period, start_day, {} FROM kpi_periods WHERE series = ?", FIGURES.join(", "));
    let mut stored: PeriodFigures = tx
        .query(&sql, &[series.into()], |row| Ok(((row.get(0)?, row.get(1)?), read_figures(row, 2)?)))?
        .into_iter()
        .collect();
    let mut derived = PeriodFigures::new();
    for ((_, day), figures) in stored.iter().filter(|((period, _), _)| *period == Period::Day.code()) {
        for period in PERIODS {
            let sum = derived.entry((period.code(), start_of(period, *day))).or_default();
            *sum += KpiFigures { new_customers: 0, ..*figures };
        }
    }
    let (mut customers, mut firsts) = (0, BTreeMap::<i32, i64>::new());
    let sql = "SELECT first_placed_at FROM customer_totals WHERE series = ? AND first_placed_at IS NOT NULL";
    tx.for_each(sql, &[series.into()], |row| {
        let day = calendar.business_day_number(row.get::<Timestamp>(0)?);
        *firsts.entry(day).or_default() += 1;
        customers += 1;
        Ok(())
    })?;
    for (day, new) in firsts {
        for period in PERIODS {
            derived.entry((period.code(), start_of(period, day))).or_default().new_customers += new;
        }
    }
    for (key, derived) in derived {
        let stored = stored.remove(&key).unwrap_or_default();
        compare_figures(key, &stored, &derived, customers, found);
    }
    for (key, stored) in stored {
        compare_figures(key, &stored, &KpiFigures::default(), 0, found);
    }
    Ok(())
}

fn compare_figures(
    (period, start): (i64, i32),
    stored: &KpiFigures,
    derived: &KpiFigures,
    customers: i64,
    found: &mut Findings,
) {
    let Some(period) = Period::from_code(period) else { return };
    for (figure, (stored, derived)) in
        FIGURES.into_iter().zip(stored_values(stored).into_iter().zip(stored_values(derived)))
    {
        match figure {
            "customers" if period == Period::All => found.compare(period, start, figure, stored, customers),
            // The same customer may come on several days: counted by month, below.
            "customers" => {}
            _ => found.compare(period, start, figure, stored, derived),
        }
    }
}

/// Scores by month are sums of scores by day, and distinct customers are those with a score.
fn check_month(tx: &mut Tx<'_>, series: i64, month: i32, found: &mut Findings) -> Result<()> {
    let end = end_of(Period::Month, month);
    let span: [Value<'_>; 3] = [series.into(), month.into(), end.into()];
    let counted = tx.query(
        "SELECT day, COUNT(*) FROM customer_days WHERE series = ? AND day BETWEEN ? AND ? AND orders > 0 GROUP BY day",
        &span,
        |row| Ok((row.get::<i32>(0)?, row.get::<i64>(1)?)),
    )?;
    compare_customers(tx, series, Period::Day, (month, end), &counted.into_iter().collect(), found)?;

    let mut weeks = BTreeMap::new();
    // Weeks belong to the month that their Monday is in.
    let mut monday = start_of(Period::Week, month + 6);
    while monday <= end {
        let sql = "SELECT COUNT(DISTINCT customer_id) FROM customer_days \
                   WHERE series = ? AND day BETWEEN ? AND ? AND orders > 0";
        let week = [series.into(), monday.into(), (monday + 6).into()];
        weeks.insert(monday, tx.query_one(sql, &week, |row| row.get::<i64>(0))?);
        monday += 7;
    }
    compare_customers(tx, series, Period::Week, (month, end), &weeks, found)?;

    let sql = "SELECT COUNT(*) FROM customer_months WHERE series = ? AND month = ? AND orders > 0";
    let customers = tx.query_one(sql, &[series.into(), month.into()], |row| row.get(0))?;
    compare_customers(
        tx,
        series,
        Period::Month,
        (month, month),
        &BTreeMap::from([(month, customers)]),
        found,
    )?;

    compare_scores(tx, series, month, "customer", "orders", found)?;
    compare_scores(tx, series, month, "product", "units", found)
}

fn compare_customers(
    tx: &mut Tx<'_>,
    series: i64,
    period: Period,
    (from, to): (i32, i32),
    counted: &BTreeMap<i32, i64>,
    found: &mut Findings,
) -> Result<()> {
    let stored: BTreeMap<i32, i64> = tx
        .query(
            "SELECT start_day, customers FROM kpi_periods WHERE series = ? AND period = ? AND start_day BETWEEN ? AND ?",
            &[series.into(), period.code().into(), from.into(), to.into()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .into_iter()
        .collect();
    let starts: std::collections::BTreeSet<_> = stored.keys().chain(counted.keys()).collect();
    for start in starts {
        let of = |map: &BTreeMap<i32, i64>| map.get(start).copied().unwrap_or_default();
        found.compare(period, *start, "customers", of(&stored), of(counted));
    }
    Ok(())
}

/// Both sides of a comparison as one list of rows, so that the engine sorts and adds them up once.
fn compare_scores(
    tx: &mut Tx<'_>,
    series: i64,
    month: i32,
    noun: &str,
    figure: &str,
    found: &mut Findings,
) -> Result<()> {
    let (kept_days, days) = match noun {
        "customer" => ("order_days", "CASE WHEN orders > 0 THEN CAST(1 << (day - ?) AS SIGNED) ELSE 0 END"),
        _ => ("0", "0 * ?"),
    };
    let sums = ["figure", "net", "reached_at", "days"].map(|column| {
        let sum = if column == "reached_at" { "MAX" } else { "SUM" };
        let side =
            |kept: i32| format!("CAST({sum}(CASE kept WHEN {kept} THEN {column} ELSE 0 END) AS SIGNED)");
        format!("{} AS kept_{column}, {} AS derived_{column}", side(1), side(0))
    });
    let sql = format!(
        "SELECT id, kept_figure, derived_figure, kept_net, derived_net, kept_reached_at, derived_reached_at, \
         kept_days, derived_days, sides FROM (SELECT id, {}, COUNT(DISTINCT kept) AS sides FROM (\
         SELECT {noun}_id AS id, 1 AS kept, {figure} AS figure, net, reached_at, {kept_days} AS days \
         FROM {noun}_months WHERE series = ? AND month = ? UNION ALL \
         SELECT {noun}_id, 0, {figure}, net, reached_at, {days} \
         FROM {noun}_days WHERE series = ? AND day BETWEEN ? AND ?) AS parts GROUP BY id) AS sums \
         WHERE kept_figure <> derived_figure OR kept_net <> derived_net OR sides <> 2 \
         OR kept_reached_at <> derived_reached_at OR kept_days <> derived_days ORDER BY id LIMIT 100",
        sums.join(", ")
    );
    let end = end_of(Period::Month, month);
    let params = [series.into(), month.into(), month.into(), series.into(), month.into(), end.into()];
    let differing = tx.query(&sql, &params, |row| {
        let pair = |at| Ok::<_, sql::Error>((row.get::<i64>(at)?, row.get::<i64>(at + 1)?));
        Ok((row.get::<i64>(0)?, [pair(1)?, pair(3)?, pair(5)?, pair(7)?], row.get::<i64>(9)?))
    })?;
    for (id, pairs, sides) in differing {
        for (name, (stored, derived)) in [figure, "net", "reached_at", "order_days"].into_iter().zip(pairs) {
            found.compare(Period::Month, month, format!("{name} of {noun} {id}"), stored, derived);
        }
        // A row of zeros on one side only is on the board all the same.
        found.compare(Period::Month, month, format!("rows of {noun} {id}"), sides, 2);
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Total {
    orders: i64,
    net: i64,
    reached_at: i64,
    first_day: Option<i32>,
    last_day: Option<i32>,
}

/// Totals of customers are sums of their months, and the first and last order are on days with an order.
fn check_totals(
    tx: &mut Tx<'_>,
    calendar: &Calendar,
    series: i64,
    from: i64,
    to: i64,
    found: &mut Findings,
) -> Result<()> {
    let mut derived: BTreeMap<i64, Total> = BTreeMap::new();
    let month_list = tx.query(
        "SELECT start_day FROM kpi_periods WHERE series = ? AND period = ?",
        &[series.into(), Period::Month.code().into()],
        |row| row.get::<i32>(0),
    )?;
    for month in month_list {
        let sql = "SELECT customer_id, orders, net, reached_at, order_days FROM customer_months \
                   WHERE series = ? AND month = ? AND customer_id BETWEEN ? AND ?";
        tx.for_each(sql, &[series.into(), month.into(), from.into(), to.into()], |row| {
            let total = derived.entry(row.get(0)?).or_default();
            total.orders += row.get::<i64>(1)?;
            total.net += row.get::<i64>(2)?;
            total.reached_at = total.reached_at.max(row.get(3)?);
            let days: u32 = row.get(4)?;
            if days != 0 {
                let first = month + days.trailing_zeros().cast_signed();
                let last = month + 31 - days.leading_zeros().cast_signed();
                total.first_day = Some(total.first_day.map_or(first, |known| known.min(first)));
                total.last_day = total.last_day.max(Some(last));
            }
            Ok(())
        })?;
    }
    let sql = "SELECT customer_id, orders, net, reached_at, first_placed_at, last_day FROM customer_totals \
               WHERE series = ? AND customer_id BETWEEN ? AND ?";
    tx.for_each(sql, &[series.into(), from.into(), to.into()], |row| {
        let first: Option<Timestamp> = row.get(4)?;
        let stored = Total {
            orders: row.get(1)?,
            net: row.get(2)?,
            reached_at: row.get(3)?,
            first_day: first.map(|first| calendar.business_day_number(first)),
            last_day: row.get(5)?,
        };
        let customer: i64 = row.get(0)?;
        compare_total(customer, stored, derived.remove(&customer).unwrap_or_default(), found);
        Ok(())
    })?;
    for (customer, total) in derived {
        compare_total(customer, Total::default(), total, found);
    }
    Ok(())
}

fn compare_total(customer: i64, stored: Total, derived: Total, found: &mut Findings) {
    let day = |day: Option<i32>| day.map_or(-1, i64::from);
    let figures = [
        ("orders", stored.orders, derived.orders),
        ("net", stored.net, derived.net),
        ("reached_at", stored.reached_at, derived.reached_at),
        ("first day", day(stored.first_day), day(derived.first_day)),
        ("last day", day(stored.last_day), day(derived.last_day)),
    ];
    for (name, stored, derived) in figures {
        found.compare(Period::All, 0, format!("{name} of customer {customer}"), stored, derived);
    }
}

/// The leaders are exactly the customers at or above the floor, with their totals.
fn check_leaders(tx: &mut Tx<'_>, series: &Series, found: &mut Findings) -> Result<()> {
    let (kept, right, wanted) = leaders::audit(tx, series)?;
    found.compare(Period::All, 0, "leaders", kept, wanted);
    found.compare(Period::All, 0, "leaders with their totals", right, wanted);
    Ok(())
}

impl fmt::Display for SumDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SumDiff { currency, period, start, figure, stored, derived } = self;
        write!(f, "{period}")?;
        if let Some(start) = start {
            write!(f, " {start}")?;
        }
        write!(f, " {currency}: {figure} stored {stored}, derived {derived}")
    }
}
