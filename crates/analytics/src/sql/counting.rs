//! Who is new, and how many distinct customers ordered.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{Calendar, KpiFigures, Period};
use jiff::Timestamp;
use sql::{Tx, Value};

use super::customers::Customer;
use crate::changes::Periods;
use crate::spans::{PERIODS, day_bits, end_of, months, start_of};
use crate::{Error, Result};

/// Counts distinct and new customers. Whether a customer ordered in a period before follows from the first and last
/// day of the orders that are stored; only an order in between needs a look at the months.
pub(crate) fn count(
    tx: &mut Tx<'_>,
    series: i64,
    calendar: &Calendar,
    customers: &[Customer<'_>],
    periods: &mut Periods,
) -> Result<()> {
    let mut unsure = Vec::new();
    for customer in customers.iter().filter(|customer| !customer.orders.is_empty()) {
        let history = customer.history(calendar)?;
        for period in PERIODS {
            for start in customer.starts(period) {
                match history.map_or(Some(false), |days| seen(period, start, days)) {
                    Some(false) => figures(periods, period, start).customers += 1,
                    Some(true) => {}
                    None => unsure.push((period, start, customer.id)),
                }
            }
        }
        count_first(calendar, customer, periods)?;
    }
    for (period, start) in not_seen(tx, series, &unsure)? {
        figures(periods, period, start).customers += 1;
    }
    Ok(())
}

/// Whether a customer with orders on the days `first` and `last` has one in the period; none if that does not tell.
fn seen(period: Period, start: i32, (first, last): (i32, i32)) -> Option<bool> {
    let (first, last) = (start_of(period, first), start_of(period, last));
    if start == first || start == last {
        Some(true)
    } else if start < first || start > last {
        Some(false)
    } else {
        None
    }
}

/// A customer is new where the first order is, and moves there when an earlier one is confirmed later.
fn count_first(calendar: &Calendar, customer: &Customer<'_>, periods: &mut Periods) -> Result<()> {
    let Some(gained) = customer.first_gained() else { return Ok(()) };
    let stored = customer.known.and_then(|known| known.first);
    if stored.is_some_and(|stored| stored < gained) {
        return Ok(());
    }
    let (from, to) =
        (stored.map(|stored| day_of(calendar, stored.0)).transpose()?, day_of(calendar, gained.0)?);
    for period in PERIODS {
        figures(periods, period, start_of(period, to)).new_customers += 1;
        if let Some(from) = from {
            figures(periods, period, start_of(period, from)).new_customers -= 1;
        }
    }
    Ok(())
}

fn figures(periods: &mut Periods, period: Period, start: i32) -> &mut KpiFigures {
    periods.entry((period.code(), start)).or_default()
}

/// Of the periods and customers given, the periods in which the customer has no stored order.
fn not_seen(tx: &mut Tx<'_>, series: i64, unsure: &[(Period, i32, i64)]) -> Result<Vec<(Period, i32)>> {
    let mut wanted: BTreeMap<i32, BTreeSet<i64>> = BTreeMap::new();
    for (period, start, customer) in unsure {
        for month in months(*start, end_of(*period, *start)) {
            wanted.entry(month).or_default().insert(*customer);
        }
    }
    let mut days: HashMap<(i32, i64), u32> = HashMap::new();
    for (month, customers) in &wanted {
        let customers: Vec<Value<'_>> = customers.iter().map(|id| Value::Int(*id)).collect();
        let sql = "SELECT customer_id, order_days FROM customer_months \
                   WHERE series = ? AND month = ? AND customer_id IN ({in})";
        let found = tx.query_in(sql, &[series.into(), (*month).into()], &customers, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        days.extend(found.into_iter().map(|(customer, bits): (i64, u32)| ((*month, customer), bits)));
    }
    let absent = |(period, start, customer): &&(Period, i32, i64)| {
        let end = end_of(*period, *start);
        months(*start, end).into_iter().all(|month| {
            days.get(&(month, *customer)).is_none_or(|bits| bits & day_bits(month, *start, end) == 0)
        })
    };
    Ok(unsure.iter().filter(absent).map(|(period, start, _)| (*period, *start)).collect())
}

impl Customer<'_> {
    /// The starts of the periods in which orders were gained, each once.
    fn starts(&self, period: Period) -> BTreeSet<i32> {
        self.orders.iter().map(|order| start_of(period, order.day)).collect()
    }

    /// The first and last day with an order that is stored.
    fn history(&self, calendar: &Calendar) -> Result<Option<(i32, i32)>> {
        let Some((first, last)) = self.known.and_then(|known| known.first.zip(known.last_day)) else {
            return Ok(None);
        };
        Ok(Some((day_of(calendar, first.0)?, last)))
    }
}

fn day_of(calendar: &Calendar, micros: i64) -> Result<i32> {
    let at = Timestamp::from_microsecond(micros)
        .map_err(|_| Error::Unreadable { expected: "time", found: micros.to_string() })?;
    Ok(calendar.business_day_number(at))
}
