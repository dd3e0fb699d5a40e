//! Jobs by bare statements.

use rusqlite::{Connection, named_params, params};

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
pub fn insert(
    connection: &Connection,
    queue: &str,
    first: i64,
    count: usize,
    args: &str,
) -> anyhow::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO jobs (id, queue, state, due, kind, priority, max_attempts, enqueued_at, args) \
         VALUES (:id, :queue, 1, :id, 'no_op', 100, NULL, 0, :args)",
    )?;
    for id in first..first + i64::try_from(count)? {
        insert.execute(named_params! {":id": id, ":queue": queue, ":args": args})?;
    }
    Ok(())
}
