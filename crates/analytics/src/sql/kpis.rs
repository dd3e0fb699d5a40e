use domain::{Calendar, KpiFigures, Period, date_of, day_number};
use sql::{Row, Tx};

use super::generation::Generation;
use crate::names::FIGURES;
use crate::report::{KpiPeriod, KpiQuery, KpiReport, Kpis};
use crate::spans::{around, day_bits, end_of, start_of};
use crate::zone::zone_name;
use crate::{Error, Result};

/// Reads the key figures of a span of days.
pub fn kpis(tx: &mut Tx<'_>, calendar: &Calendar, query: &KpiQuery) -> Result<KpiReport> {
    let KpiQuery { from, to, granularity, currency } = *query;
    if from > to {
        return Err(Error::Span { from, to });
    }
    let generation = Generation::live(tx, calendar)?;
    let chosen = currency.choose(generation.iter().flat_map(Generation::currencies));
    let series = generation.as_ref().and_then(|one| one.series(chosen.currency)).map(|series| series.id);
    let span = Span { from: day_number(from), to: day_number(to) };
    let (periods, total) = match series {
        Some(series) => read(tx, series, granularity.period(), span)?,
        None => (Vec::new(), KpiFigures::default()),
    };
    let show = |figures: &KpiFigures| Kpis::new(figures, chosen.currency);
    Ok(KpiReport {
        from,
        to,
        granularity,
        time_zone: generation.map_or_else(|| zone_name(calendar), |one| one.time_zone),
        currency: chosen.currency,
        periods: periods
            .iter()
            .map(|(start, figures)| KpiPeriod { start: date_of(*start), kpis: show(figures) })
            .collect(),
        total: show(&total),
        other_currencies: chosen.others,
    })
}

/// Days from one day number to another, both included.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: i32,
    to: i32,
}

type Periods = Vec<(i32, KpiFigures)>;

fn read(tx: &mut Tx<'_>, series: i64, period: Period, span: Span) -> Result<(Periods, KpiFigures)> {
    let first = start_of(period, span.from);
    let mut periods = stored(tx, series, period, Span { from: first, to: span.to })?;
    for (start, figures) in &mut periods {
        let end = end_of(period, *start);
        if *start < span.from || end > span.to {
            let inside = Span { from: span.from.max(*start), to: span.to.min(end) };
            *figures = sum_days(tx, series, inside)?;
        }
    }
    periods.retain(|(_, figures)| *figures != KpiFigures::default());
    let mut total = periods.iter().fold(KpiFigures::default(), |sum, (_, figures)| sum + *figures);
    if periods.len() > 1 {
        total.customers = distinct_customers(tx, series, span, total.orders)?;
    }
    Ok((periods, total))
}

fn sum_days(tx: &mut Tx<'_>, series: i64, span: Span) -> Result<KpiFigures> {
    let days = stored(tx, series, Period::Day, span)?;
    let mut sum = days.iter().fold(KpiFigures::default(), |sum, (_, figures)| sum + *figures);
    if days.len() > 1 {
        sum.customers = distinct_customers(tx, series, span, sum.orders)?;
    }
    Ok(sum)
}

fn stored(tx: &mut Tx<'_>, series: i64, period: Period, span: Span) -> Result<Periods> {
    let sql = format!(
        "SELECT start_day, {} FROM kpi_periods WHERE series = ? AND period = ? AND start_day BETWEEN ? AND ? \
         ORDER BY start_day",
        FIGURES.join(", ")
    );
    let params = [series.into(), period.code().into(), span.from.into(), span.to.into()];
    Ok(tx.query(&sql, &params, |row| Ok((row.get(0)?, read_figures(row, 1)?)))?)
}

/// Reads [`FIGURES`] from the columns that begin at `at`.
pub(crate) fn read_figures(row: &Row<'_>, at: usize) -> sql::Result<KpiFigures> {
    let orders = row.get(at)?;
    Ok(KpiFigures {
        orders,
        units: row.get(at + 1)?,
        gross: row.get(at + 2)?,
        refunds: row.get(at + 3)?,
        failed: row.get(at + 4)?,
        // An order is confirmed when, and only when, it is paid.
        paid: orders,
        declined: row.get(at + 5)?,
        expired: row.get(at + 6)?,
        cancelled: row.get(at + 7)?,
        customers: row.get(at + 8)?,
        new_customers: row.get(at + 9)?,
    })
}

/// Distinct customers with one of the span's orders. Where the period around it has no other orders, that number is stored.
fn distinct_customers(tx: &mut Tx<'_>, series: i64, span: Span, orders: i64) -> Result<i64> {
    let (period, start) = around(span.from, span.to);
    let around = stored(tx, series, period, Span { from: start, to: start })?;
    if let [(_, around)] = &around[..]
        && around.orders == orders
    {
        return Ok(around.customers);
    }
    let first = start_of(Period::Month, span.from);
    let last = start_of(Period::Month, span.to);
    let customers = tx.query_one(
        "SELECT COUNT(DISTINCT customer_id) FROM customer_months WHERE series = ? AND month BETWEEN ? AND ? AND \
         CASE month WHEN ? THEN order_days & ? WHEN ? THEN order_days & ? ELSE order_days END <> 0",
        &[
            series.into(),
            first.into(),
            last.into(),
            first.into(),
            day_bits(first, span.from, span.to).into(),
            last.into(),
            day_bits(last, span.from, span.to).into(),
        ],
        |row| row.get(0),
    )?;
    Ok(customers)
}
