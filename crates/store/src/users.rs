//! People who may sign in.

use domain::{Email, Role, UserId};
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Value};

use crate::{Error, Result, rows};

/// A person who may sign in, unless they are disabled.
#[derive(Debug, Clone, serde::Serialize)]
pub struct User {
    /// Our id.
    pub id: UserId,
    /// What they sign in with, in lower case.
    pub email: Email,
    /// What they may do.
    pub role: Role,
    /// How their password is recognised: a PHC string.
    #[serde(skip)]
    pub password_hash: String,
    /// Since when they are known.
    pub created_at: Timestamp,
    /// Since when they may not sign in.
    pub disabled_at: Option<Timestamp>,
}

const SELECT: &str = "SELECT id, email, role, password_hash, created_at, disabled_at FROM users";

fn read(row: &Row<'_>) -> sql::Result<User> {
    Ok(User {
        id: UserId::from_ledger(row.get(0)?),
        email: rows::email(row, 1)?,
        role: rows::code(row, 2, "a role", Role::from_code)?,
        password_hash: row.get(3)?,
        created_at: row.get(4)?,
        disabled_at: row.get(5)?,
    })
}

/// Adds a person. An e-mail that is known fails the transaction.
pub fn insert(
    tx: &mut Tx<'_>,
    email: &Email,
    role: Role,
    password_hash: &str,
    at: Timestamp,
) -> Result<UserId> {
    let id = tx.next_ids("users", 1)?.start;
    let columns = &["id", "email", "role", "password_hash", "created_at"];
    let values = [Value::Int(id), email.as_str().into(), role.code().into(), password_hash.into(), at.into()];
    tx.insert_rows(&Insert { table: "users", columns, conflict: Conflict::Error }, &values)?;
    Ok(UserId::from_ledger(id))
}

/// The person with this e-mail, locked until the transaction ends.
pub fn lock_by_email(tx: &mut Tx<'_>, email: &Email) -> Result<Option<User>> {
    let sql = format!("{SELECT} WHERE email = ?{}", tx.dialect().for_update());
    Ok(tx.query_opt(&sql, &[email.as_str().into()], read)?)
}

/// The person with this e-mail.
pub fn find_by_email(tx: &mut Tx<'_>, email: &Email) -> Result<Option<User>> {
    Ok(tx.query_opt(&format!("{SELECT} WHERE email = ?"), &[email.as_str().into()], read)?)
}

/// The person with this id.
pub fn get(tx: &mut Tx<'_>, id: UserId) -> Result<User> {
    tx.query_opt(&format!("{SELECT} WHERE id = ?"), &[id.get().into()], read)?
        .ok_or_else(|| Error::missing("user", id))
}

/// Everybody, by e-mail.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<User>> {
    Ok(tx.query(&format!("{SELECT} ORDER BY email"), &[], read)?)
}

/// Whether there is anybody, also if they may not sign in any more.
pub fn is_anybody(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.query_opt("SELECT id FROM users LIMIT 1", &[], |row| row.get::<i64>(0))?.is_some())
}

/// From now on their password is recognised by this.
pub fn set_password(tx: &mut Tx<'_>, id: UserId, password_hash: &str) -> Result<()> {
    tx.execute("UPDATE users SET password_hash = ? WHERE id = ?", &[password_hash.into(), id.get().into()])?;
    Ok(())
}

/// From now on they may not sign in.
pub fn mark_disabled(tx: &mut Tx<'_>, id: UserId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE users SET disabled_at = ? WHERE id = ? AND disabled_at IS NULL";
    tx.execute(sql, &[at.into(), id.get().into()])?;
    Ok(())
}
