use domain::ImportId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sql::{Row, Tx, Value};

use crate::Result;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
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

/// Rows that something became of since then.
pub fn rows_done_since(tx: &mut Tx<'_>, id: ImportId, since: Timestamp) -> Result<i64> {
    let sql = "SELECT COALESCE(SUM(rows_imported + rows_duplicate + rows_rejected + rows_skipped), 0) \
               FROM import_chunks WHERE import_id = ? AND state = 1 AND done_at > ?";
    Ok(tx.query_one(sql, &[id.get().into(), since.into()], |row| row.get(0))?)
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
