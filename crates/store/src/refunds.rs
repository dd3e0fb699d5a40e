//! Refunds and their lines.

use domain::{Money, OrderId, ProductId, RefundCause, RefundId, RefundStatus};
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Update, Value};

use crate::walk::{Part, walk};
use crate::{Error, Result, rows};

/// A refund to be recorded, its money and units counted as pending by the same transaction.
#[derive(Debug, Clone)]
pub struct NewRefund<'a> {
    /// Its id, from a reserved block.
    pub id: RefundId,
    /// Whose keys these are.
    pub account: &'a str,
    /// Unique for the account, for ever.
    pub key: &'a str,
    /// Tells whether another request with the key asks for the same.
    pub request_hash: &'a [u8],
    /// The order.
    pub order: OrderId,
    /// The attempt whose money goes back, where it is a certain one.
    pub payment_attempt: Option<i64>,
    /// What goes back.
    pub amount: Money,
    /// The part of it that is for no line.
    pub shipping: i64,
    /// Why it was made.
    pub cause: RefundCause,
    /// Whether goods that were shipped come back into stock.
    pub restock: bool,
    /// In a person's words.
    pub reason: Option<&'a str>,
    /// Who asked.
    pub actor: &'a str,
    /// Its lines.
    pub lines: Vec<RefundLine>,
}

impl NewRefund<'_> {
    /// The refund as it is read once it was asked for at `at`.
    pub fn requested(&self, at: Timestamp) -> Refund {
        let micros = at.as_microsecond();
        Refund {
            id: self.id,
            account: self.account.to_owned(),
            key: self.key.to_owned(),
            request_hash: self.request_hash.to_vec(),
            order: self.order,
            payment_attempt: self.payment_attempt,
            amount: self.amount,
            shipping: self.shipping,
            status: RefundStatus::Requested,
            cause: self.cause,
            reason: self.reason.map(str::to_owned),
            actor: self.actor.to_owned(),
            reference: None,
            error: None,
            requested_at: Timestamp::from_microsecond(micros).unwrap_or(at),
            settled_at: None,
        }
    }
}

/// A line of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundLine {
    /// Number of the line within the order.
    pub line_no: i64,
    /// What was sold.
    pub product: ProductId,
    /// Units.
    pub quantity: i64,
    /// Minor units.
    pub amount: i64,
    /// Whether they come back into stock.
    pub restock: bool,
}

/// A refund.
#[derive(Debug, Clone)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// Whose key it has.
    pub account: String,
    /// Its key.
    pub key: String,
    /// Tells whether another request with the key asks for the same.
    pub request_hash: Vec<u8>,
    /// The order.
    pub order: OrderId,
    /// The attempt whose money goes back, where it is a certain one.
    pub payment_attempt: Option<i64>,
    /// What goes back.
    pub amount: Money,
    /// The part of it that is for no line.
    pub shipping: i64,
    /// Where it stands.
    pub status: RefundStatus,
    /// Why it was made.
    pub cause: RefundCause,
    /// In a person's words.
    pub reason: Option<String>,
    /// Who asked.
    pub actor: String,
    /// The gateway's name for it.
    pub reference: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it succeeded or failed.
    pub settled_at: Option<Timestamp>,
}

const COLUMNS: &[&str] = &[
    "id",
    "account",
    "refund_key",
    "request_hash",
    "order_id",
    "payment_attempt",
    "amount",
    "shipping",
    "currency",
    "status",
    "cause",
    "restock",
    "surplus",
    "reason",
    "actor",
    "requested_at",
    "settled_at",
    "imported",
];
const LINE_COLUMNS: &[&str] = &["refund_id", "line_no", "product_id", "quantity", "amount", "restock"];

/// Records refunds as requested.
pub fn insert(tx: &mut Tx<'_>, refunds: &[NewRefund<'_>], at: Timestamp) -> Result<()> {
    insert_as(tx, refunds, at, RefundStatus::Requested, false)
}

/// Records refunds that historical orders bring along, as succeeded at `at`.
pub fn insert_imported(tx: &mut Tx<'_>, refunds: &[NewRefund<'_>], at: Timestamp) -> Result<()> {
    insert_as(tx, refunds, at, RefundStatus::Succeeded, true)
}

fn insert_as(
    tx: &mut Tx<'_>,
    refunds: &[NewRefund<'_>],
    at: Timestamp,
    status: RefundStatus,
    imported: bool,
) -> Result<()> {
    let mut values = Vec::with_capacity(refunds.len() * COLUMNS.len());
    let mut lines = Vec::new();
    for refund in refunds {
        values.extend([
            Value::Int(refund.id.get()),
            refund.account.into(),
            refund.key.into(),
            refund.request_hash.into(),
            Value::Int(refund.order.get()),
            refund.payment_attempt.into(),
            Value::Int(refund.amount.amount),
            Value::Int(refund.shipping),
            refund.amount.currency.code().into(),
            Value::Int(status.code()),
            Value::Int(refund.cause.code()),
            refund.restock.into(),
            (refund.cause == RefundCause::Surplus).into(),
            refund.reason.into(),
            refund.actor.into(),
            at.into(),
            status.is_final().then_some(at).into(),
            imported.into(),
        ]);
        for line in &refund.lines {
            lines.extend([
                Value::Int(refund.id.get()),
                Value::Int(line.line_no),
                Value::Int(line.product.get()),
                Value::Int(line.quantity),
                Value::Int(line.amount),
                line.restock.into(),
            ]);
        }
    }
    tx.insert_rows(&Insert { table: "refunds", columns: COLUMNS, conflict: Conflict::Error }, &values)?;
    let into = Insert { table: "refund_lines", columns: LINE_COLUMNS, conflict: Conflict::Error };
    tx.insert_rows(&into, &lines)?;
    Ok(())
}

const SELECT: &str = "SELECT id, account, refund_key, request_hash, order_id, payment_attempt, amount, shipping, \
    currency, status, cause, reason, actor, reference, error, requested_at, settled_at FROM refunds";

fn read(row: &Row<'_>) -> sql::Result<Refund> {
    Ok(Refund {
        id: RefundId::from_ledger(row.get(0)?),
        account: row.get(1)?,
        key: row.get(2)?,
        request_hash: row.get(3)?,
        order: OrderId::from_ledger(row.get(4)?),
        payment_attempt: row.get(5)?,
        amount: Money { amount: row.get(6)?, currency: rows::currency(row, 8)? },
        shipping: row.get(7)?,
        status: rows::code(row, 9, "the status of a refund", RefundStatus::from_code)?,
        cause: rows::code(row, 10, "the cause of a refund", RefundCause::from_code)?,
        reason: row.get(11)?,
        actor: row.get(12)?,
        reference: row.get(13)?,
        error: row.get(14)?,
        requested_at: row.get(15)?,
        settled_at: row.get(16)?,
    })
}

/// The refund with this key.
pub fn find_by_key(tx: &mut Tx<'_>, account: &str, key: &str) -> Result<Option<Refund>> {
    let sql = format!("{SELECT} WHERE account = ? AND refund_key = ?");
    Ok(tx.query_opt(&sql, &[account.into(), key.into()], read)?)
}

/// The refund with this id.
pub fn get(tx: &mut Tx<'_>, id: RefundId) -> Result<Refund> {
    list(tx, &[id])?.pop().ok_or_else(|| Error::missing("refund", id))
}

/// The refunds with these ids, in the order of ids.
pub fn list(tx: &mut Tx<'_>, ids: &[RefundId]) -> Result<Vec<Refund>> {
    let sql = format!("{SELECT} WHERE id IN ({{in}}) ORDER BY id");
    Ok(tx.query_in(&sql, &[], &rows::keys(ids.iter().copied()), read)?)
}

/// The refunds of an order, oldest first.
pub fn list_of_order(tx: &mut Tx<'_>, order: OrderId) -> Result<Vec<Refund>> {
    Ok(tx.query(&format!("{SELECT} WHERE order_id = ? ORDER BY id"), &[order.get().into()], read)?)
}

/// Refunds, newest first, before `before`: of an order, or of all, and with a status only those that have it.
pub fn search(
    tx: &mut Tx<'_>,
    order: Option<OrderId>,
    status: Option<RefundStatus>,
    before: Option<RefundId>,
    limit: u32,
) -> Result<Part<Refund, RefundId>> {
    let sql = newest(order.is_some());
    let read = |tx: &mut Tx<'_>, after: Option<RefundId>, count: u32| {
        let mut params: Vec<Value<'_>> = order.map(|order| order.get().into()).into_iter().collect();
        params.extend([after.map_or(i64::MAX, RefundId::get).into(), count.into()]);
        Ok(tx.query(&sql, &params, read)?.into_iter().map(|refund| (refund.id, refund)).collect())
    };
    let keep = status.map(|status| {
        move |_: &mut Tx<'_>, mut rows: Vec<(RefundId, Refund)>| {
            rows.retain(|(_, refund)| refund.status == status);
            Ok(rows)
        }
    });
    walk(tx, (before, limit), read, keep)
}

/// The statement that goes on with refunds, newest first.
pub(crate) fn newest(of_order: bool) -> String {
    let order = if of_order { "order_id = ? AND " } else { "" };
    format!("{SELECT} WHERE {order}id < ? ORDER BY id DESC LIMIT ?")
}

/// The lines of refunds, each with its refund, in the order of refunds and lines.
pub fn list_lines(tx: &mut Tx<'_>, refunds: &[RefundId]) -> Result<Vec<(RefundId, RefundLine)>> {
    let sql = "SELECT refund_id, line_no, product_id, quantity, amount, restock FROM refund_lines \
               WHERE refund_id IN ({in}) ORDER BY refund_id, line_no";
    Ok(tx.query_in(sql, &[], &rows::keys(refunds.iter().copied()), |row| {
        let line = RefundLine {
            line_no: row.get(1)?,
            product: ProductId::from_ledger(row.get(2)?),
            quantity: row.get(3)?,
            amount: row.get(4)?,
            restock: row.get(5)?,
        };
        Ok((RefundId::from_ledger(row.get(0)?), line))
    })?)
}

/// Marks refunds as being carried out.
pub fn mark_processing(tx: &mut Tx<'_>, ids: &[RefundId]) -> Result<()> {
    let before = [RefundStatus::Processing.code().into(), RefundStatus::Requested.code().into()];
    let sql = "UPDATE refunds SET status = ? WHERE status = ? AND id IN ({in})";
    tx.execute_in(sql, &before, &rows::keys(ids.iter().copied()))?;
    Ok(())
}

/// Settles refunds that are not settled.
pub fn mark_settled(
    tx: &mut Tx<'_>,
    settled: &[(RefundId, Result<String, String>)],
    at: Timestamp,
) -> Result<()> {
    let values: Vec<Value<'_>> = settled
        .iter()
        .flat_map(|(id, outcome)| {
            let (status, reference, error) = match outcome {
                Ok(reference) => (RefundStatus::Succeeded, Some(reference), None),
                Err(error) => (RefundStatus::Failed, None, Some(error)),
            };
            [Value::Int(id.get()), Value::Int(status.code()), reference.into(), error.into(), at.into()]
        })
        .collect();
    let update = Update {
        table: "refunds",
        columns: &["id", "status", "reference", "error", "settled_at"],
        key: &["id"],
        only_if: &format!("status <= {}", RefundStatus::Processing.code()),
        set: &[
            "status = new.status",
            "reference = new.reference",
            "error = new.error",
            "settled_at = new.settled_at",
        ],
    };
    Ok(tx.update_rows(&update, &values)?)
}
