//! The figures that know customers: boards by day, month and all time, and who is new or distinct in a period.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{Calendar, KpiFigures, Period};
use jiff::Timestamp;
use sql::{Conflict, Insert, Tx, Value};

use crate::changes::{Changes, ConfirmedOrder};
use crate::generation::Series;
use crate::leaders::{self, Moved};
use crate::score::{Fold, Score};
use crate::spans::{PERIODS, day_bits, end_of, months, start_of};
use crate::{Error, Result};

/// What is stored of a customer over all time.
#[derive(Debug, Clone, Copy)]
struct Known {
    score: Score,
    /// The first confirmed order by `(placed_at, id)`; none if only refunds were told so far.
    first: Option<(i64, i64)>,
    /// The last business day with a confirmed order.
    last_day: Option<i32>,
}

/// A customer that the facts touch.
struct Customer<'a> {
    id: i64,
    gained: Score,
    /// The newly confirmed orders, the oldest first.
    orders: &'a [ConfirmedOrder],
    known: Option<Known>,
}

/// Adds the customers' part of the changes to the stored figures, and counts customers into `periods`.
pub(crate) fn write(
    tx: &mut Tx<'_>,
    series: &Series,
    calendar: &Calendar,
    changes: &Changes,
    periods: &mut BTreeMap<(i64, i32), KpiFigures>,
) -> Result<()> {
    let customers = touched(tx, series.id, changes)?;
    count(tx, series.id, calendar, &customers, periods)?;
    write_days(tx, series.id, changes)?;
    write_months(tx, series.id, changes)?;
    let moved = write_totals(tx, series.id, &customers)?;
    leaders::write(tx, series.id, series.floor, &moved)
}

fn touched<'a>(tx: &mut Tx<'_>, series: i64, changes: &'a Changes) -> Result<Vec<Customer<'a>>> {
    let totals = changes.customer_totals();
    let ids: Vec<Value<'_>> = totals.iter().map(|(id, _)| Value::Int(*id)).collect();
    let mut known: HashMap<i64, Known> = tx
        .query_in(
            "SELECT customer_id, orders, net, reached_at, first_placed_at, first_order_id, last_day \
             FROM customer_totals WHERE series = ? AND customer_id IN ({in})",
            &[series.into()],
            &ids,
            |row| {
                let score = Score { count: row.get(1)?, net: row.get(2)?, reached_at: row.get(3)? };
                let first = row.get::<Option<i64>>(4)?.zip(row.get(5)?);
                Ok((row.get(0)?, Known { score, first, last_day: row.get(6)? }))
            },
        )?
        .into_iter()
        .collect();
    let mut orders = changes.orders.chunk_by(|a, b| a.customer == b.customer).peekable();
    let customers = totals.into_iter().map(|(id, gained)| Customer {
        id,
        gained,
        orders: orders.next_if(|of| of.first().is_some_and(|order| order.customer == id)).unwrap_or_default(),
        known: known.remove(&id),
    });
    Ok(customers.collect())
}

impl Customer<'_> {
    /// The first order among those newly confirmed.
    fn first_gained(&self) -> Option<(i64, i64)> {
        self.orders.first().map(|order| (order.placed_at, order.order_id))
    }

    /// The starts of the periods in which orders were gained, each once.
    fn starts(&self, period: Period) -> BTreeSet<i32> {
        self.orders.iter().map(|order| start_of(period, order.day)).collect()
    }

    /// The first and last day with an order that is stored.
    fn history(&self, calendar: &Calendar) -> Result<Option<(i32, i32)>> {
        let Some((known, first, last)) =
            self.known.and_then(|known| Some((known, known.first?, known.last_day?)))
        else {
            return Ok(None);
        };
        debug_assert!(known.score.count > 0);
        Ok(Some((day_of(calendar, first.0)?, last)))
    }

    fn after(&self) -> Known {
        let mut score = self.known.map(|known| known.score).unwrap_or_default();
        score.fold(&self.gained);
        let first = self.known.and_then(|known| known.first);
        let last_day = self.known.and_then(|known| known.last_day);
        Known {
            score,
            first: first.into_iter().chain(self.first_gained()).min(),
            last_day: last_day.max(self.orders.iter().map(|order| order.day).max()),
        }
    }
}

fn day_of(calendar: &Calendar, micros: i64) -> Result<i32> {
    let at = Timestamp::from_microsecond(micros)
        .map_err(|_| Error::Unreadable { expected: "time", found: micros.to_string() })?;
    Ok(calendar.business_day_number(at))
}

/// Counts distinct and new customers. Whether a customer ordered in a period before follows from the first and last
/// day of the orders that are stored; only an order in between needs a look at the months.
fn count(
    tx: &mut Tx<'_>,
    series: i64,
    calendar: &Calendar,
    customers: &[Customer<'_>],
    periods: &mut BTreeMap<(i64, i32), KpiFigures>,
) -> Result<()> {
    let mut unsure = Vec::new();
    for customer in customers.iter().filter(|customer| !customer.orders.is_empty()) {
        let history = customer.history(calendar)?;
        for period in PERIODS {
            for start in customer.starts(period) {
                match history.map(|days| seen(period, start, days)) {
                    None | Some(Some(false)) => figures(periods, period, start).customers += 1,
                    Some(Some(true)) => {}
                    Some(None) => unsure.push((period, start, customer.id)),
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
fn count_first(
    calendar: &Calendar,
    customer: &Customer<'_>,
    periods: &mut BTreeMap<(i64, i32), KpiFigures>,
) -> Result<()> {
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

fn figures(periods: &mut BTreeMap<(i64, i32), KpiFigures>, period: Period, start: i32) -> &mut KpiFigures {
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

/// `reached_at` of a stored row after a new part came in.
pub(crate) const LATEST: &str =
    "reached_at = CASE WHEN new.reached_at > reached_at THEN new.reached_at ELSE reached_at END";

fn write_days(tx: &mut Tx<'_>, series: i64, changes: &Changes) -> Result<()> {
    let insert = Insert {
        table: "customer_days",
        columns: &["series", "day", "customer_id", "orders", "net", "reached_at"],
        conflict: Conflict::Update {
            key: &["series", "day", "customer_id"],
            set: &["orders = orders + new.orders", "net = net + new.net", LATEST],
        },
    };
    tx.insert_rows(&insert, &crate::score::rows(series, &changes.customer_days))?;
    Ok(())
}

fn write_months(tx: &mut Tx<'_>, series: i64, changes: &Changes) -> Result<()> {
    let insert = Insert {
        table: "customer_months",
        columns: &["series", "month", "customer_id", "orders", "net", "reached_at", "order_days"],
        conflict: Conflict::Update {
            key: &["series", "month", "customer_id"],
            set: &[
                "orders = orders + new.orders",
                "net = net + new.net",
                LATEST,
                "order_days = order_days | new.order_days",
            ],
        },
    };
    let months = changes.customer_months();
    let mut values = Vec::with_capacity(months.len() * insert.columns.len());
    for ((month, customer), part) in months {
        let Score { count, net, reached_at } = part.score;
        let row = [series, month.into(), customer, count, net, reached_at, part.order_days.into()];
        values.extend(row.map(Value::Int));
    }
    tx.insert_rows(&insert, &values)?;
    Ok(())
}

/// Writes what was read and added up here; the lock on the series keeps others from doing so meanwhile.
fn write_totals(tx: &mut Tx<'_>, series: i64, customers: &[Customer<'_>]) -> Result<Vec<Moved>> {
    let insert = Insert {
        table: "customer_totals",
        columns: &[
            "series",
            "customer_id",
            "orders",
            "net",
            "reached_at",
            "first_placed_at",
            "first_order_id",
            "last_day",
        ],
        conflict: Conflict::Update {
            key: &["series", "customer_id"],
            set: &[
                "orders = new.orders",
                "net = new.net",
                "reached_at = new.reached_at",
                "first_placed_at = new.first_placed_at",
                "first_order_id = new.first_order_id",
                "last_day = new.last_day",
            ],
        },
    };
    let mut values = Vec::with_capacity(customers.len() * insert.columns.len());
    let mut moved = Vec::with_capacity(customers.len());
    for customer in customers {
        let Known { score, first, last_day } = customer.after();
        values.extend([series, customer.id, score.count, score.net, score.reached_at].map(Value::Int));
        values.push(first.map(|first| first.0).into());
        values.push(first.map(|first| first.1).into());
        values.push(last_day.into());
        moved.push(Moved {
            customer: customer.id,
            before: customer.known.map(|known| known.score),
            after: score,
        });
    }
    tx.insert_rows(&insert, &values)?;
    Ok(moved)
}
