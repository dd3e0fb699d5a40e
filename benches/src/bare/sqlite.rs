//! The bare loop on SQLite: prepared statements on one connection.

use std::path::Path;
use std::time::Instant;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::statement::{Change, Statement};
use super::{BATCH, Script, Step, jobs};

/// Rows that a multi-row statement carries; more make it no faster.
const ROWS: usize = 32;

/// Runs a script on an empty database with the schema; returns the seconds it took.
pub fn run(script: &Script, database: &Path) -> anyhow::Result<f64> {
    let connection = open(database)?;
    let mut claimed = Vec::new();
    let began = Instant::now();
    for batch in 0..script.batches {
        for transaction in &script.transactions {
            in_transaction(&connection, || {
                for step in transaction {
                    match step {
                        Step::Write(statement) => write(&connection, statement, batch)?,
                        Step::Claim(queue) => claimed = jobs::claim(&connection, queue, BATCH)?,
                        Step::Complete(_) => jobs::complete(&connection, &claimed)?,
                        Step::Push(..) | Step::Put(..) => unreachable!("a file has no Redis beside it"),
                    }
                }
                Ok(())
            })?;
        }
    }
    Ok(began.elapsed().as_secs_f64())
}

/// A connection with what pays on this schema: a log, synced at every commit, and 16 MiB of pages at hand.
pub fn open(database: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(database)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

pub fn in_transaction<T>(
    connection: &Connection,
    run: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let value = run()?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(value)
}

fn write(connection: &Connection, statement: &Statement, batch: usize) -> anyhow::Result<()> {
    let (width, mut rest) = (statement.rows.columns.len(), statement.rows.batches[batch].as_slice());
    if let Change::Insert { .. } = statement.change {
        let wide = width * ROWS;
        let (whole, left) = rest.split_at(rest.len() / wide * wide);
        execute(connection, &text(statement, ROWS), wide, whole)?;
        rest = left;
    }
    execute(connection, &text(statement, 1), width, rest)
}

/// The statement for so many rows; only an insert takes more than one.
fn text(statement: &Statement, rows: usize) -> String {
    let Statement { table, change, rows: of } = statement;
    let columns = &of.columns;
    let parameter = |name: &str| columns.iter().position(|column| column == name).map_or(0, |at| at + 1);
    let is_parameter = |name: &str| format!("{name} = ?{}", parameter(name));
    match change {
        Change::Insert { on_conflict } => {
            let row = format!("({})", vec!["?"; columns.len()].join(","));
            let rows = vec![row.as_str(); rows].join(",");
            format!("INSERT INTO {table} ({}) VALUES {rows} {on_conflict}", columns.join(", "))
        }
        Change::Update { set, key } => {
            let set = with_new(set, columns, |column| format!("?{}", parameter(column)));
            let key: Vec<String> = key.iter().map(|name| is_parameter(name)).collect();
            format!("UPDATE {table} SET {set} WHERE {}", key.join(" AND "))
        }
        Change::Delete => {
            let key: Vec<String> = columns.iter().map(|name| is_parameter(name)).collect();
            format!("DELETE FROM {table} WHERE {}", key.join(" AND "))
        }
    }
}

/// Assignments with something in the place of each `new.column`.
pub fn with_new(set: &str, columns: &[String], with: impl Fn(&str) -> String) -> String {
    columns.iter().fold(set.to_owned(), |set, column| set.replace(&format!("new.{column}"), &with(column)))
}

fn execute(connection: &Connection, sql: &str, width: usize, values: &[Value]) -> anyhow::Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    for values in values.chunks_exact(width) {
        statement.execute(params_from_iter(values))?;
    }
    Ok(())
}
