//! Answers that are kept for requests that come again.

use jiff::Timestamp;
use sql::{Conflict, Insert, Tx};

use crate::Result;

/// A request that was answered before.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Tells two requests with one key apart.
    pub request_hash: String,
    /// What was answered, as JSON.
    pub answer: String,
}

/// What was answered to this key of this account.
pub fn find(tx: &mut Tx<'_>, account: &str, key: &str) -> Result<Option<Answered>> {
    let sql = "SELECT request_hash, answer FROM idempotent_requests WHERE account = ? AND request_key = ?";
    Ok(tx.query_opt(sql, &[account.into(), key.into()], |row| {
        Ok(Answered { request_hash: row.get(0)?, answer: row.get(1)? })
    })?)
}

/// Takes a key, without an answer yet. One that is known fails the transaction; one that another transaction has just
/// taken waits for its end first.
pub fn insert(tx: &mut Tx<'_>, account: &str, key: &str, request_hash: &str, at: Timestamp) -> Result<()> {
    let columns = &["account", "request_key", "request_hash", "answer", "created_at"];
    let values = [account.into(), key.into(), request_hash.into(), "".into(), at.into()];
    tx.insert_rows(&Insert { table: "idempotent_requests", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// Keeps the answer to a key that this transaction has taken.
pub fn keep_answer(tx: &mut Tx<'_>, account: &str, key: &str, answer: &str) -> Result<()> {
    let sql = "UPDATE idempotent_requests SET answer = ? WHERE account = ? AND request_key = ?";
    tx.execute(sql, &[answer.into(), account.into(), key.into()])?;
    Ok(())
}

/// Forgets at most `limit` answers that were given before `before`. Returns how many.
pub fn delete_before(tx: &mut Tx<'_>, before: Timestamp, limit: u32) -> Result<u64> {
    let old = "SELECT account, request_key FROM idempotent_requests WHERE created_at < ? \
               ORDER BY created_at LIMIT ?";
    let keys: Vec<(String, String)> =
        tx.query(old, &[before.into(), limit.into()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut deleted = 0;
    for (account, key) in &keys {
        let sql = "DELETE FROM idempotent_requests WHERE account = ? AND request_key = ?";
        deleted += tx.execute(sql, &[account.into(), key.into()])?;
    }
    Ok(deleted)
}
