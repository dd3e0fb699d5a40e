//! Imports: the file, its chunks, what became of each row.

use domain::ImportId;
use jiff::Timestamp;
use serde::Serialize;
use sql::{Conflict, Insert, Row, Tx, Value};

use crate::{Error, Result, rows};

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportStatus {
    /// The file is being read for the first time.
    Planning,
    /// Its chunks are being imported.
    Running,
    /// Its chunks wait for an operator.
    Paused,
    /// Every chunk is done.
    Completed,
    /// An operator ended it; what was imported stays.
    Cancelled,
    /// It cannot go on; its error says why.
    Failed,
}

impl ImportStatus {
    const ALL: [Self; 6] =
        [Self::Planning, Self::Running, Self::Paused, Self::Completed, Self::Cancelled, Self::Failed];

    /// The number stored in the ledger.
    pub fn code(self) -> i64 {
        self as i64 + 1
    }

    /// The status with this stored number.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The word people see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more will happen to it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed)
    }
}

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
#[derive(Debug, Clone, Serialize)]
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
}

/// A range of the file that is imported in one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Its number, from 0.
    pub index: i64,
    /// First byte.
    pub offset: i64,
    /// Bytes.
    pub length: i64,
    /// The line of the file that it begins on.
    pub first_line: i64,
    /// Rows.
    pub rows: i64,
}

/// What became of rows and orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Rows of orders that were imported.
    pub rows_imported: i64,
    /// Rows of orders that were there already.
    pub rows_duplicate: i64,
    /// Rows that were rejected.
    pub rows_rejected: i64,
    /// Rows passed over on purpose.
    pub rows_skipped: i64,
    /// Orders imported.
    pub orders_imported: i64,
    /// Orders that were there already.
    pub orders_duplicate: i64,
    /// Those of them whose content is another.
    pub orders_differ: i64,
    /// Orders rejected.
    pub orders_rejected: i64,
}

impl Counts {
    /// Rows that something became of.
    pub fn rows(&self) -> i64 {
        self.rows_imported + self.rows_duplicate + self.rows_rejected + self.rows_skipped
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Progress {
    /// Chunks done.
    pub chunks_done: i64,
    /// Chunks in all.
    pub chunks: i64,
    /// Bytes of the chunks done.
    pub bytes_done: i64,
    /// What became of the rows.
    #[serde(flatten)]
    pub counts: Counts,
}

/// A row that was not imported.
#[derive(Debug, Clone)]
pub struct Reject {
    /// The line of the file.
    pub line: i64,
    /// Tells several rejects of one line apart.
    pub position: i64,
    /// A stable word for the reason.
    pub code: String,
    /// The column, where it is about one.
    pub field: Option<String>,
    /// The reason in a sentence.
    pub message: String,
    /// The row as it stood.
    pub raw: String,
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
    rows_total, bytes_total, error, created_at, started_at, finished_at FROM imports";

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
    })
}

/// The import with this id.
pub fn get(tx: &mut Tx<'_>, id: ImportId) -> Result<Import> {
    tx.query_opt(&format!("{SELECT} WHERE id = ?"), &[id.get().into()], read)?
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

/// The newest imports, at most `limit`.
pub fn list_newest(tx: &mut Tx<'_>, limit: u32) -> Result<Vec<Import>> {
    Ok(tx.query(&format!("{SELECT} ORDER BY id DESC LIMIT ?"), &[limit.into()], read)?)
}

/// Imports that are not ended.
pub fn list_unfinished(tx: &mut Tx<'_>) -> Result<Vec<Import>> {
    let (planning, paused) = (ImportStatus::Planning.code(), ImportStatus::Paused.code());
    let sql = format!("{SELECT} WHERE status BETWEEN ? AND ? ORDER BY id");
    Ok(tx.query(&sql, &[planning.into(), paused.into()], read)?)
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

/// The chunk, where it is not done yet.
pub fn find_open_chunk(tx: &mut Tx<'_>, id: ImportId, index: i64) -> Result<Option<Chunk>> {
    let sql = "SELECT chunk, byte_offset, byte_length, first_line, row_count FROM import_chunks \
               WHERE import_id = ? AND chunk = ? AND state = 0";
    Ok(tx.query_opt(sql, &[id.get().into(), index.into()], read_chunk)?)
}

/// The first chunk of a lane that is not done: of those whose number is `from`, `from` + `lanes`, `from` + 2 `lanes`…
pub fn next_open_chunk(tx: &mut Tx<'_>, id: ImportId, from: i64, lanes: i64) -> Result<Option<i64>> {
    let sql = "SELECT chunk FROM import_chunks WHERE import_id = ? AND chunk >= ? AND state = 0 \
               AND (chunk - ?) % ? = 0 ORDER BY chunk LIMIT 1";
    let params = [id.get().into(), from.into(), from.into(), lanes.into()];
    Ok(tx.query_opt(sql, &params, |row| row.get(0))?)
}

/// Whether a chunk is not done. Those after `near` are looked at first: while an import runs, one is open there.
pub fn has_open_chunk(tx: &mut Tx<'_>, id: ImportId, near: i64) -> Result<bool> {
    let after = "SELECT 1 FROM import_chunks WHERE import_id = ? AND chunk > ? AND state = 0 LIMIT 1";
    let before = "SELECT 1 FROM import_chunks WHERE import_id = ? AND chunk <= ? AND state = 0 LIMIT 1";
    for sql in [after, before] {
        if tx.query_opt(sql, &[id.get().into(), near.into()], |row| row.get::<i64>(0))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The chunks that are not done yet, in their order.
pub fn list_open_chunks(tx: &mut Tx<'_>, id: ImportId) -> Result<Vec<Chunk>> {
    let sql = "SELECT chunk, byte_offset, byte_length, first_line, row_count FROM import_chunks \
               WHERE import_id = ? AND state = 0 ORDER BY chunk";
    Ok(tx.query(sql, &[id.get().into()], read_chunk)?)
}

fn read_chunk(row: &Row<'_>) -> sql::Result<Chunk> {
    Ok(Chunk {
        index: row.get(0)?,
        offset: row.get(1)?,
        length: row.get(2)?,
        first_line: row.get(3)?,
        rows: row.get(4)?,
    })
}

/// Marks a chunk as done with what became of its rows; false when it was done before.
pub fn mark_chunk_done(
    tx: &mut Tx<'_>,
    id: ImportId,
    index: i64,
    counts: &Counts,
    at: Timestamp,
) -> Result<bool> {
    let sql = "UPDATE import_chunks SET state = 1, rows_imported = ?, rows_duplicate = ?, rows_rejected = ?, \
               rows_skipped = ?, orders_imported = ?, orders_duplicate = ?, orders_differ = ?, orders_rejected = ?, \
               done_at = ? WHERE import_id = ? AND chunk = ? AND state = 0";
    let Counts {
        rows_imported,
        rows_duplicate,
        rows_rejected,
        rows_skipped,
        orders_imported,
        orders_duplicate,
        orders_differ,
        orders_rejected,
    } = *counts;
    let params = [
        rows_imported,
        rows_duplicate,
        rows_rejected,
        rows_skipped,
        orders_imported,
        orders_duplicate,
        orders_differ,
        orders_rejected,
        at.as_microsecond(),
        id.get(),
        index,
    ];
    Ok(tx.execute(sql, &params.map(Value::Int))? == 1)
}

/// How far an import is.
pub fn get_progress(tx: &mut Tx<'_>, id: ImportId) -> Result<Progress> {
    let sql = "SELECT COUNT(*), COALESCE(SUM(state), 0), COALESCE(SUM(state * byte_length), 0), \
               COALESCE(SUM(rows_imported), 0), COALESCE(SUM(rows_duplicate), 0), COALESCE(SUM(rows_rejected), 0), \
               COALESCE(SUM(rows_skipped), 0), COALESCE(SUM(orders_imported), 0), COALESCE(SUM(orders_duplicate), 0), \
               COALESCE(SUM(orders_differ), 0), COALESCE(SUM(orders_rejected), 0) \
               FROM import_chunks WHERE import_id = ?";
    Ok(tx.query_one(sql, &[id.get().into()], |row| {
        Ok(Progress {
            chunks: row.get(0)?,
            chunks_done: row.get(1)?,
            bytes_done: row.get(2)?,
            counts: Counts {
                rows_imported: row.get(3)?,
                rows_duplicate: row.get(4)?,
                rows_rejected: row.get(5)?,
                rows_skipped: row.get(6)?,
                orders_imported: row.get(7)?,
                orders_duplicate: row.get(8)?,
                orders_differ: row.get(9)?,
                orders_rejected: row.get(10)?,
            },
        })
    })?)
}

/// Keeps rows that were not imported.
pub fn insert_rejects(tx: &mut Tx<'_>, id: ImportId, rejects: &[Reject]) -> Result<()> {
    let columns = &["import_id", "line", "position", "code", "field", "message", "raw"];
    let values: Vec<Value<'_>> = rejects
        .iter()
        .flat_map(|reject| {
            [
                Value::Int(id.get()),
                Value::Int(reject.line),
                Value::Int(reject.position),
                (&reject.code).into(),
                reject.field.as_ref().into(),
                (&reject.message).into(),
                (&reject.raw).into(),
            ]
        })
        .collect();
    tx.insert_rows(&Insert { table: "import_rejects", columns, conflict: Conflict::Error }, &values)?;
    Ok(())
}

/// Up to `limit` rejects after `(line, position)`, in the order of the file.
pub fn list_rejects(
    tx: &mut Tx<'_>,
    id: ImportId,
    (line, position): (i64, i64),
    limit: u32,
) -> Result<Vec<Reject>> {
    let sql = "SELECT line, position, code, field, message, raw FROM import_rejects \
               WHERE import_id = ? AND (line > ? OR (line = ? AND position > ?)) ORDER BY line, position LIMIT ?";
    let params = [id.get().into(), line.into(), line.into(), position.into(), limit.into()];
    Ok(tx.query(sql, &params, |row| {
        Ok(Reject {
            line: row.get(0)?,
            position: row.get(1)?,
            code: row.get(2)?,
            field: row.get(3)?,
            message: row.get(4)?,
            raw: row.get(5)?,
        })
    })?)
}
