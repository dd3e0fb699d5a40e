use domain::{
    CauseKind, Channel, ChargeStatus, EventKind, ImportId, LineUnits, MovementKind, NotificationKind,
    OrderId, ProductId, RefundCause, RefundId, RefundStatus,
};
use jiff::Timestamp;
use sql::{Row, Tx, Value};

use crate::orders::{Head, Line, list_heads};
use crate::{Result, rows};

/// Everything that belongs to some orders: each list in the order of orders. Rows whose order is not there are among
/// them.
#[derive(Debug, Clone, Default)]
pub struct Slice {
    /// The orders.
    pub orders: Vec<AuditedOrder>,
    /// Their lines.
    pub lines: Vec<AuditedLine>,
    /// The movements of their lines, shipments and refunds.
    pub movements: Vec<AuditedMovement>,
    /// Their timelines.
    pub events: Vec<AuditedEvent>,
    /// The attempts to charge them.
    pub payments: Vec<AuditedPayment>,
    /// Their refunds.
    pub refunds: Vec<AuditedRefund>,
    /// The lines of these.
    pub refund_lines: Vec<AuditedRefundLine>,
    /// What their customers were told.
    pub notifications: Vec<AuditedNotification>,
}

/// An order.
#[derive(Debug, Clone, Copy)]
pub struct AuditedOrder {
    /// Where it stands.
    pub head: Head,
    /// The import that brought it.
    pub import: Option<ImportId>,
}

/// A line of an order.
#[derive(Debug, Clone)]
pub struct AuditedLine {
    /// The line.
    pub line: Line,
    /// Whether the stock of its product is counted.
    pub tracked: bool,
}

/// A stock movement that a line of an order is the reason of.
#[derive(Debug, Clone, Copy)]
pub struct AuditedMovement {
    /// The order.
    pub order: OrderId,
    /// The line.
    pub line_no: i64,
    /// What it does.
    pub kind: MovementKind,
    /// Which product.
    pub product: ProductId,
    /// Units.
    pub quantity: i64,
}

/// An event of an order's timeline.
#[derive(Debug, Clone, Copy)]
pub struct AuditedEvent {
    /// The order.
    pub order: OrderId,
    /// The version that it led to.
    pub version: i64,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// The [state](crate::events::state_code) before.
    pub before: Option<i64>,
    /// The state after.
    pub after: i64,
}

/// An attempt to charge an order.
#[derive(Debug, Clone, Copy)]
pub struct AuditedPayment {
    /// The order.
    pub order: OrderId,
    /// Which attempt.
    pub attempt: i64,
    /// Where it stands.
    pub status: ChargeStatus,
    /// Minor units captured.
    pub captured: i64,
}

/// A refund.
#[derive(Debug, Clone, Copy)]
pub struct AuditedRefund {
    /// The order.
    pub order: OrderId,
    /// Which refund.
    pub id: RefundId,
    /// Minor units.
    pub amount: i64,
    /// The part of it that is for no line.
    pub shipping: i64,
    /// Where it stands.
    pub status: RefundStatus,
    /// Why it was made.
    pub cause: RefundCause,
}

/// A line of a refund.
#[derive(Debug, Clone, Copy)]
pub struct AuditedRefundLine {
    /// The order.
    pub order: OrderId,
    /// The refund.
    pub refund: RefundId,
    /// Number of the line within the order.
    pub line_no: i64,
    /// Units.
    pub quantity: i64,
    /// Minor units.
    pub amount: i64,
}

/// A notification.
#[derive(Debug, Clone, Copy)]
pub struct AuditedNotification {
    /// The order.
    pub order: OrderId,
    /// What it tells.
    pub kind: NotificationKind,
    /// The version of the event that caused it; below zero for a resend.
    pub cause: i64,
    /// The way it goes out.
    pub channel: Channel,
    /// Whether the one before it is the same in all of these and in its recipient.
    pub repeated: bool,
}

/// The next orders after `after`, at most `limit`, and every row of an id after `after` up to the last of them: up to
/// the end, where no order is left. One snapshot, if the transaction is one.
pub fn read_next(tx: &mut Tx<'_>, after: OrderId, limit: u32) -> Result<Slice> {
    let sql = "SELECT id, import_id FROM orders WHERE id > ? ORDER BY id LIMIT ?";
    let found = tx.query(sql, &[after.get().into(), limit.into()], import_of)?;
    let last = found.last().filter(|_| found.len() == limit as usize).map_or(i64::MAX, |(id, _)| id.get());
    read(tx, found, &Which::Range(after.get() + 1, last))
}

/// These orders, and every row that names one of these ids.
pub fn read_orders(tx: &mut Tx<'_>, ids: &[OrderId]) -> Result<Slice> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let sql = "SELECT id, import_id FROM orders WHERE id IN ({in}) ORDER BY id";
    let found = tx.query_in(sql, &[], &rows::keys(ids.iter().copied()), import_of)?;
    read(tx, found, &Which::Ids(rows::keys(ids)))
}

fn import_of(row: &Row<'_>) -> sql::Result<(OrderId, Option<ImportId>)> {
    Ok((OrderId::from_ledger(row.get(0)?), row.get::<Option<i64>>(1)?.map(ImportId::from_ledger)))
}

/// Which orders a sweep is of.
enum Which {
    Range(i64, i64),
    Ids(Vec<Value<'static>>),
}

impl Which {
    /// The rows of `sql`, whose `{which}` stands for a condition on `column` and is the last to take parameters.
    fn rows<T>(
        &self,
        tx: &mut Tx<'_>,
        (sql, column): (&str, &str),
        before: &[Value<'_>],
        row: impl FnMut(&Row<'_>) -> sql::Result<T>,
    ) -> Result<Vec<T>> {
        let with = |condition: &str| sql.replace("{which}", &format!("{column} {condition}"));
        Ok(match self {
            Which::Range(first, last) => {
                let mut params = before.to_vec();
                params.extend([Value::Int(*first), Value::Int(*last)]);
                tx.query(&with("BETWEEN ? AND ?"), &params, row)?
            }
            Which::Ids(ids) => tx.query_in(&with("IN ({in})"), before, ids, row)?,
        })
    }
}

fn read(tx: &mut Tx<'_>, found: Vec<(OrderId, Option<ImportId>)>, which: &Which) -> Result<Slice> {
    let ids: Vec<OrderId> = found.iter().map(|(id, _)| *id).collect();
    let heads = list_heads(tx, &ids)?.into_iter().zip(found);
    Ok(Slice {
        orders: heads.map(|(head, (_, import))| AuditedOrder { head, import }).collect(),
        lines: lines(tx, which)?,
        movements: movements(tx, which)?,
        events: events(tx, which)?,
        payments: payments(tx, which)?,
        refunds: refunds(tx, which)?,
        refund_lines: refund_lines(tx, which)?,
        notifications: notifications(tx, which)?,
    })
}

fn order(row: &Row<'_>) -> sql::Result<OrderId> {
    row.get(0).map(OrderId::from_ledger)
}

fn lines(tx: &mut Tx<'_>, which: &Which) -> Result<Vec<AuditedLine>> {
    let sql = "SELECT l.order_id, l.line_no, l.product_id, l.total, l.quantity, l.shipped, l.refunded, \
               l.refund_pending, p.tracked FROM order_lines l LEFT JOIN products p ON p.id = l.product_id \
               WHERE {which} ORDER BY l.order_id, l.line_no";
    which.rows(tx, (sql, "l.order_id"), &[], |row| {
        let units = LineUnits {
            quantity: row.get(4)?,
            shipped: row.get(5)?,
            refunded: row.get(6)?,
            refund_pending: row.get(7)?,
        };
        let product = ProductId::from_ledger(row.get(2)?);
        let line = Line { order: order(row)?, line_no: row.get(1)?, product, total: row.get(3)?, units };
        Ok(AuditedLine { line, tracked: row.get::<Option<bool>>(8)?.unwrap_or_default() })
    })
}

/// The movements of each of the three causes along its own key, then together by order.
fn movements(tx: &mut Tx<'_>, which: &Which) -> Result<Vec<AuditedMovement>> {
    let of_lines = "SELECT cause_id, cause_line, kind, product_id, quantity FROM stock_movements \
                    WHERE cause_kind = ? AND {which} ORDER BY cause_id, cause_line, kind";
    let of_shipments = "SELECT s.order_id, m.cause_line, m.kind, m.product_id, m.quantity FROM shipments s \
                        CROSS JOIN stock_movements m ON m.cause_kind = ? AND m.cause_id = s.id \
                        WHERE {which} ORDER BY s.order_id, s.id";
    let of_refunds = "SELECT r.order_id, m.cause_line, m.kind, m.product_id, m.quantity FROM refunds r \
                      CROSS JOIN stock_movements m ON m.cause_kind = ? AND m.cause_id = r.id \
                      WHERE {which} ORDER BY r.order_id, r.id";
    let mut all = Vec::new();
    for (cause, sql, column) in [
        (CauseKind::OrderLine, of_lines, "cause_id"),
        (CauseKind::ShipmentLine, of_shipments, "s.order_id"),
        (CauseKind::RefundLine, of_refunds, "r.order_id"),
    ] {
        all.extend(which.rows(tx, (sql, column), &[cause.code().into()], |row| {
            Ok(AuditedMovement {
                order: order(row)?,
                line_no: row.get(1)?,
                kind: rows::code(row, 2, "the kind of a movement", MovementKind::from_code)?,
                product: ProductId::from_ledger(row.get(3)?),
                quantity: row.get(4)?,
            })
        })?);
    }
    all.sort_by_key(|movement| movement.order);
    Ok(all)
}

fn events(tx: &mut Tx<'_>, which: &Which) -> Result<Vec<AuditedEvent>> {
    let sql = "SELECT order_id, version, kind, at, before_state, after_state FROM order_events \
               WHERE {which} ORDER BY order_id, version";
    which.rows(tx, (sql, "order_id"), &[], |row| {
        Ok(AuditedEvent {
            order: order(row)?,
            version: row.get(1)?,
            kind: rows::code(row, 2, "the kind of an event", EventKind::from_code)?,
            at: row.get(3)?,
            before: row.get(4)?,
            after: row.get(5)?,
        })
    })
}

fn payments(tx: &mut Tx<'_>, which: &Which) -> Result<Vec<AuditedPayment>> {
    let sql =
        "SELECT order_id, attempt, status, captured FROM payments WHERE {which} ORDER BY order_id, attempt";
    which.rows(tx, (sql, "order_id"), &[], |row| {
        Ok(AuditedPayment {
            order: order(row)?,
            attempt: row.get(1)?,
            status: rows::code(row, 2, "the status of a charge", ChargeStatus::from_code)?,
            captured: row.get(3)?,
        })
    })
}

fn refunds(tx: &mut Tx<'_>, which: &Which) -> Result<Vec<AuditedRefund>> {
    let sql = "SELECT order_id, id, amount, shipping, status, cause FROM refunds \
               WHERE {which} ORDER BY order_id, id";
    which.rows(tx, (sql, "order_id"), &[], |row| {
        Ok(AuditedRefund {
            order: order(row)?,
            id: RefundId::from_ledger(row.get(1)?),
            amount: row.get(2)?,
            shipping: row.get(3)?,
            status: rows::code(row, 4, "the status of a refund", RefundStatus::from_code)?,
            cause: rows::code(row, 5, "the cause of a refund", RefundCause::from_code)?,
        })
    })
}

fn refund_lines(tx: &mut Tx<'_>, which: &Which) -> Result<Vec<AuditedRefundLine>> {
    let sql = "SELECT r.order_id, l.refund_id, l.line_no, l.quantity, l.amount FROM refunds r \
               CROSS JOIN refund_lines l ON l.refund_id = r.id WHERE {which} ORDER BY r.order_id, r.id";
    which.rows(tx, (sql, "r.order_id"), &[], |row| {
        Ok(AuditedRefundLine {
            order: order(row)?,
            refund: RefundId::from_ledger(row.get(1)?),
            line_no: row.get(2)?,
            quantity: row.get(3)?,
            amount: row.get(4)?,
        })
    })
}

/// Reads what the unique index holds and nothing else: the rows themselves carry the words.
fn notifications(tx: &mut Tx<'_>, which: &Which) -> Result<Vec<AuditedNotification>> {
    let sql = "SELECT order_id, kind, cause, channel, recipient FROM notifications \
               WHERE {which} ORDER BY order_id, kind, cause, channel, recipient";
    let mut last = ((0, 0, 0, 0), String::new());
    which.rows(tx, (sql, "order_id"), &[], |row| {
        let key: (i64, i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let recipient = row.text(4)?;
        let repeated = last.0 == key && last.1 == recipient;
        last.0 = key;
        recipient.clone_into(&mut last.1);
        Ok(AuditedNotification {
            order: order(row)?,
            kind: rows::code(row, 1, "the kind of a notification", NotificationKind::from_code)?,
            cause: key.2,
            channel: rows::code(row, 3, "the channel of a notification", Channel::from_code)?,
            repeated,
        })
    })
}
