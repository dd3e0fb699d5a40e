use domain::ImportId;
use sql::{Row, Tx};

use crate::imports::{Counts, ImportStatus};
use crate::{Result, rows};

/// What an import counted, and what can be counted again.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    /// The import.
    pub id: ImportId,
    /// Where it stands.
    pub status: ImportStatus,
    /// Rows of the file, as planned.
    pub rows_total: i64,
    /// Rows of its chunks.
    pub chunk_rows: i64,
    /// Rows of its chunks that are done.
    pub reached: i64,
    /// What became of rows, over all chunks.
    pub counts: Counts,
    /// The first chunk that is done and whose rows do not add up, or that is not and counts some all the same.
    pub bad_chunk: Option<i64>,
    /// Rejected rows that are kept.
    pub rejects: i64,
}

const CHUNKS: &str = "SELECT COALESCE(SUM(row_count), 0), COALESCE(SUM(state * row_count), 0), \
    COALESCE(SUM(rows_imported), 0), COALESCE(SUM(rows_duplicate), 0), COALESCE(SUM(rows_rejected), 0), \
    COALESCE(SUM(rows_skipped), 0), COALESCE(SUM(orders_imported), 0), COALESCE(SUM(orders_duplicate), 0), \
    COALESCE(SUM(orders_differ), 0), COALESCE(SUM(orders_rejected), 0), \
    MIN(CASE WHEN rows_imported + rows_duplicate + rows_rejected + rows_skipped <> state * row_count \
        THEN chunk END) FROM import_chunks WHERE import_id = ?";

/// The tallies of up to `limit` imports, in the order of ids, from the one after `after`.
pub fn list_tallies(tx: &mut Tx<'_>, after: ImportId, limit: u32) -> Result<Vec<Tally>> {
    let sql = "SELECT id, status, rows_total FROM imports WHERE id > ? ORDER BY id LIMIT ?";
    let imports = tx.query(sql, &[after.get().into(), limit.into()], |row| {
        let status = rows::code(row, 1, "the status of an import", ImportStatus::from_code)?;
        Ok((ImportId::from_ledger(row.get(0)?), status, row.get(2)?))
    })?;
    let mut tallies = Vec::with_capacity(imports.len());
    for (id, status, rows_total) in imports {
        let rejects = tx.query_one(
            "SELECT COUNT(*) FROM import_rejects WHERE import_id = ?",
            &[id.get().into()],
            |row| row.get(0),
        )?;
        let tally = |row: &Row<'_>| {
            Ok(Tally {
                id,
                status,
                rows_total,
                chunk_rows: row.get(0)?,
                reached: row.get(1)?,
                counts: Counts {
                    rows_imported: row.get(2)?,
                    rows_duplicate: row.get(3)?,
                    rows_rejected: row.get(4)?,
                    rows_skipped: row.get(5)?,
                    orders_imported: row.get(6)?,
                    orders_duplicate: row.get(7)?,
                    orders_differ: row.get(8)?,
                    orders_rejected: row.get(9)?,
                },
                bad_chunk: row.get(10)?,
                rejects,
            })
        };
        tallies.push(tx.query_one(CHUNKS, &[id.get().into()], tally)?);
    }
    Ok(tallies)
}
