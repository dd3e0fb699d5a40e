//! The limits: bare loops of prepared statements over rows held in memory, with the same schema and durability.

pub mod end_to_end;
pub mod import;
pub mod jobs;
mod statement;

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

pub use statement::{Reference, Statement};

/// What a bare loop does, transaction by transaction, for each batch.
pub struct Script {
    pub batches: usize,
    pub transactions: Vec<Vec<Step>>,
}

pub enum Step {
    /// Writes the rows of the batch.
    Write(Statement),
    /// Takes as many jobs of a queue as it has, up to a batch.
    Claim(&'static str),
    /// Deletes the jobs that were taken.
    Complete,
}

impl Script {
    /// Runs it on an empty database with the schema; returns the seconds it took.
    pub fn run(&self, database: &Path) -> anyhow::Result<f64> {
        let connection = open(database)?;
        let mut claimed = Vec::new();
        let began = Instant::now();
        for batch in 0..self.batches {
            for transaction in &self.transactions {
                in_transaction(&connection, || {
                    for step in transaction {
                        match step {
                            Step::Write(statement) => statement.run(&connection, batch)?,
                            Step::Claim(queue) => claimed = jobs::claim(&connection, queue, BATCH)?,
                            Step::Complete => jobs::complete(&connection, &claimed)?,
                        }
                    }
                    Ok(())
                })?;
            }
        }
        Ok(began.elapsed().as_secs_f64())
    }
}

/// Orders, or jobs, of a transaction.
pub const BATCH: usize = 500;

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

fn in_transaction<T>(connection: &Connection, run: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let value = run()?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(value)
}
