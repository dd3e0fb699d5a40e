//! What the simulated gateway remembers when it runs in this process: its charges and refunds.

use std::collections::HashMap;

use domain::Money;
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Value};

use crate::customers::distinct;
use crate::{Result, rows};

/// A charge of the simulated gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The shop's key for it.
    pub key: String,
    /// The gateway's name for it.
    pub reference: String,
    /// What is charged.
    pub amount: Money,
    /// How it ends, in the simulator's own code.
    pub outcome: i64,
    /// When it ends.
    pub due_at: Timestamp,
    /// When the shop called it off.
    pub voided_at: Option<Timestamp>,
    /// What went back.
    pub refunded: i64,
}

const COLUMNS: &[&str] =
    &["charge_key", "reference", "amount", "currency", "outcome", "due_at", "refunded", "created_at"];

/// The charges with these keys.
pub fn find_charges(tx: &mut Tx<'_>, keys: &[&str]) -> Result<HashMap<String, Charge>> {
    let sql = "SELECT charge_key, reference, amount, currency, outcome, due_at, voided_at, refunded \
               FROM simulated_charges WHERE charge_key IN ({in})";
    let charges = tx.query_in(sql, &[], &distinct(keys.iter().copied()), read)?;
    Ok(charges.into_iter().map(|charge| (charge.key.clone(), charge)).collect())
}

/// Remembers charges.
pub fn insert_charges(tx: &mut Tx<'_>, charges: &[Charge], at: Timestamp) -> Result<()> {
    let values: Vec<Value<'_>> = charges
        .iter()
        .flat_map(|charge| {
            [
                (&charge.key).into(),
                (&charge.reference).into(),
                Value::Int(charge.amount.amount),
                charge.amount.currency.code().into(),
                Value::Int(charge.outcome),
                charge.due_at.into(),
                Value::Int(0),
                at.into(),
            ]
        })
        .collect();
    let into = Insert { table: "simulated_charges", columns: COLUMNS, conflict: Conflict::Error };
    tx.insert_rows(&into, &values)?;
    Ok(())
}

/// Marks charges as voided that are not.
pub fn mark_voided(tx: &mut Tx<'_>, keys: &[&str], at: Timestamp) -> Result<()> {
    let sql = "UPDATE simulated_charges SET voided_at = ? WHERE voided_at IS NULL AND charge_key IN ({in})";
    tx.execute_in(sql, &[at.into()], &distinct(keys.iter().copied()))?;
    Ok(())
}

/// The gateway's name for the refund with this key, where it was made.
pub fn find_refund(tx: &mut Tx<'_>, key: &str) -> Result<Option<String>> {
    let sql = "SELECT reference FROM simulated_refunds WHERE refund_key = ?";
    Ok(tx.query_opt(sql, &[key.into()], |row| row.get(0))?)
}

/// Gives money of a charge back.
pub fn insert_refund(
    tx: &mut Tx<'_>,
    key: &str,
    charge_key: &str,
    reference: &str,
    amount: i64,
    at: Timestamp,
) -> Result<()> {
    let columns = &["refund_key", "charge_key", "reference", "amount", "created_at"];
    let values = [key.into(), charge_key.into(), reference.into(), Value::Int(amount), at.into()];
    tx.insert_rows(&Insert { table: "simulated_refunds", columns, conflict: Conflict::Error }, &values)?;
    let sql = "UPDATE simulated_charges SET refunded = refunded + ? WHERE charge_key = ?";
    tx.execute(sql, &[amount.into(), charge_key.into()])?;
    Ok(())
}

fn read(row: &Row<'_>) -> sql::Result<Charge> {
    Ok(Charge {
        key: row.get(0)?,
        reference: row.get(1)?,
        amount: Money { amount: row.get(2)?, currency: rows::currency(row, 3)? },
        outcome: row.get(4)?,
        due_at: row.get(5)?,
        voided_at: row.get(6)?,
        refunded: row.get(7)?,
    })
}
