//! The webhook inbox: each event once, each delivery of it with its verdict.

use std::collections::HashSet;

use domain::{OrderId, Verdict};
use jiff::Timestamp;
use sql::{Conflict, Insert, Tx, Value};

use crate::customers::distinct;
use crate::{Result, rows};

/// An event whose signature passed.
#[derive(Debug, Clone, Copy)]
pub struct NewEvent<'a> {
    /// The sender's id for it, unique for ever.
    pub id: &'a str,
    /// Its type.
    pub kind: &'a str,
    /// The order it is about, where it is about one of ours.
    pub order: Option<OrderId>,
    /// As it came.
    pub body: &'a [u8],
}

/// What was done about a delivery.
#[derive(Debug, Clone)]
pub struct Delivery<'a> {
    /// The event, once its signature passed.
    pub event: Option<&'a str>,
    /// What was done.
    pub verdict: Verdict,
    /// Why.
    pub reason: Option<String>,
    /// The start of a body that was not genuine.
    pub body: Option<&'a [u8]>,
}

/// Which of these events are in the inbox already.
pub fn find_known(tx: &mut Tx<'_>, ids: &[&str]) -> Result<HashSet<String>> {
    let sql = "SELECT id FROM webhook_events WHERE id IN ({in})";
    Ok(tx.query_in(sql, &[], &distinct(ids.iter().copied()), |row| row.get(0))?.into_iter().collect())
}

/// Puts events into the inbox. One that is there already fails the transaction.
pub fn insert_events(tx: &mut Tx<'_>, events: &[NewEvent<'_>], at: Timestamp) -> Result<()> {
    let values: Vec<Value<'_>> = events
        .iter()
        .flat_map(|event| {
            [
                event.id.into(),
                event.kind.into(),
                event.order.map(OrderId::get).into(),
                at.into(),
                event.body.into(),
            ]
        })
        .collect();
    let columns = &["id", "kind", "order_id", "received_at", "body"];
    tx.insert_rows(&Insert { table: "webhook_events", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// Records deliveries.
pub fn insert_deliveries(tx: &mut Tx<'_>, deliveries: &[Delivery<'_>], at: Timestamp) -> Result<()> {
    let ids = tx.next_ids("webhook_deliveries", deliveries.len() as u64)?;
    let values: Vec<Value<'_>> = ids
        .zip(deliveries)
        .flat_map(|(id, delivery)| {
            [
                Value::Int(id),
                delivery.event.into(),
                at.into(),
                Value::Int(delivery.verdict.code()),
                delivery.reason.as_ref().into(),
                delivery.body.into(),
            ]
        })
        .collect();
    let columns = &["id", "event_id", "received_at", "verdict", "reason", "body"];
    tx.insert_rows(&Insert { table: "webhook_deliveries", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// How many deliveries got which verdict.
pub fn count_by_verdict(tx: &mut Tx<'_>) -> Result<Vec<(Verdict, i64)>> {
    let sql = "SELECT verdict, COUNT(*) FROM webhook_deliveries GROUP BY verdict ORDER BY verdict";
    Ok(tx.query(sql, &[], |row| {
        Ok((rows::code(row, 0, "the verdict of a delivery", Verdict::from_code)?, row.get(1)?))
    })?)
}
