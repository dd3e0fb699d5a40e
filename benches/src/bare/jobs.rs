//! Jobs by bare statements.

use std::time::Instant;

use rusqlite::{Connection, named_params, params};

use super::BATCH;
use super::sqlite::in_transaction;

/// Takes up to `most` jobs.
pub fn claim(connection: &Connection, queue: &str, most: usize) -> anyhow::Result<Vec<i64>> {
    let mut select = connection.prepare_cached(
        "SELECT id, kind, args, attempt FROM jobs WHERE queue = ? AND state = 1 ORDER BY due LIMIT ?",
    )?;
    let rows = select.query_map(params![queue, i64::try_from(most)?], |row| {
        let _args: String = row.get(2)?;
        row.get(0)
    })?;
    let ids = rows.collect::<Result<Vec<i64>, _>>()?;
    let mut update = connection.prepare_cached(
        "UPDATE jobs SET state = 2, due = 1, attempt = attempt + 1, started_at = 1, worker = 1 WHERE id = ?",
    )?;
    for id in &ids {
        update.execute([id])?;
    }
    Ok(ids)
}

pub fn complete(connection: &Connection, ids: &[i64]) -> anyhow::Result<()> {
    let mut delete =
        connection.prepare_cached("DELETE FROM jobs WHERE id = ? AND state = 2 AND attempt = 1")?;
    for id in ids {
        delete.execute([id])?;
    }
    Ok(())
}

/// Inserts jobs with ids from `first` on.
fn insert(connection: &Connection, queue: &str, first: i64, count: usize, args: &str) -> anyhow::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO jobs (id, queue, state, due, kind, priority, max_attempts, enqueued_at, args) \
         VALUES (:id, :queue, 1, :id, 'no_op', 100, NULL, 0, :args)",
    )?;
    for id in first..first + i64::try_from(count)? {
        insert.execute(named_params! {":id": id, ":queue": queue, ":args": args})?;
    }
    Ok(())
}

/// Enqueues, takes and deletes jobs, a batch and a transaction at a time; returns the seconds it took.
pub fn run(connection: &Connection, jobs: usize, args: &str) -> anyhow::Result<f64> {
    let began = Instant::now();
    for round in 0..jobs / BATCH {
        let first = i64::try_from(round * BATCH)?;
        in_transaction(connection, || insert(connection, "default", first, BATCH, args))?;
        let claimed = in_transaction(connection, || claim(connection, "default", BATCH))?;
        in_transaction(connection, || complete(connection, &claimed))?;
    }
    Ok(began.elapsed().as_secs_f64())
}
