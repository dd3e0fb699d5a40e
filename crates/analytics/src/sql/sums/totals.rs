use std::collections::BTreeMap;

use domain::{Calendar, Period};
use jiff::Timestamp;
use sql::Tx;

use crate::Result;
use crate::sums::Findings;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Total {
    orders: i64,
    net: i64,
    reached_at: i64,
    first_day: Option<i32>,
    last_day: Option<i32>,
}

/// Totals of customers are sums of their months, and the first and last order are on days with an order.
pub(super) fn check(
    tx: &mut Tx<'_>,
    calendar: &Calendar,
    series: i64,
    (from, to): (i64, i64),
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
