//! Scores of customers by day, month and all time. Weeks are added up when they are read.

use std::collections::HashMap;

use domain::Calendar;
use sql::{Conflict, Insert, Tx, Value};

use super::counting::count;
use super::generation::Series;
use super::leaders::{self, Moved};
use super::{LATEST, rows};
use crate::Result;
use crate::changes::{Changes, Periods};
use crate::customers::{Customer, Known, touched};
use crate::score::Score;

/// Adds the customers' part of the changes to the stored figures, and counts customers into `periods`.
pub(crate) fn write(
    tx: &mut Tx<'_>,
    series: &Series,
    calendar: &Calendar,
    changes: &Changes,
    periods: &mut Periods,
) -> Result<()> {
    let customers = touched(changes, known(tx, series.id, changes)?);
    count(tx, series.id, calendar, &customers, periods)?;
    write_days(tx, series.id, changes)?;
    write_months(tx, series.id, changes)?;
    let moved = write_totals(tx, series.id, &customers)?;
    leaders::write(tx, series.id, series.floor, &moved)
}

fn known(tx: &mut Tx<'_>, series: i64, changes: &Changes) -> Result<HashMap<i64, Known>> {
    let ids: Vec<Value<'_>> = changes.customer_totals().iter().map(|(id, _)| Value::Int(*id)).collect();
    let known = tx.query_in(
        "SELECT customer_id, orders, net, reached_at, first_placed_at, first_order_id, last_day \
         FROM customer_totals WHERE series = ? AND customer_id IN ({in})",
        &[series.into()],
        &ids,
        |row| {
            let score = Score { count: row.get(1)?, net: row.get(2)?, reached_at: row.get(3)? };
            let first = row.get::<Option<i64>>(4)?.zip(row.get(5)?);
            Ok((row.get(0)?, Known { score, first, last_day: row.get(6)? }))
        },
    )?;
    Ok(known.into_iter().collect())
}

fn write_days(tx: &mut Tx<'_>, series: i64, changes: &Changes) -> Result<()> {
    let insert = Insert {
        table: "customer_days",
        columns: &["series", "day", "customer_id", "orders", "net", "reached_at"],
        conflict: Conflict::Update {
            key: &["series", "day", "customer_id"],
            set: &["orders = orders + new.orders", "net = net + new.net", LATEST],
        },
    };
    tx.insert_rows(&insert, &rows(series, &changes.customer_days))?;
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
