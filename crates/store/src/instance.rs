//! Facts about this installation: its id, the zone its figures were computed in.

use sql::{Conflict, Insert, Tx};

use crate::Result;

/// The value kept under `name`.
pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    Ok(tx.query_opt("SELECT value FROM instance WHERE name = ?", &[name.into()], |row| row.get(0))?)
}

/// Keeps `value` under `name`.
pub fn put(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<()> {
    let conflict = Conflict::Update { key: &["name"], set: &["value = new.value"] };
    let into = Insert { table: "instance", columns: &["name", "value"], conflict };
    tx.insert_rows(&into, &[name.into(), value.into()])?;
    Ok(())
}

/// The value kept under `name`; `fresh` is kept and returned where there was none.
pub fn get_or_put(tx: &mut Tx<'_>, name: &str, fresh: &str) -> Result<String> {
    let into = Insert { table: "instance", columns: &["name", "value"], conflict: Conflict::Ignore };
    tx.insert_rows(&into, &[name.into(), fresh.into()])?;
    find(tx, name)?.ok_or_else(|| crate::Error::missing("instance value", name))
}

/// Waits until no other transaction has the turn of this name, and holds it until this one ends. What is read
/// afterwards was kept by all who had it before. SQLite has one writer, so each has its turn anyway.
pub fn take_turn(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    put(tx, name, "")
}
