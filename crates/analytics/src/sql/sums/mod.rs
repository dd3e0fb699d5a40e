//! Whether what is derived from the days agrees with them: weeks, months, all time, distinct and new customers, and
//! the leaders. With [`diff`](crate::diff), which proves the days themselves, that is all that is stored.

mod months;
mod periods;
mod totals;

use domain::{Calendar, Currency, Period};
use sql::Tx;

use super::generation::{Generation, Series};
use super::leaders;
use crate::spans;
use crate::sums::Findings;
use crate::{Result, SumDiff};

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
        parts.extend(days.into_iter().flat_map(|(first, last)| spans::months(first, last)).map(Part::Month));
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
        Part::Periods => periods::check(tx, &live.calendar, series.id, &mut found)?,
        Part::Month(month) => months::check(tx, series.id, month, &mut found)?,
        Part::Totals { from, to } => totals::check(tx, &live.calendar, series.id, (from, to), &mut found)?,
        Part::Leaders => check_leaders(tx, series, &mut found)?,
    }
    Ok(found.diffs)
}

/// The leaders are exactly the customers at or above the floor, with their totals.
fn check_leaders(tx: &mut Tx<'_>, series: &Series, found: &mut Findings) -> Result<()> {
    let (kept, right, wanted) = leaders::audit(tx, series)?;
    found.compare(Period::All, 0, "leaders", kept, wanted);
    found.compare(Period::All, 0, "leaders with their totals", right, wanted);
    Ok(())
}
