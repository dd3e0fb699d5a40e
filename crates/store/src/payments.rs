//! Payments: the attempts to charge an order, and the deadlines of those that are open.

use domain::{ChargeStatus, Currency, Money, OrderId};
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Update, Value};

use crate::{Result, rows};

/// Which attempt of which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentRef {
    /// The order.
    pub order: OrderId,
    /// The attempt, from 1.
    pub attempt: i64,
}

/// An attempt to charge an order.
#[derive(Debug, Clone)]
pub struct Payment {
    /// Which.
    pub key: PaymentRef,
    /// Where it stands.
    pub status: ChargeStatus,
    /// What was asked for.
    pub amount: Money,
    /// What was captured.
    pub captured: i64,
    /// The gateway's name for it.
    pub reference: Option<String>,
    /// When to ask the gateway and give it up.
    pub deadline: Option<Timestamp>,
    /// Why it was declined.
    pub reason: Option<String>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it ended.
    pub decided_at: Option<Timestamp>,
}

const COLUMNS: &[&str] =
    &["order_id", "attempt", "status", "amount", "currency", "captured", "created_at", "imported"];

/// Records the intent to charge orders.
pub fn insert_requested(tx: &mut Tx<'_>, payments: &[(PaymentRef, Money)], at: Timestamp) -> Result<()> {
    let values: Vec<Value<'_>> = payments
        .iter()
        .flat_map(|(key, amount)| {
            [
                Value::Int(key.order.get()),
                Value::Int(key.attempt),
                Value::Int(ChargeStatus::Requested.code()),
                Value::Int(amount.amount),
                amount.currency.code().into(),
                Value::Int(0),
                at.into(),
                Value::Int(0),
            ]
        })
        .collect();
    let into = Insert { table: "payments", columns: COLUMNS, conflict: Conflict::Error };
    tx.insert_rows(&into, &values)?;
    Ok(())
}

/// Records payments that a historical order brings along.
pub fn insert_imported(tx: &mut Tx<'_>, payments: &[(OrderId, Money, Timestamp)]) -> Result<()> {
    let values: Vec<Value<'_>> = payments
        .iter()
        .flat_map(|(order, money, at)| {
            [
                Value::Int(order.get()),
                Value::Int(1),
                Value::Int(ChargeStatus::Captured.code()),
                Value::Int(money.amount),
                money.currency.code().into(),
                Value::Int(money.amount),
                (*at).into(),
                Value::Int(1),
            ]
        })
        .collect();
    tx.insert_rows(&Insert { table: "payments", columns: COLUMNS, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// What the gateway answered to a charge.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// Which attempt.
    pub key: PaymentRef,
    /// The gateway's name for it.
    pub reference: String,
    /// When to ask the gateway and give it up.
    pub deadline: Timestamp,
}

/// Marks attempts as accepted, with the deadline that is watched.
pub fn mark_accepted(tx: &mut Tx<'_>, accepted: &[Acceptance]) -> Result<()> {
    let mut marks = Vec::with_capacity(accepted.len() * 5);
    let mut deadlines = Vec::with_capacity(accepted.len() * 3);
    for Acceptance { key, reference, deadline } in accepted {
        let (order, attempt) = (Value::Int(key.order.get()), Value::Int(key.attempt));
        marks.extend([
            Value::Int(ChargeStatus::Accepted.code()),
            reference.into(),
            (*deadline).into(),
            order.clone(),
            attempt.clone(),
        ]);
        deadlines.extend([(*deadline).into(), order, attempt]);
    }
    let update = Update {
        table: "payments",
        columns: &["status", "reference", "deadline", "order_id", "attempt"],
        key: &["order_id", "attempt"],
        only_if: "",
        set: &["status = new.status", "reference = new.reference", "deadline = new.deadline"],
    };
    rows::update_in_turns(tx, &update, accepted.iter().map(|one| one.key), &marks)?;
    let columns = &["deadline", "order_id", "attempt"];
    tx.insert_rows(&Insert { table: "payment_deadlines", columns, conflict: Conflict::Ignore }, &deadlines)?;
    Ok(())
}

/// The end of an attempt.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Which attempt.
    pub key: PaymentRef,
    /// Captured, declined or voided.
    pub status: ChargeStatus,
    /// Minor units captured.
    pub captured: i64,
    /// The gateway's name for it.
    pub reference: Option<String>,
    /// Why it was declined or voided.
    pub reason: Option<String>,
    /// Its deadline, if one is watched.
    pub deadline: Option<Timestamp>,
}

/// Marks attempts as decided; their deadlines are watched no more.
pub fn mark_decided(tx: &mut Tx<'_>, decisions: &[Decision], at: Timestamp) -> Result<()> {
    let mut marks = Vec::with_capacity(decisions.len() * 7);
    let mut watched = Vec::new();
    for decision in decisions {
        let (order, attempt) = (Value::Int(decision.key.order.get()), Value::Int(decision.key.attempt));
        marks.extend([
            Value::Int(decision.status.code()),
            Value::Int(decision.captured),
            decision.reference.as_ref().into(),
            decision.reason.as_ref().into(),
            at.into(),
            order.clone(),
            attempt.clone(),
        ]);
        if let Some(deadline) = decision.deadline {
            watched.extend([deadline.into(), order, attempt]);
        }
    }
    let update = Update {
        table: "payments",
        columns: &["status", "captured", "reference", "reason", "decided_at", "order_id", "attempt"],
        key: &["order_id", "attempt"],
        only_if: "",
        set: &[
            "status = new.status",
            "captured = captured + new.captured",
            "reference = COALESCE(new.reference, reference)",
            "reason = new.reason",
            "decided_at = new.decided_at",
        ],
    };
    rows::update_in_turns(tx, &update, decisions.iter().map(|decision| decision.key), &marks)?;
    tx.delete_rows("payment_deadlines", &["deadline", "order_id", "attempt"], &watched)?;
    Ok(())
}

const SELECT: &str = "SELECT order_id, attempt, status, amount, currency, captured, reference, deadline, reason, created_at, decided_at FROM payments";

/// The attempts of orders, in the order of orders and attempts.
pub fn list(tx: &mut Tx<'_>, orders: &[OrderId]) -> Result<Vec<Payment>> {
    let sql = format!("{SELECT} WHERE order_id IN ({{in}}) ORDER BY order_id, attempt");
    Ok(tx.query_in(&sql, &[], &rows::keys(orders.iter().copied()), read)?)
}

/// Up to `limit` open attempts whose deadline has passed, the oldest first.
pub fn list_overdue(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<Vec<PaymentRef>> {
    let sql = "SELECT order_id, attempt FROM payment_deadlines WHERE deadline <= ? ORDER BY deadline LIMIT ?";
    Ok(tx.query(sql, &[now.into(), limit.into()], |row| {
        Ok(PaymentRef { order: OrderId::from_ledger(row.get(0)?), attempt: row.get(1)? })
    })?)
}

/// Moves the deadlines of attempts that are still watched.
pub fn postpone(tx: &mut Tx<'_>, attempts: &[PaymentRef], until: Timestamp) -> Result<()> {
    let orders: Vec<OrderId> = attempts.iter().map(|attempt| attempt.order).collect();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for Payment { key, deadline, status, .. } in list(tx, &orders)? {
        if let (Some(deadline), true) = (deadline, status.is_open() && attempts.contains(&key)) {
            before.extend([Value::from(deadline), Value::Int(key.order.get()), Value::Int(key.attempt)]);
            after.extend([until.into(), Value::Int(key.order.get()), Value::Int(key.attempt)]);
        }
    }
    let columns = &["deadline", "order_id", "attempt"];
    let (key, set) = (&["order_id", "attempt"], &["deadline = new.deadline"]);
    tx.update_rows(&Update { table: "payments", columns, key, only_if: "", set }, &after)?;
    tx.delete_rows("payment_deadlines", columns, &before)?;
    tx.insert_rows(&Insert { table: "payment_deadlines", columns, conflict: Conflict::Ignore }, &after)?;
    Ok(())
}

/// When the next deadline of an open attempt passes.
pub fn next_deadline(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    Ok(tx.query_opt("SELECT deadline FROM payment_deadlines ORDER BY deadline LIMIT 1", &[], |row| {
        row.get(0)
    })?)
}

/// Whether an attempt is open anywhere.
pub fn any_open(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(next_deadline(tx)?.is_some())
}

fn read(row: &Row<'_>) -> sql::Result<Payment> {
    let currency: Currency = rows::currency(row, 4)?;
    Ok(Payment {
        key: PaymentRef { order: OrderId::from_ledger(row.get(0)?), attempt: row.get(1)? },
        status: rows::code(row, 2, "the status of a charge", ChargeStatus::from_code)?,
        amount: Money { amount: row.get(3)?, currency },
        captured: row.get(5)?,
        reference: row.get(6)?,
        deadline: row.get(7)?,
        reason: row.get(8)?,
        created_at: row.get(9)?,
        decided_at: row.get(10)?,
    })
}
