//! What notifications tell of, read in sets.

use domain::order::OrderTotals;
use domain::{Channel, Currency, EventKind, NotificationId, NotificationKind, NotificationStatus, OrderId};
use jiff::Timestamp;
use sql::{Row, Tx};

use crate::{Result, rows};

/// A notification with what it tells of: its order, its customer and the event that caused it.
#[derive(Debug, Clone)]
pub struct Matter {
    /// The notification.
    pub id: NotificationId,
    /// What it tells.
    pub kind: NotificationKind,
    /// The way it goes out.
    pub channel: Channel,
    /// Where to.
    pub recipient: String,
    /// How far it got.
    pub status: NotificationStatus,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// The order.
    pub order: OrderId,
    /// Half of the order's identity.
    pub source: String,
    /// The order's number, as the customer knows it.
    pub order_number: String,
    /// When the customer placed it.
    pub placed_at: Timestamp,
    /// The currency of every amount.
    pub currency: Currency,
    /// What the order costs.
    pub totals: OrderTotals,
    /// Whether any money was taken for it.
    pub is_paid: bool,
    /// Units over all lines.
    pub units: i64,
    /// The customer's name.
    pub customer: Option<String>,
    /// What happened.
    pub event: EventKind,
    /// Which change of the order that was.
    pub version: i64,
    /// When.
    pub event_at: Timestamp,
    /// JSON with what belongs to the event.
    pub data: Option<String>,
}

/// A resend tells of the event that its original told of.
const SELECT: &str = "SELECT n.id, n.kind, n.channel, n.recipient, n.status, n.created_at, o.id, o.external_id, \
    o.placed_at, o.currency, o.subtotal, o.discount, o.shipping, o.tax, o.tax_included, o.adjustment, o.total, \
    o.captured, o.units, c.name, e.kind, e.at, e.data, o.source, e.version \
    FROM notifications n LEFT JOIN notifications r ON r.id = n.resend_of \
    JOIN orders o ON o.id = n.order_id JOIN customers c ON c.id = o.customer_id \
    JOIN order_events e ON e.order_id = n.order_id AND e.version = COALESCE(r.cause, n.cause) \
    WHERE n.id IN ({in}) ORDER BY n.id";

/// The notifications with these ids and what they tell of, in the order of ids.
pub fn list_matters(tx: &mut Tx<'_>, ids: &[NotificationId]) -> Result<Vec<Matter>> {
    Ok(tx.query_in(SELECT, &[], &rows::keys(ids.iter().copied()), read)?)
}

fn read(row: &Row<'_>) -> sql::Result<Matter> {
    Ok(Matter {
        id: NotificationId::from_ledger(row.get(0)?),
        kind: super::kind(row, 1)?,
        channel: super::channel(row, 2)?,
        recipient: row.get(3)?,
        status: super::status(row, 4)?,
        created_at: row.get(5)?,
        order: OrderId::from_ledger(row.get(6)?),
        source: row.get(23)?,
        order_number: row.get(7)?,
        placed_at: row.get(8)?,
        currency: rows::currency(row, 9)?,
        totals: OrderTotals {
            subtotal: row.get(10)?,
            discount: row.get(11)?,
            shipping: row.get(12)?,
            tax: row.get(13)?,
            tax_included: row.get(14)?,
            adjustment: row.get(15)?,
            total: row.get(16)?,
        },
        is_paid: row.get::<i64>(17)? > 0,
        units: row.get(18)?,
        customer: row.get(19)?,
        event: rows::code(row, 20, "the kind of an event", EventKind::from_code)?,
        version: row.get(24)?,
        event_at: row.get(21)?,
        data: row.get(22)?,
    })
}

/// A line of an order as its customer reads it.
#[derive(Debug, Clone)]
pub struct MatterLine {
    /// The order.
    pub order: OrderId,
    /// Its number within the order.
    pub line_no: i64,
    /// The product's SKU as sold.
    pub sku: String,
    /// The product's name as sold.
    pub name: String,
    /// Units.
    pub quantity: i64,
    /// Minor units for one.
    pub unit_price: i64,
    /// Minor units for all of it.
    pub total: i64,
}

/// The first `at_most` lines of each order, in the order of order ids and line numbers.
pub fn list_lines(tx: &mut Tx<'_>, orders: &[OrderId], at_most: u32) -> Result<Vec<MatterLine>> {
    let sql = "SELECT order_id, line_no, sku, name, quantity, unit_price, total FROM order_lines \
               WHERE line_no <= ? AND order_id IN ({in}) ORDER BY order_id, line_no";
    Ok(tx.query_in(sql, &[at_most.into()], &rows::keys(orders.iter().copied()), |row| {
        Ok(MatterLine {
            order: OrderId::from_ledger(row.get(0)?),
            line_no: row.get(1)?,
            sku: row.get(2)?,
            name: row.get(3)?,
            quantity: row.get(4)?,
            unit_price: row.get(5)?,
            total: row.get(6)?,
        })
    })?)
}

/// What left of orders: order, when it left, line number, units.
pub fn list_parcel_lines(tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<Vec<(OrderId, Timestamp, i64, i64)>> {
    let sql = "SELECT s.order_id, s.shipped_at, l.line_no, l.quantity FROM shipments s \
               JOIN shipment_lines l ON l.shipment_id = s.id WHERE s.order_id IN ({in})";
    Ok(tx.query_in(sql, &[], &rows::keys(orders.iter().copied()), |row| {
        Ok((OrderId::from_ledger(row.get(0)?), row.get(1)?, row.get(2)?, row.get(3)?))
    })?)
}
