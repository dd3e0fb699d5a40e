use std::collections::BTreeMap;

use domain::{Calendar, KpiFigures, Period};
use jiff::Timestamp;
use sql::Tx;

use super::super::kpis::read_figures;
use crate::Result;
use crate::changes::Periods;
use crate::names::{FIGURES, stored_values};
use crate::spans::{PERIODS, start_of};
use crate::sums::Findings;

/// Key figures of longer periods are sums of days, and new customers are those whose first order is on the day.
pub(super) fn check(tx: &mut Tx<'_>, calendar: &Calendar, series: i64, found: &mut Findings) -> Result<()> {
    let sql = format!("SELECT period, start_day, {} FROM kpi_periods WHERE series = ?", FIGURES.join(", "));
    let mut stored: Periods = tx
        .query(&sql, &[series.into()], |row| Ok(((row.get(0)?, row.get(1)?), read_figures(row, 2)?)))?
        .into_iter()
        .collect();
    let mut derived = Periods::new();
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
