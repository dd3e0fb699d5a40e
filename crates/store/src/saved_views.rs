//! Lists of orders that somebody keeps under a name.

use sql::{Conflict, Insert, Tx};

use crate::Result;

/// A list that somebody keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// What they call it.
    pub name: String,
    /// What it asks for, as it stands behind an address.
    pub query: String,
}

/// The views of an account by name, at most `limit`.
pub fn list(tx: &mut Tx<'_>, account: &str, limit: u32) -> Result<Vec<SavedView>> {
    let sql = "SELECT name, query FROM saved_views WHERE account = ? ORDER BY name LIMIT ?";
    Ok(tx.query(sql, &[account.into(), limit.into()], |row| {
        Ok(SavedView { name: row.get(0)?, query: row.get(1)? })
    })?)
}

/// Keeps a view; one of the same name gives way.
pub fn put(tx: &mut Tx<'_>, account: &str, view: &SavedView) -> Result<()> {
    let conflict = Conflict::Update { key: &["account", "name"], set: &["query = new.query"] };
    let into = Insert { table: "saved_views", columns: &["account", "name", "query"], conflict };
    tx.insert_rows(&into, &[account.into(), (&view.name).into(), (&view.query).into()])?;
    Ok(())
}

/// Forgets a view.
pub fn delete(tx: &mut Tx<'_>, account: &str, name: &str) -> Result<()> {
    tx.execute("DELETE FROM saved_views WHERE account = ? AND name = ?", &[account.into(), name.into()])?;
    Ok(())
}
