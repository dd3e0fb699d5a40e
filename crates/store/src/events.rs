//! The timeline of an order: one event per version, append-only.

use domain::{EventKind, FulfilmentStatus, OrderId, OrderState, OrderStatus, PaymentStatus};
use jiff::Timestamp;
use sql::{Conflict, Insert, Tx, Value};

use crate::{Result, order_feed, rows};

/// The three statuses of an order as one number, for the timeline: `status × 100 + payment × 10 + fulfilment`.
pub fn state_code(state: &OrderState) -> i64 {
    state.status.code() * 100 + state.payment.code() * 10 + state.fulfilment.code()
}

/// The three statuses that [`state_code`] made one number of.
pub fn statuses_of(code: i64) -> Option<(OrderStatus, PaymentStatus, FulfilmentStatus)> {
    Some((
        OrderStatus::from_code(code / 100)?,
        PaymentStatus::from_code(code / 10 % 10)?,
        FulfilmentStatus::from_code(code % 10)?,
    ))
}

/// An event to be appended.
#[derive(Debug, Clone)]
pub struct NewEvent<'a> {
    /// The order.
    pub order: OrderId,
    /// The version that the event led to.
    pub version: i64,
    /// What happened.
    pub kind: EventKind,
    /// [`state_code`] before; none when the order was placed.
    pub before: Option<i64>,
    /// [`state_code`] after.
    pub after: i64,
    /// JSON with what belongs to the event.
    pub data: Option<&'a str>,
}

const COLUMNS: &[&str] =
    &["order_id", "version", "kind", "at", "actor", "before_state", "after_state", "data"];

/// Appends events, and tells whoever listens; two for one version of an order are refused by the database.
pub fn insert(tx: &mut Tx<'_>, events: &[NewEvent<'_>], actor: &str, at: Timestamp) -> Result<()> {
    let mut values = Vec::with_capacity(events.len() * COLUMNS.len());
    for event in events {
        values.extend([
            Value::Int(event.order.get()),
            Value::Int(event.version),
            Value::Int(event.kind.code()),
            at.into(),
            actor.into(),
            event.before.into(),
            Value::Int(event.after),
            event.data.into(),
        ]);
    }
    tx.insert_rows(&Insert { table: "order_events", columns: COLUMNS, conflict: Conflict::Error }, &values)?;
    order_feed::tell(tx, events, at)
}

/// An event as it was recorded.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Event {
    /// The version that it led to.
    pub version: i64,
    /// What happened.
    #[schemars(with = "EventKind")]
    pub kind: &'static str,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: String,
    /// What belongs to it.
    pub data: Option<serde_json::Value>,
}

/// The timeline of an order, oldest first.
pub fn list(tx: &mut Tx<'_>, order: OrderId) -> Result<Vec<Event>> {
    let sql = "SELECT version, kind, at, actor, data FROM order_events WHERE order_id = ? ORDER BY version";
    Ok(tx.query(sql, &[order.get().into()], |row| {
        let data = row.get::<Option<String>>(4)?;
        Ok(Event {
            version: row.get(0)?,
            kind: rows::code(row, 1, "the kind of an event", EventKind::from_code)?.as_str(),
            at: row.get(2)?,
            actor: row.get(3)?,
            data: data.and_then(|text| serde_json::from_str(&text).ok()),
        })
    })?)
}
