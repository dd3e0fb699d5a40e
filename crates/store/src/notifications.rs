//! Notifications: recorded once per cause, recipient and channel, with how each attempt ended.

use domain::{Channel, NotificationId, NotificationKind, NotificationStatus, OrderId};
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Value};

use crate::{Error, Result, rows};

/// A notification to be recorded.
#[derive(Debug, Clone)]
pub struct NewNotification<'a> {
    /// Its id, from a reserved block.
    pub id: NotificationId,
    /// The order it tells of.
    pub order: OrderId,
    /// What it tells.
    pub kind: NotificationKind,
    /// What caused it within the order: the version of the event; a resend has a cause of its own.
    pub cause: i64,
    /// The way it goes out.
    pub channel: Channel,
    /// Where to; empty where nobody is known.
    pub recipient: &'a str,
    /// Queued, or skipped at once.
    pub status: NotificationStatus,
    /// Why it is skipped.
    pub error: Option<&'a str>,
    /// The notification that it repeats.
    pub resend_of: Option<NotificationId>,
}

/// A notification.
#[derive(Debug, Clone)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// The order it tells of.
    pub order: OrderId,
    /// What it tells.
    pub kind: NotificationKind,
    /// What caused it within the order.
    pub cause: i64,
    /// The way it goes out.
    pub channel: Channel,
    /// Where to.
    pub recipient: String,
    /// How far it got.
    pub status: NotificationStatus,
    /// Its subject, once rendered.
    pub subject: Option<String>,
    /// Its bodies, once rendered, packed by whoever rendered them.
    pub body: Option<Vec<u8>>,
    /// Attempts so far.
    pub attempts: i64,
    /// Whether it may have arrived twice.
    pub possible_duplicate: bool,
    /// Why the last attempt failed, or why it was skipped.
    pub error: Option<String>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was handed over.
    pub sent_at: Option<Timestamp>,
}

const COLUMNS: &[&str] = &[
    "id",
    "order_id",
    "kind",
    "cause",
    "channel",
    "recipient",
    "status",
    "error",
    "resend_of",
    "attempts",
    "possible_duplicate",
    "created_at",
];

/// Records notifications; one that is there for the same cause, recipient and channel fails the transaction.
pub fn insert(tx: &mut Tx<'_>, notifications: &[NewNotification<'_>], at: Timestamp) -> Result<()> {
    let mut values = Vec::with_capacity(notifications.len() * COLUMNS.len());
    for new in notifications {
        values.extend([
            Value::Int(new.id.get()),
            Value::Int(new.order.get()),
            Value::Int(new.kind.code()),
            Value::Int(new.cause),
            Value::Int(new.channel.code()),
            new.recipient.into(),
            Value::Int(new.status.code()),
            new.error.into(),
            new.resend_of.map(NotificationId::get).into(),
            Value::Int(0),
            Value::Int(0),
            at.into(),
        ]);
    }
    let into = Insert { table: "notifications", columns: COLUMNS, conflict: Conflict::Error };
    tx.insert_rows(&into, &values)?;
    Ok(())
}

const SELECT: &str = "SELECT id, order_id, kind, cause, channel, recipient, status, subject, body, attempts, \
    possible_duplicate, error, created_at, sent_at FROM notifications";

fn read(row: &Row<'_>) -> sql::Result<Notification> {
    Ok(Notification {
        id: NotificationId::from_ledger(row.get(0)?),
        order: OrderId::from_ledger(row.get(1)?),
        kind: rows::code(row, 2, "the kind of a notification", NotificationKind::from_code)?,
        cause: row.get(3)?,
        channel: rows::code(row, 4, "the channel of a notification", Channel::from_code)?,
        recipient: row.get(5)?,
        status: rows::code(row, 6, "the status of a notification", NotificationStatus::from_code)?,
        subject: row.get(7)?,
        body: row.get(8)?,
        attempts: row.get(9)?,
        possible_duplicate: row.get(10)?,
        error: row.get(11)?,
        created_at: row.get(12)?,
        sent_at: row.get(13)?,
    })
}

/// The notifications with these ids, in the order of ids.
pub fn list(tx: &mut Tx<'_>, ids: &[NotificationId]) -> Result<Vec<Notification>> {
    let sql = format!("{SELECT} WHERE id IN ({{in}}) ORDER BY id");
    Ok(tx.query_in(&sql, &[], &rows::keys(ids.iter().copied()), read)?)
}

/// The notification with this id.
pub fn get(tx: &mut Tx<'_>, id: NotificationId) -> Result<Notification> {
    list(tx, &[id])?.pop().ok_or_else(|| Error::missing("notification", id))
}

/// The notifications of an order, oldest first.
pub fn list_of_order(tx: &mut Tx<'_>, order: OrderId) -> Result<Vec<Notification>> {
    Ok(tx.query(&format!("{SELECT} WHERE order_id = ? ORDER BY id"), &[order.get().into()], read)?)
}

/// The newest notifications, those before `before`, at most `limit`.
pub fn list_newest(tx: &mut Tx<'_>, before: i64, limit: u32) -> Result<Vec<Notification>> {
    let sql = format!("{SELECT} WHERE id < ? ORDER BY id DESC LIMIT ?");
    Ok(tx.query(&sql, &[before.into(), limit.into()], read)?)
}

/// Claims notifications for an attempt, before anything is sent. What was claimed before and never ended is marked as
/// a possible duplicate.
pub fn mark_sending(tx: &mut Tx<'_>, ids: &[NotificationId], at: Timestamp) -> Result<()> {
    let sending = NotificationStatus::Sending.code();
    let sql = "UPDATE notifications SET possible_duplicate = CASE WHEN status = ? THEN 1 ELSE possible_duplicate END, \
               status = ?, attempts = attempts + 1, attempted_at = ? WHERE id IN ({in})";
    tx.execute_in(sql, &[sending.into(), sending.into(), at.into()], &rows::keys(ids.iter().copied()))?;
    Ok(())
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    /// The notification.
    pub id: NotificationId,
    /// How far it is now.
    pub status: NotificationStatus,
    /// As rendered.
    pub subject: &'a str,
    /// As rendered and packed.
    pub body: &'a [u8],
    /// Whether the attempt was not counted by [`mark_sending`].
    pub unclaimed: bool,
    /// Why it did not succeed.
    pub error: Option<&'a str>,
}

/// Records how attempts ended, with the words that were sent.
pub fn record_attempts(tx: &mut Tx<'_>, attempts: &[Attempt<'_>], at: Timestamp) -> Result<()> {
    let values: Vec<Value<'_>> = attempts
        .iter()
        .flat_map(|attempt| {
            let sent = (attempt.status == NotificationStatus::Sent).then_some(at);
            [
                Value::Int(attempt.status.code()),
                attempt.subject.into(),
                attempt.body.into(),
                Value::Int(i64::from(attempt.unclaimed)),
                attempt.error.into(),
                sent.into(),
                Value::Int(attempt.id.get()),
            ]
        })
        .collect();
    let sql = "UPDATE notifications SET status = ?, subject = ?, body = ?, attempts = attempts + ?, error = ?, \
               sent_at = ? WHERE id = ?";
    tx.execute_each(sql, 7, &values)?;
    let failures: Vec<Value<'_>> = attempts
        .iter()
        .filter(|attempt| attempt.error.is_some())
        .flat_map(|attempt| {
            [at.into(), attempt.status.as_str().into(), attempt.error.into(), Value::Int(attempt.id.get())]
        })
        .collect();
    let sql = "INSERT INTO notification_failures (notification_id, attempt, started_at, outcome, error) \
               SELECT id, attempts, ?, ?, ? FROM notifications WHERE id = ?";
    tx.execute_each(sql, 4, &failures)?;
    Ok(())
}

/// How many notifications stand how, by status.
pub fn count_by_status(tx: &mut Tx<'_>) -> Result<Vec<(NotificationStatus, i64)>> {
    Ok(tx.query(
        "SELECT status, COUNT(*) FROM notifications GROUP BY status ORDER BY status",
        &[],
        |row| {
            let status = rows::code(row, 0, "the status of a notification", NotificationStatus::from_code)?;
            Ok((status, row.get(1)?))
        },
    )?)
}
