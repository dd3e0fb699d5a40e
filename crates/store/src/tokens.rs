//! What programs sign in with. A token is random enough that its SHA-256 needs no salt; the token itself is kept nowhere.

use domain::{Role, TokenId, UserId};
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Value};

use crate::{Result, rows};

/// A token, as it is known.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Token {
    /// Our id.
    pub id: TokenId,
    /// What people call it; never given to another.
    pub name: String,
    /// Whose it is, where it is a person's.
    pub user: Option<UserId>,
    /// What it may do.
    pub role: Role,
    /// Since when it is known.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to within a minute or so.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is not taken any more.
    pub revoked_at: Option<Timestamp>,
}

/// A token to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewToken<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Whose it is.
    pub user: Option<UserId>,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the token, in hexadecimal.
    pub hash: &'a str,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

const SELECT: &str =
    "SELECT id, name, user_id, role, created_at, expires_at, last_used_at, revoked_at FROM api_tokens";

fn read(row: &Row<'_>) -> sql::Result<Token> {
    Ok(Token {
        id: TokenId::from_ledger(row.get(0)?),
        name: row.get(1)?,
        user: row.get::<Option<i64>>(2)?.map(UserId::from_ledger),
        role: rows::code(row, 3, "a role", Role::from_code)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
        last_used_at: row.get(6)?,
        revoked_at: row.get(7)?,
    })
}

/// Adds a token. A name that is known fails the transaction.
pub fn insert(tx: &mut Tx<'_>, new: &NewToken<'_>, at: Timestamp) -> Result<TokenId> {
    let id = tx.next_ids("api_tokens", 1)?.start;
    let columns = &["id", "name", "user_id", "role", "hash", "created_at", "expires_at"];
    let values = [
        Value::Int(id),
        new.name.into(),
        new.user.map(UserId::get).into(),
        new.role.code().into(),
        new.hash.into(),
        at.into(),
        new.expires_at.into(),
    ];
    tx.insert_rows(&Insert { table: "api_tokens", columns, conflict: Conflict::Error }, &values)?;
    Ok(TokenId::from_ledger(id))
}

/// The token with this hash.
pub fn find_by_hash(tx: &mut Tx<'_>, hash: &str) -> Result<Option<Token>> {
    Ok(tx.query_opt(&format!("{SELECT} WHERE hash = ?"), &[hash.into()], read)?)
}

/// The token of this name, locked until the transaction ends.
pub fn lock_by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<Token>> {
    let sql = format!("{SELECT} WHERE name = ?{}", tx.dialect().for_update());
    Ok(tx.query_opt(&sql, &[name.into()], read)?)
}

/// All tokens, by name.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Token>> {
    Ok(tx.query(&format!("{SELECT} ORDER BY name"), &[], read)?)
}

/// From now on it is not taken any more.
pub fn mark_revoked(tx: &mut Tx<'_>, id: TokenId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE api_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL";
    tx.execute(sql, &[at.into(), id.get().into()])?;
    Ok(())
}

/// It was used; a later use that is known already stays.
pub fn mark_used(tx: &mut Tx<'_>, id: TokenId, at: Timestamp) -> Result<()> {
    let sql =
        "UPDATE api_tokens SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)";
    tx.execute(sql, &[at.into(), id.get().into(), at.into()])?;
    Ok(())
}
