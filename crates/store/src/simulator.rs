//! What the simulated gateway remembers when it runs in this process: its charges and refunds.

use std::collections::{BTreeMap, HashMap};

use domain::Money;
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Update, Value};

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

/// The gateway's names for the charges with these keys, as far as they were made.
pub fn find_references(tx: &mut Tx<'_>, keys: &[&str]) -> Result<HashMap<String, String>> {
    let sql = "SELECT charge_key, reference FROM simulated_charges WHERE charge_key IN ({in})";
    let keys = distinct(keys.iter().copied());
    let made = tx.query_unlikely_in(sql, &[], &keys, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(made.into_iter().collect())
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

/// Money of a charge that goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund<'a> {
    /// The shop's key for it.
    pub key: &'a str,
    /// The charge.
    pub charge_key: &'a str,
    /// The gateway's name for it.
    pub reference: String,
    /// How much, in minor units.
    pub amount: i64,
}

/// The gateway's names for the refunds with these keys, as far as they were made.
pub fn find_refunds(tx: &mut Tx<'_>, keys: &[&str]) -> Result<HashMap<String, String>> {
    let sql = "SELECT refund_key, reference FROM simulated_refunds WHERE refund_key IN ({in})";
    let keys = distinct(keys.iter().copied());
    let made = tx.query_unlikely_in(sql, &[], &keys, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(made.into_iter().collect())
}

/// Gives money of charges back.
pub fn insert_refunds(tx: &mut Tx<'_>, refunds: &[Refund<'_>], at: Timestamp) -> Result<()> {
    let columns = &["refund_key", "charge_key", "reference", "amount", "created_at"];
    let mut values = Vec::with_capacity(refunds.len() * columns.len());
    let mut of_charge: BTreeMap<&str, i64> = BTreeMap::new();
    for refund in refunds {
        let Refund { key, charge_key, reference, amount } = refund;
        values.extend([(*key).into(), (*charge_key).into(), reference.into(), (*amount).into(), at.into()]);
        *of_charge.entry(charge_key).or_default() += amount;
    }
    tx.insert_rows(&Insert { table: "simulated_refunds", columns, conflict: Conflict::Error }, &values)?;
    let update = Update {
        table: "simulated_charges",
        columns: &["charge_key", "amount"],
        key: &["charge_key"],
        only_if: "",
        set: &["refunded = refunded + new.amount"],
    };
    let values: Vec<Value<'_>> =
        of_charge.into_iter().flat_map(|(charge, amount)| [charge.into(), amount.into()]).collect();
    tx.update_rows(&update, &values)?;
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
