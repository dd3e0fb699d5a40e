//! Imports: the file, its chunks, what became of each row.

mod chunks;
mod fetching;
mod rejects;
mod status;

pub use chunks::{
    Chunk, Counts, Progress, find_open_chunk, get_progress, has_open_chunk, mark_chunk_done, next_open_chunk,
    rows_done_since,
};
pub use fetching::{
    Arrived, NewFetch, insert_fetching, mark_arrived, mark_duplicate, mark_fetched, mark_found,
};
pub use rejects::{Reject, insert_rejects, list_rejects};
pub use status::ImportStatus;

use domain::ImportId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sql::{Conflict, Insert, Row, Tx, Value};

use crate::{Error, Result, rows};

/// An import to be recorded.
#[derive(Debug, Clone)]
pub struct NewImport<'a> {
    /// Its id, from a reserved block.
    pub id: ImportId,
    /// Half of the identity of its orders.
    pub source: &'a str,
    /// How its columns are read.
    pub profile: &'a str,
    /// The file's name as given.
    pub file_name: &'a str,
    /// Where its UTF-8 text is.
    pub path: &'a str,
    /// Whether `path` is our own copy.
    pub spooled: bool,
    /// SHA-256 of the file as given.
    pub file_hash: &'a [u8],
    /// Size of the file as given.
    pub file_bytes: i64,
    /// JSON with its options.
    pub options: &'a str,
    /// The import whose rejects this file corrects.
    pub rejects_of: Option<ImportId>,
}

/// An import.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// Half of the identity of its orders.
    pub source: String,
    /// How its columns are read.
    pub profile: String,
    /// The file's name as given.
    pub file_name: String,
    /// Where its UTF-8 text is.
    #[serde(skip)]
    pub path: String,
    /// Whether `path` is our own copy.
    #[serde(skip)]
    pub spooled: bool,
    /// SHA-256 of the file as given.
    #[serde(skip)]
    pub file_hash: Vec<u8>,
    /// JSON with its options.
    #[serde(skip)]
    pub options: String,
    /// Where it stands.
    pub status: ImportStatus,
    /// JSON with what the plan found out.
    #[serde(skip)]
    pub plan: Option<String>,
    /// Rows of the file, once planned.
    pub rows_total: i64,
    /// Bytes of the UTF-8 text.
    pub bytes_total: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its first chunk could run.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The import whose rejected rows its file corrects.
    pub rejects_of: Option<ImportId>,
    /// The path or the URL that its file is fetched from.
    pub origin: Option<String>,
    /// What its object store calls the version that is fetched.
    pub etag: Option<String>,
    /// Size of the file as given, once it is known.
    pub file_bytes: i64,
    /// How much of it has been fetched.
    pub bytes_fetched: i64,
    /// Whether it is imported although the same file was before.
    #[serde(skip)]
    pub forced: bool,
    /// The import of the same file, where this one did nothing.
    pub same_as: Option<ImportId>,
}

/// Records an import that is about to be planned; `plan` is JSON with what is known of its file already.
pub fn insert(tx: &mut Tx<'_>, new: &NewImport<'_>, plan: &str, at: Timestamp) -> Result<()> {
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
        "plan",
        "rows_total",
        "bytes_total",
        "rejects_of",
        "created_at",
    ];
    let values = [
        Value::Int(new.id.get()),
        new.source.into(),
        new.profile.into(),
        new.file_name.into(),
        new.path.into(),
        new.spooled.into(),
        new.file_hash.into(),
        new.file_bytes.into(),
        new.options.into(),
        ImportStatus::Planning.code().into(),
        plan.into(),
        Value::Int(0),
        Value::Int(0),
        new.rejects_of.map(ImportId::get).into(),
        at.into(),
    ];
    tx.insert_rows(&Insert { table: "imports", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

const SELECT: &str = "SELECT id, source, profile, file_name, path, spooled, file_hash, options, status, plan, \
    rows_total, bytes_total, error, created_at, started_at, finished_at, rejects_of, origin, etag, file_bytes, \
    bytes_fetched, forced, same_as FROM imports";

fn read(row: &Row<'_>) -> sql::Result<Import> {
    Ok(Import {
        id: ImportId::from_ledger(row.get(0)?),
        source: row.get(1)?,
        profile: row.get(2)?,
        file_name: row.get(3)?,
        path: row.get(4)?,
        spooled: row.get(5)?,
        file_hash: row.get(6)?,
        options: row.get(7)?,
        status: rows::code(row, 8, "the status of an import", ImportStatus::from_code)?,
        plan: row.get(9)?,
        rows_total: row.get(10)?,
        bytes_total: row.get(11)?,
        error: row.get(12)?,
        created_at: row.get(13)?,
        started_at: row.get(14)?,
        finished_at: row.get(15)?,
        rejects_of: row.get::<Option<i64>>(16)?.map(ImportId::from_ledger),
        origin: row.get(17)?,
        etag: row.get(18)?,
        file_bytes: row.get(19)?,
        bytes_fetched: row.get(20)?,
        forced: row.get(21)?,
        same_as: row.get::<Option<i64>>(22)?.map(ImportId::from_ledger),
    })
}

/// The import with this id.
pub fn get(tx: &mut Tx<'_>, id: ImportId) -> Result<Import> {
    tx.query_opt(&format!("{SELECT} WHERE id = ?"), &[id.get().into()], read)?
        .ok_or_else(|| Error::missing("import", id))
}

/// How far the import with this id is.
pub fn get_status(tx: &mut Tx<'_>, id: ImportId) -> Result<ImportStatus> {
    let status = |row: &Row<'_>| rows::code(row, 0, "the status of an import", ImportStatus::from_code);
    tx.query_opt("SELECT status FROM imports WHERE id = ?", &[id.get().into()], status)?
        .ok_or_else(|| Error::missing("import", id))
}

/// The import with this id, locked until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, id: ImportId) -> Result<Import> {
    let sql = format!("{SELECT} WHERE id = ?{}", tx.dialect().for_update());
    tx.query_opt(&sql, &[id.get().into()], read)?.ok_or_else(|| Error::missing("import", id))
}

/// The imports of a file into a source, newest first.
pub fn list_of_file(tx: &mut Tx<'_>, file_hash: &[u8], source: &str) -> Result<Vec<Import>> {
    let sql = format!("{SELECT} WHERE file_hash = ? AND source = ? ORDER BY id DESC");
    Ok(tx.query(&sql, &[file_hash.into(), source.into()], read)?)
}

/// The newest import into a source that rejected rows.
pub fn find_newest_with_rejects(tx: &mut Tx<'_>, source: &str) -> Result<Option<ImportId>> {
    let sql = "SELECT id FROM imports WHERE source = ? \
               AND EXISTS (SELECT 1 FROM import_rejects WHERE import_id = imports.id) ORDER BY id DESC LIMIT 1";
    Ok(tx.query_opt(sql, &[source.into()], |row| Ok(ImportId::from_ledger(row.get(0)?)))?)
}

/// The newest imports, at most `limit`; only those before `before`, where it is told.
pub fn list_newest(tx: &mut Tx<'_>, before: Option<ImportId>, limit: u32) -> Result<Vec<Import>> {
    let before = before.map_or(i64::MAX, ImportId::get);
    Ok(tx.query(
        &format!("{SELECT} WHERE id < ? ORDER BY id DESC LIMIT ?"),
        &[before.into(), limit.into()],
        read,
    )?)
}

/// Imports that are not ended.
pub fn list_unfinished(tx: &mut Tx<'_>) -> Result<Vec<Import>> {
    let [planning, paused, fetching] =
        [ImportStatus::Planning, ImportStatus::Paused, ImportStatus::Fetching].map(ImportStatus::code);
    let sql = format!("{SELECT} WHERE status BETWEEN ? AND ? OR status = ? ORDER BY id");
    Ok(tx.query(&sql, &[planning.into(), paused.into(), fetching.into()], read)?)
}

/// Records the plan: the import runs from now on.
pub fn mark_planned(
    tx: &mut Tx<'_>,
    id: ImportId,
    plan: &str,
    (rows_total, bytes_total): (i64, i64),
    chunks: &[Chunk],
    at: Timestamp,
) -> Result<()> {
    let sql = "UPDATE imports SET status = ?, plan = ?, rows_total = ?, bytes_total = ?, started_at = ? WHERE id = ?";
    let status = ImportStatus::Running.code();
    tx.execute(
        sql,
        &[status.into(), plan.into(), rows_total.into(), bytes_total.into(), at.into(), id.get().into()],
    )?;
    let columns = &[
        "import_id",
        "chunk",
        "byte_offset",
        "byte_length",
        "first_line",
        "row_count",
        "state",
        "rows_imported",
        "rows_duplicate",
        "rows_rejected",
        "rows_skipped",
        "orders_imported",
        "orders_duplicate",
        "orders_differ",
        "orders_rejected",
    ];
    let values: Vec<Value<'_>> = chunks
        .iter()
        .flat_map(|chunk| {
            let Chunk { index, offset, length, first_line, rows } = *chunk;
            [id.get(), index, offset, length, first_line, rows, 0, 0, 0, 0, 0, 0, 0, 0, 0].map(Value::Int)
        })
        .collect();
    tx.insert_rows(&Insert { table: "import_chunks", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// Moves an import on; `error` where it failed, the end's time where it ended.
pub fn mark_status(
    tx: &mut Tx<'_>,
    id: ImportId,
    status: ImportStatus,
    error: Option<&str>,
    at: Timestamp,
) -> Result<()> {
    let finished = status.is_final().then_some(at);
    tx.execute(
        "UPDATE imports SET status = ?, error = COALESCE(?, error), finished_at = ? WHERE id = ?",
        &[status.code().into(), error.into(), finished.into(), id.get().into()],
    )?;
    Ok(())
}
