use std::collections::BTreeSet;

use domain::{ChargeStatus, OrderId, OrderStatus, RefundId, RefundStatus};
use jiff::Timestamp;
use sql::{Row, Tx, Value};

use crate::{Result, rows};

/// Something that is not settled and that somebody must still be going to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unsettled {
    /// The order waits for its stock.
    Stock(OrderId),
    /// The order waits for a payment that no watched deadline ends.
    Payment(OrderId),
    /// The order's refund is under way.
    Refund(OrderId, RefundId),
}

/// What is not settled of these orders.
pub fn list_unsettled(tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<BTreeSet<Unsettled>> {
    let keys = rows::keys(orders.iter().copied());
    let id = |row: &Row<'_>| Ok(OrderId::from_ledger(row.get(0)?));
    let with_status = |tx: &mut Tx<'_>, status: OrderStatus| {
        let sql = "SELECT id FROM orders WHERE status = ? AND id IN ({in})";
        tx.query_in(sql, &[status.code().into()], &keys, id)
    };
    let mut unsettled: BTreeSet<Unsettled> =
        with_status(tx, OrderStatus::Pending)?.into_iter().map(Unsettled::Stock).collect();
    unsettled.extend(with_status(tx, OrderStatus::Reserved)?.into_iter().map(Unsettled::Payment));
    let watched = "SELECT p.order_id FROM payments p CROSS JOIN payment_deadlines d \
                   ON d.deadline = p.deadline AND d.order_id = p.order_id AND d.attempt = p.attempt \
                   WHERE p.status <= ? AND p.order_id IN ({in})";
    for order in tx.query_in(watched, &[ChargeStatus::Accepted.code().into()], &keys, id)? {
        unsettled.remove(&Unsettled::Payment(order));
    }
    let under_way = "SELECT order_id, id FROM refunds WHERE status <= ? AND order_id IN ({in})";
    let refunds = tx.query_in(under_way, &[RefundStatus::Processing.code().into()], &keys, |row| {
        Ok(Unsettled::Refund(id(row)?, RefundId::from_ledger(row.get(1)?)))
    })?;
    unsettled.extend(refunds);
    Ok(unsettled)
}

/// The highest ids there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Marks {
    /// Of an order.
    pub orders: i64,
    /// Of a refund.
    pub refunds: i64,
    /// Of a shipment.
    pub shipments: i64,
}

/// The highest ids there are now.
pub fn marks(tx: &mut Tx<'_>) -> Result<Marks> {
    let mut highest = |table: &str| {
        tx.query_one(&format!("SELECT COALESCE(MAX(id), 0) FROM {table}"), &[], |row| row.get(0))
    };
    Ok(Marks { orders: highest("orders")?, refunds: highest("refunds")?, shipments: highest("shipments")? })
}

/// Since when a change counts, and the highest ids there were then.
#[derive(Debug, Clone, Copy)]
pub struct Since {
    /// Changes at this time or later.
    pub at: Timestamp,
    /// The highest ids there were.
    pub marks: Marks,
    /// How far below the highest id a new one may be: processes give ids out of blocks of their own.
    pub reach: i64,
}

/// An order that was placed, or whose refund or shipment changed.
const CHANGED: [&str; 3] = [
    "SELECT id FROM orders WHERE id > ? AND (created_at >= ? OR confirmed_at >= ?)",
    "SELECT order_id FROM refunds WHERE id > ? AND (requested_at >= ? OR settled_at >= ?)",
    "SELECT order_id FROM shipments WHERE id > ? AND (shipped_at >= ? OR delivered_at >= ?)",
];

/// The orders that were placed or confirmed since then, and those with a refund or shipment that is new or was settled
/// or delivered since, as far as the newest rows of each table tell: no index tells when a row was last changed.
pub fn list_changed(tx: &mut Tx<'_>, since: &Since) -> Result<BTreeSet<OrderId>> {
    let Since { at, marks, reach } = since;
    let mut changed = BTreeSet::new();
    for (sql, highest) in CHANGED.iter().zip([marks.orders, marks.refunds, marks.shipments]) {
        let params: [Value<'_>; 3] = [(highest - reach).into(), (*at).into(), (*at).into()];
        tx.for_each(sql, &params, |row| {
            changed.insert(OrderId::from_ledger(row.get(0)?));
            Ok(())
        })?;
    }
    Ok(changed)
}
