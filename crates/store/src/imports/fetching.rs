//! Imports whose file is still on its way.

use domain::ImportId;
use jiff::Timestamp;
use sql::{Conflict, Insert, Tx, Value};

use super::ImportStatus;
use crate::Result;

/// An import whose file is to be fetched.
#[derive(Debug, Clone)]
pub struct NewFetch<'a> {
    /// Its id, from a reserved block.
    pub id: ImportId,
    /// Half of the identity of its orders; empty until the file tells its profile.
    pub source: &'a str,
    /// The file's name.
    pub file_name: &'a str,
    /// Where what has come of it is kept.
    pub path: &'a str,
    /// JSON with its options.
    pub options: &'a str,
    /// The path or the URL that it is fetched from.
    pub origin: &'a str,
    /// Whether it is imported although the same file was before.
    pub forced: bool,
}

/// Records an import whose file is to be fetched.
pub fn insert_fetching(tx: &mut Tx<'_>, new: &NewFetch<'_>, at: Timestamp) -> Result<()> {
    let columns = &[
        "id",
        "source",
        "profile",
        "file_name",
        "path",
        "spooled",
        "file_hash",
        "file_bytes",
        "options",
        "status",
        "rows_total",
        "bytes_total",
        "created_at",
        "origin",
        "forced",
    ];
    let values = [
        Value::Int(new.id.get()),
        new.source.into(),
        "".into(),
        new.file_name.into(),
        new.path.into(),
        true.into(),
        (&[] as &[u8]).into(),
        Value::Int(0),
        new.options.into(),
        ImportStatus::Fetching.code().into(),
        Value::Int(0),
        Value::Int(0),
        at.into(),
        new.origin.into(),
        new.forced.into(),
    ];
    tx.insert_rows(&Insert { table: "imports", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// Records which version of a file is fetched from its beginning, and how large it is.
pub fn mark_found(tx: &mut Tx<'_>, id: ImportId, etag: Option<&str>, bytes: i64) -> Result<()> {
    let sql = "UPDATE imports SET etag = ?, file_bytes = ?, bytes_fetched = 0 WHERE id = ?";
    tx.execute(sql, &[etag.into(), bytes.into(), id.get().into()])?;
    Ok(())
}

/// Records how much of a file has come and is on disk.
pub fn mark_fetched(tx: &mut Tx<'_>, id: ImportId, bytes: i64) -> Result<()> {
    tx.execute("UPDATE imports SET bytes_fetched = ? WHERE id = ?", &[bytes.into(), id.get().into()])?;
    Ok(())
}

/// What is known of a file once it has come.
#[derive(Debug, Clone)]
pub struct Arrived<'a> {
    /// Half of the identity of its orders.
    pub source: &'a str,
    /// How its columns are read.
    pub profile: &'a str,
    /// Where its UTF-8 text is.
    pub path: &'a str,
    /// SHA-256 of the file as given.
    pub file_hash: &'a [u8],
    /// JSON with what is known of its rows.
    pub plan: &'a str,
    /// The import whose rejects it corrects.
    pub rejects_of: Option<ImportId>,
}

/// Records that a file has come: its import is planned next.
pub fn mark_arrived(tx: &mut Tx<'_>, id: ImportId, arrived: &Arrived<'_>) -> Result<()> {
    let sql = "UPDATE imports SET status = ?, source = ?, profile = ?, path = ?, file_hash = ?, plan = ?, \
               rejects_of = ? WHERE id = ?";
    let values = [
        ImportStatus::Planning.code().into(),
        arrived.source.into(),
        arrived.profile.into(),
        arrived.path.into(),
        arrived.file_hash.into(),
        arrived.plan.into(),
        arrived.rejects_of.map(ImportId::get).into(),
        id.get().into(),
    ];
    tx.execute(sql, &values)?;
    Ok(())
}

/// Ends an import whose file is that of another one.
pub fn mark_duplicate(tx: &mut Tx<'_>, id: ImportId, same_as: ImportId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE imports SET status = ?, same_as = ?, finished_at = ? WHERE id = ?";
    let status = ImportStatus::Duplicate.code();
    tx.execute(sql, &[status.into(), same_as.get().into(), at.into(), id.get().into()])?;
    Ok(())
}
