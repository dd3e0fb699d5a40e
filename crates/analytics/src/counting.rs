//! Who is new, and how many distinct customers ordered: pure, and the same for every backend.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{Calendar, KpiFigures, Period};
use jiff::Timestamp;

use crate::changes::Periods;
use crate::customers::Customer;
use crate::spans::{PERIODS, day_bits, end_of, months, start_of};
use crate::{Error, Result};

/// A period and a customer of whom the first and last day do not tell whether there was an order in it before.
pub(crate) type Unsure = (Period, i32, i64);

/// Counts distinct and new customers. Whether a customer ordered in a period before follows from the first and last
/// day of the orders that are stored; only an order in between needs a look at the months, and is returned.
pub(crate) fn count(
    calendar: &Calendar,
    customers: &[Customer<'_>],
    periods: &mut Periods,
) -> Result<Vec<Unsure>> {
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
    Ok(unsure)
}

/// The months, each with the customers whose days in it tell what is not sure.
pub(crate) fn wanted_months(unsure: &[Unsure]) -> BTreeMap<i32, BTreeSet<i64>> {
    let mut wanted: BTreeMap<i32, BTreeSet<i64>> = BTreeMap::new();
    for (period, start, customer) in unsure {
        for month in months(*start, end_of(*period, *start)) {
            wanted.entry(month).or_default().insert(*customer);
        }
    }
    wanted
}

/// Counts those who had no order in the period before, as the days with an order by month and customer tell.
pub(crate) fn count_unsure(unsure: &[Unsure], days: &HashMap<(i32, i64), u32>, periods: &mut Periods) {
    let absent = |(period, start, customer): &&Unsure| {
        let end = end_of(*period, *start);
        months(*start, end).into_iter().all(|month| {
            days.get(&(month, *customer)).is_none_or(|bits| bits & day_bits(month, *start, end) == 0)
        })
    };
    for (period, start, _) in unsure.iter().filter(absent) {
        figures(periods, *period, *start).customers += 1;
    }
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
