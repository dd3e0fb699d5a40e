//! Attempts to hand notifications over: claimed before, recorded after.

use domain::{NotificationId, NotificationStatus};
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Update, Value};

use crate::{Result, rows};

/// How far a notification is, as somebody who is about to send it needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// The notification.
    pub id: NotificationId,
    /// How far it got.
    pub status: NotificationStatus,
    /// Whether it may have arrived twice.
    pub possible_duplicate: bool,
    /// Attempts so far.
    pub attempts: i64,
    /// When the last one was claimed.
    pub attempted_at: Option<Timestamp>,
}

/// Locks notifications and tells how far they are, in the order of ids.
pub fn lock(tx: &mut Tx<'_>, ids: &[NotificationId]) -> Result<Vec<Standing>> {
    let sql = format!(
        "SELECT id, status, possible_duplicate, attempts, attempted_at FROM notifications WHERE id IN ({{in}}) \
         ORDER BY id{}",
        tx.dialect().for_update()
    );
    Ok(tx.query_in(&sql, &[], &rows::keys(ids.iter().copied()), |row| {
        Ok(Standing {
            id: NotificationId::from_ledger(row.get(0)?),
            status: super::status(row, 1)?,
            possible_duplicate: row.get(2)?,
            attempts: row.get(3)?,
            attempted_at: row.get(4)?,
        })
    })?)
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

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// For now: it is tried again.
    Passing,
    /// For good.
    Refused,
    /// It may have arrived all the same.
    NoAnswer,
    /// Its worker stopped before it could tell; it may have arrived.
    Interrupted,
}

impl FailureKind {
    const fn as_str(self) -> &'static str {
        match self {
            FailureKind::Passing => "passing",
            FailureKind::Refused => "refused",
            FailureKind::NoAnswer => "no_answer",
            FailureKind::Interrupted => "interrupted",
        }
    }
}

/// Why an attempt did not succeed.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// How it failed.
    pub kind: FailureKind,
    /// In words.
    pub error: &'a str,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    /// The notification.
    pub id: NotificationId,
    /// How far it is now.
    pub status: NotificationStatus,
    /// The subject and the packed bodies, where they could be rendered.
    pub words: Option<(&'a str, &'a [u8])>,
    /// Whether it is an attempt that [`mark_sending`] has not counted.
    pub unclaimed: bool,
    /// Why it did not succeed.
    pub failure: Option<Failure<'a>>,
    /// Why it is as it is, where no attempt failed.
    pub note: Option<&'a str>,
}

/// Records how attempts ended, with the words that were sent. What has ended already stays as it is.
pub fn record_attempts(tx: &mut Tx<'_>, attempts: &[Attempt<'_>], at: Timestamp) -> Result<()> {
    let values: Vec<Value<'_>> = attempts
        .iter()
        .flat_map(|attempt| {
            let sent = (attempt.status == NotificationStatus::Sent).then_some(at);
            let error = attempt.failure.map(|failure| failure.error).or(attempt.note);
            let (subject, body) = attempt.words.unzip();
            [
                Value::Int(attempt.status.code()),
                subject.into(),
                body.into(),
                Value::Int(i64::from(attempt.unclaimed)),
                error.into(),
                sent.into(),
                Value::Int(attempt.id.get()),
            ]
        })
        .collect();
    let [queued, sending] =
        [NotificationStatus::Queued, NotificationStatus::Sending].map(NotificationStatus::code);
    let update = Update {
        table: "notifications",
        columns: &["status", "subject", "body", "attempts", "error", "sent_at", "id"],
        key: &["id"],
        only_if: &format!("status IN ({queued}, {sending})"),
        set: &[
            "subject = COALESCE(new.subject, subject)",
            "body = COALESCE(new.body, body)",
            "attempts = attempts + new.attempts",
            "error = new.error",
            "sent_at = new.sent_at",
            "status = new.status",
        ],
    };
    rows::update_in_turns(tx, &update, attempts.iter().map(|attempt| attempt.id), &values)?;
    let failures: Vec<Value<'_>> = attempts
        .iter()
        .filter_map(|attempt| attempt.failure.map(|failure| (attempt.id, failure)))
        .flat_map(|(id, Failure { kind, error })| {
            [at.into(), kind.as_str().into(), error.into(), Value::Int(id.get())]
        })
        .collect();
    let sql = "INSERT INTO notification_failures (notification_id, attempt, started_at, outcome, error) \
               SELECT id, attempts, COALESCE(attempted_at, ?), ?, ? FROM notifications WHERE id = ?";
    tx.execute_each(sql, 4, &failures)?;
    Ok(())
}

/// Records that claimed attempts never told how they ended; one of which that is recorded stays as it is.
pub fn mark_interrupted(tx: &mut Tx<'_>, interrupted: &[Standing], error: &str, at: Timestamp) -> Result<()> {
    let values: Vec<Value<'_>> = interrupted
        .iter()
        .flat_map(|standing| {
            [
                Value::Int(standing.id.get()),
                Value::Int(standing.attempts),
                standing.attempted_at.unwrap_or(at).into(),
                FailureKind::Interrupted.as_str().into(),
                error.into(),
            ]
        })
        .collect();
    let columns = &["notification_id", "attempt", "started_at", "outcome", "error"];
    let into = Insert { table: "notification_failures", columns, conflict: Conflict::Ignore };
    tx.insert_rows(&into, &values)?;
    Ok(())
}

/// An attempt that did not succeed.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "FailedAttempt")]
pub struct FailureRow {
    /// Which attempt, from 1.
    pub attempt: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// `passing`, `refused`, `no_answer` or `interrupted`.
    pub outcome: String,
    /// In words.
    pub error: Option<String>,
}

/// The attempts of a notification that did not succeed, oldest first.
pub fn list_failures(tx: &mut Tx<'_>, id: NotificationId) -> Result<Vec<FailureRow>> {
    let sql = "SELECT attempt, started_at, outcome, error FROM notification_failures WHERE notification_id = ? \
               ORDER BY attempt";
    let read = |row: &Row<'_>| {
        Ok(FailureRow {
            attempt: row.get(0)?,
            started_at: row.get(1)?,
            outcome: row.get(2)?,
            error: row.get(3)?,
        })
    };
    Ok(tx.query(sql, &[id.get().into()], read)?)
}
