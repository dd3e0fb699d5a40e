use rusqlite::Connection;
use rusqlite::types::Value;

use crate::place::Home;

/// A database that our own code has filled, from which the limits take their rows.
///
/// It has a table `batches (id, batch)` that parts the orders, in the order of their ids, into batches.
pub struct Reference {
    connection: Connection,
    pub batches: usize,
    /// Whether jobs and figures were kept in Redis.
    pub has_redis: bool,
}

impl Reference {
    pub fn open(filled: &Home, orders_a_batch: usize) -> anyhow::Result<Self> {
        let connection = Connection::open(filled.file())?;
        connection.execute_batch(&format!(
            "CREATE TEMP TABLE batches AS SELECT id, (row_number() OVER (ORDER BY id) - 1) / {orders_a_batch} AS batch \
             FROM orders; CREATE UNIQUE INDEX temp.batches_id ON batches (id);"
        ))?;
        let batches: u32 =
            connection.query_row("SELECT MAX(batch) + 1 FROM batches", [], |row| row.get(0))?;
        let batches = batches as usize;
        Ok(Reference { connection, batches, has_redis: filled.redis().is_some() })
    }

    /// A number from the reference.
    pub fn number(&self, sql: &str) -> anyhow::Result<usize> {
        Ok(self.connection.query_row(sql, [], |row| row.get::<_, u32>(0))? as usize)
    }

    /// The rows of `select`, whose first column is the batch.
    pub fn rows(&self, select: &str) -> anyhow::Result<Rows> {
        let mut query = self.connection.prepare(select)?;
        let columns: Vec<String> = query.column_names().skip(1).map(str::to_owned).collect();
        let mut batches = vec![Vec::new(); self.batches];
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let batch = row.get::<_, u32>(0)? as usize;
            for column in 1..=columns.len() {
                batches[batch].push(row.get::<_, Value>(column)?);
            }
        }
        Ok(Rows { columns, batches })
    }

    /// Inserts the rows of `select`, whose columns after the first are named as the table's.
    pub fn insert(&self, table: &'static str, select: &str) -> anyhow::Result<Statement> {
        self.upsert(table, select, "")
    }

    /// [`insert`](Self::insert) with an `ON CONFLICT` clause.
    pub fn upsert(&self, table: &'static str, select: &str, on_conflict: &str) -> anyhow::Result<Statement> {
        let change = Change::Insert { on_conflict: on_conflict.to_owned() };
        Ok(Statement { table, change, rows: self.rows(select)? })
    }

    /// Changes the row that each row of `select` names by `key`; `set` has its values as `new.column`.
    pub fn update(
        &self,
        table: &'static str,
        set: &'static str,
        key: &'static [&'static str],
        select: &str,
    ) -> anyhow::Result<Statement> {
        Ok(Statement { table, change: Change::Update { set, key }, rows: self.rows(select)? })
    }

    /// Deletes the rows that the columns of `select` name.
    pub fn delete(&self, table: &'static str, select: &str) -> anyhow::Result<Statement> {
        Ok(Statement { table, change: Change::Delete, rows: self.rows(select)? })
    }
}

/// Rows, batch by batch: their values, one after the other.
pub struct Rows {
    pub columns: Vec<String>,
    pub batches: Vec<Vec<Value>>,
}

impl Rows {
    pub fn of(&self, batch: usize) -> impl Iterator<Item = &[Value]> {
        self.batches[batch].chunks_exact(self.columns.len())
    }
}

/// What is done with rows.
pub struct Statement {
    pub table: &'static str,
    pub change: Change,
    pub rows: Rows,
}

pub enum Change {
    Insert { on_conflict: String },
    Update { set: &'static str, key: &'static [&'static str] },
    Delete,
}
