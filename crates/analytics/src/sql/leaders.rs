//! The leaders: the best customers of all time, kept apart so that a board need not read a million of them.
//!
//! An index on the score of every customer would dirty one or two random pages for each order, which costs more than
//! all else that an order leaves here. So only those at or above a floor are kept sorted out: at most
//! [`MOST`] of them, with that index. A customer far from the top costs nothing.

use sql::{Conflict, Insert, Row, Tx, Value};

use super::generation::Series;
use crate::Result;
use crate::score::{Place, Score};

/// Leaders kept when the floor is raised.
const KEPT: u32 = 1_000;
/// Leaders that make the floor rise.
const MOST: i64 = 2_000;
/// Leaders left, by refunds, that make the floor sink: no board shows more.
const FEWEST: i64 = 400;

/// The place that a leader must at least hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Floor {
    pub(crate) net: i64,
    pub(crate) reached_at: i64,
    pub(crate) customer: i64,
}

/// A customer's score over all time, before and after.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moved {
    pub(crate) customer: i64,
    pub(crate) before: Option<Score>,
    pub(crate) after: Score,
}

impl Floor {
    fn place(self) -> Place {
        (std::cmp::Reverse(self.net), self.reached_at, self.customer)
    }

    /// Whether a score is at or above the floor.
    pub(crate) fn admits(self, customer: i64, score: &Score) -> bool {
        score.place(customer) <= self.place()
    }
}

const UPSERT: Insert<'_> = Insert {
    table: "customer_leaders",
    columns: &["series", "customer_id", "orders", "net", "reached_at"],
    conflict: Conflict::Update {
        key: &["series", "customer_id"],
        set: &["orders = new.orders", "net = new.net", "reached_at = new.reached_at"],
    },
};

/// Keeps the leaders of a series right after scores moved.
pub(crate) fn write(tx: &mut Tx<'_>, series: i64, floor: Option<Floor>, moved: &[Moved]) -> Result<()> {
    let admits = |customer, score: &Score| floor.is_none_or(|floor| floor.admits(customer, score));
    let (mut rows, mut gone, mut came) = (Vec::new(), Vec::new(), 0);
    for Moved { customer, before, after } in moved {
        let was = before.as_ref().is_some_and(|before| admits(*customer, before));
        if admits(*customer, after) {
            came += i64::from(!was);
            let values = [series, *customer, after.count, after.net, after.reached_at];
            rows.extend(values.map(Value::Int));
        } else if was {
            gone.push(Value::Int(*customer));
        }
    }
    tx.insert_rows(&UPSERT, &rows)?;
    if !gone.is_empty() {
        let delete = "DELETE FROM customer_leaders WHERE series = ? AND customer_id IN ({in})";
        tx.execute_in(delete, &[series.into()], &gone)?;
    }
    let left = if floor.is_some() { gone.len() as i64 } else { 0 };
    if came == 0 && left == 0 {
        return Ok(());
    }
    let sql = "SELECT COUNT(*) FROM customer_leaders WHERE series = ?";
    let leaders: i64 = tx.query_one(sql, &[series.into()], |row| row.get(0))?;
    if leaders > MOST {
        raise(tx, series)
    } else if left > 0 && leaders < FEWEST {
        sink(tx, series)
    } else {
        Ok(())
    }
}

/// Raises the floor to the last of the leaders that are kept.
fn raise(tx: &mut Tx<'_>, series: i64) -> Result<()> {
    let Some(floor) = last_kept(tx, series)? else { return Ok(()) };
    let Floor { net, reached_at, customer } = floor;
    tx.execute(
        "DELETE FROM customer_leaders WHERE series = ? AND (net < ? OR (net = ? AND \
         (reached_at > ? OR (reached_at = ? AND customer_id > ?))))",
        &[series.into(), net.into(), net.into(), reached_at.into(), reached_at.into(), customer.into()],
    )?;
    set_floor(tx, series, Some(floor))
}

/// Reads the leaders anew from all customers, after refunds took many of them below the floor.
fn sink(tx: &mut Tx<'_>, series: i64) -> Result<()> {
    tx.execute("DELETE FROM customer_leaders WHERE series = ?", &[series.into()])?;
    tx.execute(
        "INSERT INTO customer_leaders (series, customer_id, orders, net, reached_at) \
         SELECT series, customer_id, orders, net, reached_at FROM customer_totals WHERE series = ? \
         ORDER BY net DESC, reached_at, customer_id LIMIT ?",
        &[series.into(), KEPT.into()],
    )?;
    let floor = last_kept(tx, series)?;
    set_floor(tx, series, floor)
}

fn last_kept(tx: &mut Tx<'_>, series: i64) -> Result<Option<Floor>> {
    let floor = tx.query_opt(
        "SELECT net, reached_at, customer_id FROM customer_leaders WHERE series = ? \
         ORDER BY net DESC, reached_at, customer_id LIMIT 1 OFFSET ?",
        &[series.into(), (KEPT - 1).into()],
        read_floor,
    )?;
    Ok(floor)
}

fn read_floor(row: &Row<'_>) -> sql::Result<Floor> {
    Ok(Floor { net: row.get(0)?, reached_at: row.get(1)?, customer: row.get(2)? })
}

fn set_floor(tx: &mut Tx<'_>, series: i64, floor: Option<Floor>) -> Result<()> {
    tx.execute(
        "UPDATE kpi_series SET floor_net = ?, floor_reached_at = ?, floor_customer = ? WHERE id = ?",
        &[
            floor.map(|floor| floor.net).into(),
            floor.map(|floor| floor.reached_at).into(),
            floor.map(|floor| floor.customer).into(),
            series.into(),
        ],
    )?;
    Ok(())
}

/// How many leaders are kept, how many of them agree with the customer's totals and the floor, and how many there
/// should be.
pub(crate) fn audit(tx: &mut Tx<'_>, series: &Series) -> Result<(i64, i64, i64)> {
    let sql = "SELECT COUNT(*) FROM customer_leaders WHERE series = ?";
    let kept = tx.query_one(sql, &[series.id.into()], |row| row.get(0))?;
    let (condition, params) = match series.floor {
        None => ("1 = 1", vec![series.id.into()]),
        Some(Floor { net, reached_at, customer }) => (
            "(t.net > ? OR (t.net = ? AND (t.reached_at < ? OR (t.reached_at = ? AND t.customer_id <= ?))))",
            [series.id, net, net, reached_at, reached_at, customer].map(Value::Int).to_vec(),
        ),
    };
    let wanted = tx.query_one(
        &format!("SELECT COUNT(*) FROM customer_totals t WHERE t.series = ? AND {condition}"),
        &params,
        |row| row.get(0),
    )?;
    let right = tx.query_one(
        &format!(
            "SELECT COUNT(*) FROM customer_leaders l JOIN customer_totals t \
             ON t.series = l.series AND t.customer_id = l.customer_id \
             AND t.orders = l.orders AND t.net = l.net AND t.reached_at = l.reached_at \
             WHERE l.series = ? AND {condition}"
        ),
        &params,
        |row| row.get(0),
    )?;
    Ok((kept, right, wanted))
}
