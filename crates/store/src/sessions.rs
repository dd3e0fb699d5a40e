//! People who have signed in, each with what their browser shows from then on. It is random enough that its SHA-256 needs
//! no salt; itself it is kept nowhere.

use domain::UserId;
use jiff::Timestamp;
use sql::{Conflict, Insert, Tx};

use crate::Result;

/// A session, as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    /// Whose it is.
    pub user: UserId,
    /// When it was seen last, to within a minute or so.
    pub last_seen_at: Timestamp,
    /// When it ends, however often it is seen.
    pub expires_at: Timestamp,
}

/// Adds a session. A hash that is known fails the transaction.
pub fn insert(tx: &mut Tx<'_>, hash: &str, user: UserId, at: Timestamp, expires_at: Timestamp) -> Result<()> {
    let columns = &["hash", "user_id", "created_at", "last_seen_at", "expires_at"];
    let values = [hash.into(), user.get().into(), at.into(), at.into(), expires_at.into()];
    tx.insert_rows(&Insert { table: "sessions", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// The session with this hash, also one whose time is over.
pub fn find(tx: &mut Tx<'_>, hash: &str) -> Result<Option<Session>> {
    let sql = "SELECT user_id, last_seen_at, expires_at FROM sessions WHERE hash = ?";
    Ok(tx.query_opt(sql, &[hash.into()], |row| {
        Ok(Session {
            user: UserId::from_ledger(row.get(0)?),
            last_seen_at: row.get(1)?,
            expires_at: row.get(2)?,
        })
    })?)
}

/// It was seen; a later time that is known already stays.
pub fn mark_seen(tx: &mut Tx<'_>, hash: &str, at: Timestamp) -> Result<()> {
    let sql = "UPDATE sessions SET last_seen_at = ? WHERE hash = ? AND last_seen_at < ?";
    tx.execute(sql, &[at.into(), hash.into(), at.into()])?;
    Ok(())
}

/// Ends a session. Says whether there was one.
pub fn delete(tx: &mut Tx<'_>, hash: &str) -> Result<bool> {
    Ok(tx.execute("DELETE FROM sessions WHERE hash = ?", &[hash.into()])? > 0)
}

/// Ends all sessions of a person. Returns how many.
pub fn delete_of(tx: &mut Tx<'_>, user: UserId) -> Result<u64> {
    Ok(tx.execute("DELETE FROM sessions WHERE user_id = ?", &[user.get().into()])?)
}

/// Forgets at most `limit` sessions that have ended by `now`, or that nobody has seen since `seen_before`. Returns how many.
pub fn delete_ended(tx: &mut Tx<'_>, now: Timestamp, seen_before: Timestamp, limit: u32) -> Result<u64> {
    let ended = "SELECT hash FROM sessions WHERE expires_at <= ? OR last_seen_at <= ? LIMIT ?";
    let hashes: Vec<String> =
        tx.query(ended, &[now.into(), seen_before.into(), limit.into()], |row| row.get(0))?;
    let mut deleted = 0;
    for hash in &hashes {
        deleted += u64::from(delete(tx, hash)?);
    }
    Ok(deleted)
}
