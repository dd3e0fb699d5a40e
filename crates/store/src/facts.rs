//! What the ledger tells the figures: sales and refunds, read again in bounded pieces, so that figures can be rebuilt
//! from them or compared with them.

use domain::order::OrderTotals;
use domain::{Currency, CustomerId, EventKind, FailReason, OrderId, OrderStatus, RefundCause, RefundStatus};
use domain::{Money, RefundId};
use jiff::Timestamp;
use sql::{Row, Tx, Value};

use crate::refunds::RefundLine;
use crate::{Result, rows};

/// What the figures need to know of an order.
#[derive(Debug, Clone, Copy)]
pub struct Sale {
    /// The order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// When the customer placed it.
    pub placed_at: Timestamp,
    /// When it was confirmed, if it ever was.
    pub confirmed_at: Option<Timestamp>,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it failed, if it did.
    pub fail_reason: Option<FailReason>,
    /// Units over all lines.
    pub units: i64,
    /// What its total is made of.
    pub totals: OrderTotals,
}

/// A refund that succeeded, of an order that was once confirmed and needed the money.
#[derive(Debug, Clone)]
pub struct CountedRefund {
    /// The refund.
    pub id: RefundId,
    /// The order.
    pub order: OrderId,
    /// Whose order it is.
    pub customer: CustomerId,
    /// When it succeeded.
    pub at: Timestamp,
    /// What went back.
    pub amount: Money,
    /// The part of it that the order had needed, in minor units: what figures count.
    pub counted: i64,
    /// Its lines.
    pub lines: Vec<RefundLine>,
}

const SALE: &str = "SELECT id, customer_id, currency, placed_at, confirmed_at, status, fail_reason, units, \
    subtotal, discount, shipping, tax, tax_included, adjustment, total FROM orders";

fn read(row: &Row<'_>) -> sql::Result<Sale> {
    Ok(Sale {
        order: OrderId::from_ledger(row.get(0)?),
        customer: CustomerId::from_ledger(row.get(1)?),
        currency: rows::currency(row, 2)?,
        placed_at: row.get(3)?,
        confirmed_at: row.get(4)?,
        status: rows::code(row, 5, "an order's status", OrderStatus::from_code)?,
        fail_reason: rows::code_opt(row, 6, "an order's reason of failure", FailReason::from_code)?,
        units: row.get(7)?,
        totals: OrderTotals {
            subtotal: row.get(8)?,
            discount: row.get(9)?,
            shipping: row.get(10)?,
            tax: row.get(11)?,
            tax_included: row.get(12)?,
            adjustment: row.get(13)?,
            total: row.get(14)?,
        },
    })
}

/// Up to `limit` orders in the order of ids, from `first` on.
pub fn list_sales(tx: &mut Tx<'_>, first: OrderId, limit: u32) -> Result<Vec<Sale>> {
    let sql = format!("{SALE} WHERE id >= ? ORDER BY id LIMIT ?");
    Ok(tx.query(&sql, &[first.get().into(), limit.into()], read)?)
}

/// Up to `limit` orders placed from `from` on and before `to`, in the order of `(placed_at, id)`, from the one after
/// `after`.
pub fn list_sales_placed(
    tx: &mut Tx<'_>,
    (from, to): (Timestamp, Timestamp),
    after: Option<(Timestamp, OrderId)>,
    limit: u32,
) -> Result<Vec<Sale>> {
    let sql = format!(
        "{SALE} WHERE placed_at >= ? AND placed_at < ? AND (placed_at > ? OR id > ?) ORDER BY placed_at, id LIMIT ?"
    );
    let (from, id) = after.map_or((from, 0), |(at, id)| (at, id.get()));
    Ok(tx.query(&sql, &[from.into(), to.into(), from.into(), id.into(), limit.into()], read)?)
}

/// When the order was placed that follows the first `orders` of those placed from `from` on; none if there are no
/// more. The time of a step along an index, however much an order holds.
pub fn placed_after(tx: &mut Tx<'_>, from: Timestamp, orders: u32) -> Result<Option<Timestamp>> {
    let sql = "SELECT placed_at FROM orders WHERE placed_at >= ? ORDER BY placed_at LIMIT 1 OFFSET ?";
    Ok(tx.query_opt(sql, &[from.into(), orders.into()], |row| row.get(0))?)
}

/// How many orders were placed from `from` on and before `to`; none is counted beyond `at_most`.
pub fn count_placed(tx: &mut Tx<'_>, (from, to): (Timestamp, Timestamp), at_most: u32) -> Result<u32> {
    let sql = "SELECT COUNT(*) FROM \
               (SELECT 1 FROM orders WHERE placed_at >= ? AND placed_at < ? LIMIT ?) AS some_orders";
    Ok(tx.query_one(sql, &[from.into(), to.into(), at_most.into()], |row| row.get(0))?)
}

/// Up to `limit` refunds that succeeded from `from` on and before `to` and were not of surplus money, in the order of
/// ids, from the one after `after`: each with its order. Reads every refund, because no index tells when one was
/// settled.
pub fn list_settled(
    tx: &mut Tx<'_>,
    (from, to): (Timestamp, Timestamp),
    after: RefundId,
    limit: u32,
) -> Result<Vec<(RefundId, OrderId)>> {
    let sql = "SELECT id, order_id FROM refunds WHERE id > ? AND status = ? AND cause <> ? \
               AND settled_at >= ? AND settled_at < ? ORDER BY id LIMIT ?";
    let params = [
        after.get().into(),
        RefundStatus::Succeeded.code().into(),
        RefundCause::Surplus.code().into(),
        from.into(),
        to.into(),
        limit.into(),
    ];
    Ok(tx.query(sql, &params, |row| {
        Ok((RefundId::from_ledger(row.get(0)?), OrderId::from_ledger(row.get(1)?)))
    })?)
}

/// The refunds of these orders that figures count, in the order of orders.
pub fn list_counted_refunds(tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<Vec<CountedRefund>> {
    let succeeded = succeeded(tx, orders)?;
    let mut counted = Vec::with_capacity(succeeded.len());
    for of_order in succeeded.chunk_by(|(one, _), (other, _)| one.order == other.order) {
        let total = of_order[0].1;
        let sum: i128 = of_order.iter().map(|(refund, _)| i128::from(refund.amount.amount)).sum();
        let mut of_order: Vec<CountedRefund> = of_order.iter().map(|(refund, _)| refund.clone()).collect();
        if sum > i128::from(total) {
            sort_as_settled(tx, &mut of_order)?;
        }
        count(&mut of_order, total);
        counted.extend(of_order.into_iter().filter(|refund| refund.counted > 0));
    }
    add_lines(tx, &mut counted)?;
    Ok(counted)
}

/// The refunds of once confirmed orders that succeeded, surplus money left out, each with its order's total.
fn succeeded(tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<Vec<(CountedRefund, i64)>> {
    let sql = "SELECT r.id, r.order_id, o.customer_id, r.settled_at, r.amount, r.currency, o.total \
               FROM refunds r CROSS JOIN orders o ON o.id = r.order_id \
               WHERE r.status = ? AND r.cause <> ? AND o.confirmed_at IS NOT NULL AND r.order_id IN ({in}) \
               ORDER BY r.order_id, r.id";
    let mut orders = orders.to_vec();
    orders.sort_unstable();
    orders.dedup();
    let before = [RefundStatus::Succeeded.code().into(), RefundCause::Surplus.code().into()];
    Ok(tx.query_in(sql, &before, &rows::keys(orders), |row| {
        let refund = CountedRefund {
            id: RefundId::from_ledger(row.get(0)?),
            order: OrderId::from_ledger(row.get(1)?),
            customer: CustomerId::from_ledger(row.get(2)?),
            at: row.get(3)?,
            amount: Money { amount: row.get(4)?, currency: rows::currency(row, 5)? },
            counted: 0,
            lines: Vec::new(),
        };
        Ok((refund, row.get(6)?))
    })?)
}

/// What an order needed is its total: each refund counts in turn for as much of it as those before it left.
fn count(refunds: &mut [CountedRefund], total: i64) {
    let mut left = total;
    for refund in refunds {
        refund.counted = refund.amount.amount.min(left);
        left -= refund.counted;
    }
}

/// Puts the refunds of one order in the order in which they were settled. Only its timeline tells: ids follow the
/// requests, and two may be settled at the same instant.
fn sort_as_settled(tx: &mut Tx<'_>, refunds: &mut [CountedRefund]) -> Result<()> {
    let sql = "SELECT data FROM order_events WHERE order_id = ? AND kind = ? ORDER BY version";
    let params = [Value::Int(refunds[0].order.get()), EventKind::RefundSucceeded.code().into()];
    let settled: Vec<Option<i64>> = tx.query(sql, &params, |row| {
        let data: Option<serde_json::Value> =
            row.get::<Option<String>>(0)?.and_then(|text| serde_json::from_str(&text).ok());
        Ok(data.and_then(|data| data.get("refund")?.as_i64()))
    })?;
    let place = |refund: &CountedRefund| {
        settled.iter().position(|id| *id == Some(refund.id.get())).unwrap_or(settled.len())
    };
    refunds.sort_by_key(place);
    Ok(())
}

fn add_lines(tx: &mut Tx<'_>, refunds: &mut [CountedRefund]) -> Result<()> {
    let mut ids: Vec<RefundId> = refunds.iter().map(|refund| refund.id).collect();
    ids.sort_unstable();
    let lines = crate::refunds::list_lines(tx, &ids)?;
    for refund in refunds {
        let first = lines.partition_point(|(id, _)| *id < refund.id);
        let own = lines[first..].iter().take_while(|(id, _)| *id == refund.id);
        refund.lines = own.map(|(_, line)| *line).collect();
    }
    Ok(())
}
