//! The link by which the first person is let in. Only its hash is kept.

use jiff::Timestamp;
use sql::{Conflict, Insert, Tx};

use crate::Result;

/// Keeps a link in the place of whatever link there was.
pub fn replace(tx: &mut Tx<'_>, hash: &str, expires_at: Timestamp) -> Result<()> {
    delete_all(tx)?;
    let into = Insert { table: "setup_links", columns: &["hash", "expires_at"], conflict: Conflict::Error };
    tx.insert_rows(&into, &[hash.into(), expires_at.into()])?;
    Ok(())
}

/// When the link with this hash ends.
pub fn find(tx: &mut Tx<'_>, hash: &str) -> Result<Option<Timestamp>> {
    let sql = "SELECT expires_at FROM setup_links WHERE hash = ?";
    Ok(tx.query_opt(sql, &[hash.into()], |row| row.get(0))?)
}

/// The same, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, hash: &str) -> Result<Option<Timestamp>> {
    let sql = format!("SELECT expires_at FROM setup_links WHERE hash = ?{}", tx.dialect().for_update());
    Ok(tx.query_opt(&sql, &[hash.into()], |row| row.get(0))?)
}

/// From now on no link is good.
pub fn delete_all(tx: &mut Tx<'_>) -> Result<()> {
    tx.execute("DELETE FROM setup_links", &[])?;
    Ok(())
}
