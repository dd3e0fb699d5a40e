use domain::ImportId;
use sql::{Conflict, Insert, Tx, Value};

use crate::Result;

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
