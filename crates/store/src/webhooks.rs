//! The webhook inbox: each event once, each delivery of it with its verdict.

use std::collections::HashSet;

use domain::{OrderId, Verdict, WebhookId};
use jiff::Timestamp;
use sql::{Conflict, Insert, Tx, Value};

use crate::customers::distinct;
use crate::walk::{Part, walk};
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
    /// The order it is about, where it is about one of ours.
    pub order: Option<OrderId>,
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
    let ids = distinct(ids.iter().copied());
    Ok(tx.query_unlikely_in(sql, &[], &ids, |row| row.get(0))?.into_iter().collect())
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
                delivery.order.map(OrderId::get).into(),
            ]
        })
        .collect();
    let columns = &["id", "event_id", "received_at", "verdict", "reason", "body", "order_id"];
    tx.insert_rows(&Insert { table: "webhook_deliveries", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// A delivery as the inbox shows it.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct DeliveryRow {
    /// Our id; later deliveries have higher ones.
    pub id: WebhookId,
    /// The sender's id of the event, once its signature passed.
    pub event: Option<String>,
    /// The event's type, where it is in the inbox.
    pub kind: Option<String>,
    /// The order it is about, where it is about one of ours.
    pub order_id: Option<i64>,
    /// When it came.
    pub received_at: Timestamp,
    /// What was done.
    pub verdict: Verdict,
    /// Why.
    pub reason: Option<String>,
}

/// A delivery with the type of its event.
macro_rules! selected {
    ($which:literal) => {
        concat!(
            "SELECT d.id, d.event_id, e.kind, d.order_id, d.received_at, d.verdict, d.reason FROM webhook_deliveries d \
             LEFT JOIN webhook_events e ON e.id = d.event_id ",
            $which
        )
    };
}

pub(crate) const NEWEST: &str = selected!("WHERE d.id < ? ORDER BY d.id DESC LIMIT ?");
pub(crate) const OF_ORDER: &str = selected!("WHERE d.order_id = ? ORDER BY d.id LIMIT ?");

/// What was delivered about an order, oldest first, at most `limit`.
pub fn list_of_order(tx: &mut Tx<'_>, order: OrderId, limit: u32) -> Result<Vec<DeliveryRow>> {
    Ok(tx.query(OF_ORDER, &[order.get().into(), limit.into()], read_delivery)?)
}

/// Deliveries, newest first, before `before`; with a verdict only those that got it.
pub fn search_deliveries(
    tx: &mut Tx<'_>,
    verdict: Option<Verdict>,
    before: Option<WebhookId>,
    limit: u32,
) -> Result<Part<DeliveryRow, WebhookId>> {
    let read = |tx: &mut Tx<'_>, after: Option<WebhookId>, count: u32| {
        let params = [after.map_or(i64::MAX, WebhookId::get).into(), count.into()];
        Ok(tx.query(NEWEST, &params, read_delivery)?.into_iter().map(|one| (one.id, one)).collect())
    };
    let keep = verdict.map(|verdict| {
        move |_: &mut Tx<'_>, mut rows: Vec<(WebhookId, DeliveryRow)>| {
            rows.retain(|(_, one)| one.verdict == verdict);
            Ok(rows)
        }
    });
    walk(tx, (before, limit), read, keep)
}

fn read_delivery(row: &sql::Row<'_>) -> sql::Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: WebhookId::from_ledger(row.get(0)?),
        event: row.get(1)?,
        kind: row.get(2)?,
        order_id: row.get(3)?,
        received_at: row.get(4)?,
        verdict: rows::code(row, 5, "the verdict of a delivery", Verdict::from_code)?,
        reason: row.get(6)?,
    })
}

/// How many deliveries got which verdict.
pub fn count_by_verdict(tx: &mut Tx<'_>) -> Result<Vec<(Verdict, i64)>> {
    let sql = "SELECT verdict, COUNT(*) FROM webhook_deliveries GROUP BY verdict ORDER BY verdict";
    Ok(tx.query(sql, &[], |row| {
        Ok((rows::code(row, 0, "the verdict of a delivery", Verdict::from_code)?, row.get(1)?))
    })?)
}
