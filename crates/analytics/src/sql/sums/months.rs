use std::collections::{BTreeMap, BTreeSet};

use domain::Period;
use sql::{Tx, Value};

use crate::Result;
use crate::spans::{end_of, start_of};
use crate::sums::Findings;

/// Scores by month are sums of scores by day, and distinct customers are those with a score.
pub(super) fn check(tx: &mut Tx<'_>, series: i64, month: i32, found: &mut Findings) -> Result<()> {
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
    let starts: BTreeSet<_> = stored.keys().chain(counted.keys()).collect();
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
