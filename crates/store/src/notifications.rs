//! Notifications: recorded once per cause, recipient and channel, with how each attempt ended.

mod attempts;
mod matter;

pub use attempts::{
    Attempt, Failure, FailureKind, FailureRow, Standing, list_failures, lock, mark_interrupted, mark_sending,
    record_attempts,
};
pub use matter::{Matter, MatterLine, list_lines, list_matters, list_parcel_lines};

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
    /// What caused it within the order: the version of the event; a resend has a cause of its own, below zero.
    pub cause: i64,
    /// The way it goes out.
    pub channel: Channel,
    /// Where to; empty where nobody is known.
    pub recipient: &'a str,
    /// Queued, or skipped at once.
    pub status: NotificationStatus,
    /// Why it is skipped.
    pub error: Option<&'a str>,
    /// The notification that it repeats: never itself a resend.
    pub resend_of: Option<NotificationId>,
}

/// A notification, without its words.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
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
    /// Attempts so far.
    pub attempts: i64,
    /// Whether it may have arrived twice.
    pub possible_duplicate: bool,
    /// Why the last attempt failed, or why it was skipped.
    pub error: Option<String>,
    /// The notification that it repeats.
    pub resend_of: Option<NotificationId>,
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

const SELECT: &str = "SELECT id, order_id, kind, cause, channel, recipient, status, subject, attempts, \
    possible_duplicate, error, resend_of, created_at, sent_at FROM notifications";

fn read(row: &Row<'_>) -> sql::Result<Notification> {
    Ok(Notification {
        id: NotificationId::from_ledger(row.get(0)?),
        order: OrderId::from_ledger(row.get(1)?),
        kind: kind(row, 2)?,
        cause: row.get(3)?,
        channel: channel(row, 4)?,
        recipient: row.get(5)?,
        status: status(row, 6)?,
        subject: row.get(7)?,
        attempts: row.get(8)?,
        possible_duplicate: row.get(9)?,
        error: row.get(10)?,
        resend_of: row.get::<Option<i64>>(11)?.map(NotificationId::from_ledger),
        created_at: row.get(12)?,
        sent_at: row.get(13)?,
    })
}

fn kind(row: &Row<'_>, column: usize) -> sql::Result<NotificationKind> {
    rows::code(row, column, "the kind of a notification", NotificationKind::from_code)
}

fn channel(row: &Row<'_>, column: usize) -> sql::Result<Channel> {
    rows::code(row, column, "the channel of a notification", Channel::from_code)
}

fn status(row: &Row<'_>, column: usize) -> sql::Result<NotificationStatus> {
    rows::code(row, column, "the status of a notification", NotificationStatus::from_code)
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

/// The bodies of a notification, packed by whoever rendered them; none before they are rendered.
pub fn find_body(tx: &mut Tx<'_>, id: NotificationId) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT body FROM notifications WHERE id = ?";
    Ok(tx.query_opt(sql, &[id.get().into()], |row| row.get(0))?.flatten())
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

/// The newest notifications that had an attempt which did not succeed, those before `before`, at most `limit`.
pub fn list_newest_troubled(tx: &mut Tx<'_>, before: i64, limit: u32) -> Result<Vec<Notification>> {
    let sql = "SELECT DISTINCT notification_id FROM notification_failures WHERE notification_id < ? \
               ORDER BY notification_id DESC LIMIT ?";
    let id = |row: &Row<'_>| Ok(NotificationId::from_ledger(row.get(0)?));
    let ids = tx.query(sql, &[before.into(), limit.into()], id)?;
    let mut troubled = list(tx, &ids)?;
    troubled.reverse();
    Ok(troubled)
}

/// How many of the `newest` notifications stand how, by status. The work is bounded by `newest`, however many there are.
pub fn count_by_status(tx: &mut Tx<'_>, newest: u32) -> Result<Vec<(NotificationStatus, i64)>> {
    let sql = "SELECT status, COUNT(*) FROM (SELECT status FROM notifications ORDER BY id DESC LIMIT ?) newest \
               GROUP BY status ORDER BY status";
    Ok(tx.query(sql, &[newest.into()], |row| Ok((status(row, 0)?, row.get(1)?)))?)
}

/// How many of the `newest` notifications stand how, by channel and status. The work is bounded by `newest`, however
/// many there are.
pub fn count_newest(tx: &mut Tx<'_>, newest: u32) -> Result<Vec<(Channel, NotificationStatus, i64)>> {
    let sql = "SELECT channel, status, COUNT(*) FROM \
               (SELECT channel, status FROM notifications ORDER BY id DESC LIMIT ?) newest \
               GROUP BY channel, status ORDER BY channel, status";
    Ok(tx.query(sql, &[newest.into()], |row| Ok((channel(row, 0)?, status(row, 1)?, row.get(2)?)))?)
}
