use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// Rows that a multi-row statement carries; more make it no faster.
const ROWS: usize = 32;

/// A database that our own code has filled, from which the limits take their rows.
///
/// It has a table `batches (id, batch)` that parts the orders, in the order of their ids, into batches.
pub struct Reference {
    connection: Connection,
    pub batches: usize,
}

impl Reference {
    pub fn open(database: &Path, orders_a_batch: usize) -> anyhow::Result<Self> {
        let connection = Connection::open(database)?;
        connection.execute_batch(&format!(
            "CREATE TEMP TABLE batches AS SELECT id, (row_number() OVER (ORDER BY id) - 1) / {orders_a_batch} AS batch \
             FROM orders; CREATE UNIQUE INDEX temp.batches_id ON batches (id);"
        ))?;
        let batches: u32 =
            connection.query_row("SELECT MAX(batch) + 1 FROM batches", [], |row| row.get(0))?;
        let batches = batches as usize;
        Ok(Reference { connection, batches })
    }

    /// A number from the reference.
    pub fn number(&self, sql: &str) -> anyhow::Result<usize> {
        Ok(self.connection.query_row(sql, [], |row| row.get::<_, u32>(0))? as usize)
    }

    /// Inserts the rows of `select`, whose first column is the batch and whose others are named as the table's.
    pub fn insert(&self, table: &str, select: &str) -> anyhow::Result<Statement> {
        self.upsert(table, select, "")
    }

    /// [`insert`](Self::insert) with an `ON CONFLICT` clause.
    pub fn upsert(&self, table: &str, select: &str, on_conflict: &str) -> anyhow::Result<Statement> {
        let columns = self.connection.prepare(select)?;
        let columns: Vec<&str> = columns.column_names().skip(1).collect();
        let row = format!("({})", vec!["?"; columns.len()].join(","));
        let text = |rows: usize| {
            let rows = vec![row.as_str(); rows].join(",");
            format!("INSERT INTO {table} ({}) VALUES {rows} {on_conflict}", columns.join(", "))
        };
        self.statement(text(1), Some(text(ROWS)), select)
    }

    /// Runs a statement once for each row of `select`, whose first column is the batch.
    pub fn each(&self, sql: &str, select: &str) -> anyhow::Result<Statement> {
        self.statement(sql.to_owned(), None, select)
    }

    fn statement(&self, one: String, many: Option<String>, select: &str) -> anyhow::Result<Statement> {
        let mut query = self.connection.prepare(select)?;
        let width = query.column_count() - 1;
        let mut batches = vec![Vec::new(); self.batches];
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let batch = row.get::<_, u32>(0)? as usize;
            for column in 1..=width {
                batches[batch].push(row.get::<_, Value>(column)?);
            }
        }
        Ok(Statement { one, many, width, batches })
    }
}

/// A statement and the values it is run with, batch by batch.
pub struct Statement {
    one: String,
    many: Option<String>,
    width: usize,
    batches: Vec<Vec<Value>>,
}

impl Statement {
    pub fn run(&self, connection: &Connection, batch: usize) -> anyhow::Result<()> {
        let mut rest = self.batches[batch].as_slice();
        if let Some(many) = &self.many {
            let wide = self.width * ROWS;
            let (whole, left) = rest.split_at(rest.len() / wide * wide);
            execute(connection, many, wide, whole)?;
            rest = left;
        }
        execute(connection, &self.one, self.width, rest)
    }
}

fn execute(connection: &Connection, sql: &str, width: usize, values: &[Value]) -> anyhow::Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    for values in values.chunks_exact(width) {
        statement.execute(params_from_iter(values))?;
    }
    Ok(())
}
