//! Jobs that are counted together.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sql::{Database, Row, Tx, Value};

use super::rows::{limit, values};
use crate::batch::{BatchProgress, NewBatch};
use crate::job::NewJob;
use crate::{BatchId, Error, Result, State};

/// Creates a batch without jobs. Whoever has pushed its jobs calls [`finish_if_empty`].
pub(crate) fn create(tx: &mut Tx<'_>, batch: &NewBatch, at: Timestamp) -> Result<BatchId> {
    let id = BatchId(tx.next_ids("job_batches", 1)?.start);
    let callback = batch.callback.as_ref().map(serde_json::to_string).transpose().map_err(|error| {
        Error::Corrupt { what: "the callback of batch", id: id.0, reason: error.to_string() }
    })?;
    tx.execute(
        "INSERT INTO job_batches (id, name, callback, total, pending, created_at) VALUES (?, ?, ?, 0, 0, ?)",
        &[id.into(), Value::from(&batch.name), callback.into(), at.into()],
    )?;
    Ok(id)
}

/// Counts new jobs in their batches.
pub(crate) fn grow(tx: &mut Tx<'_>, sizes: &BTreeMap<BatchId, i64>) -> Result<()> {
    for (batch, size) in sizes {
        let found = tx.execute(
            "UPDATE job_batches SET total = total + ?, pending = pending + ? WHERE id = ? AND finished_at IS NULL",
            &[(*size).into(), (*size).into(), (*batch).into()],
        )?;
        if found == 0 {
            return Err(if read(tx, *batch)?.is_some() {
                Error::BatchFinished(*batch)
            } else {
                Error::UnknownBatch(*batch)
            });
        }
    }
    Ok(())
}

/// Counts jobs that ended; returns the callbacks of batches that ended with them, for the caller to push.
pub(crate) fn shrink(
    tx: &mut Tx<'_>,
    ended: &BTreeMap<BatchId, i64>,
    state: State,
    at: Timestamp,
) -> Result<Vec<NewJob>> {
    let mut callbacks = Vec::new();
    for (batch, count) in ended {
        count_ended(tx, *batch, state, *count)?;
        callbacks.extend(finish_if_empty(tx, *batch, at)?);
    }
    Ok(callbacks)
}

/// Counts ended jobs as pending again. A batch that has finished stays finished: its callback ran.
pub(crate) fn reopen(tx: &mut Tx<'_>, ended: &BTreeMap<(BatchId, State), i64>) -> Result<()> {
    for ((batch, state), count) in ended {
        count_ended(tx, *batch, *state, -count)?;
    }
    Ok(())
}

fn count_ended(tx: &mut Tx<'_>, batch: BatchId, state: State, count: i64) -> Result<()> {
    let column = match state {
        State::Completed => "completed",
        State::Discarded => "discarded",
        _ => "cancelled",
    };
    let text = format!("UPDATE job_batches SET pending = pending - ?, {column} = {column} + ? WHERE id = ?");
    tx.execute(&text, &[count.into(), count.into(), batch.into()])?;
    Ok(())
}

/// Finishes a batch that has no pending job; returns its callback, for the caller to push.
pub(crate) fn finish_if_empty(tx: &mut Tx<'_>, batch: BatchId, at: Timestamp) -> Result<Option<NewJob>> {
    let finished = tx.execute(
        "UPDATE job_batches SET finished_at = ? WHERE id = ? AND pending = 0 AND finished_at IS NULL",
        &[at.into(), batch.into()],
    )?;
    if finished == 0 {
        return Ok(None);
    }
    let callback = tx.query_one("SELECT callback FROM job_batches WHERE id = ?", &[batch.into()], |row| {
        row.get::<Option<String>>(0)
    })?;
    let Some(callback) = callback else { return Ok(None) };
    let callback = serde_json::from_str(&callback).map_err(|error| Error::Corrupt {
        what: "the callback of batch",
        id: batch.0,
        reason: error.to_string(),
    })?;
    Ok(Some(callback))
}

const COLUMNS: &str = "id, name, total, pending, completed, discarded, cancelled, created_at, finished_at";

fn progress(row: &Row<'_>) -> sql::Result<BatchProgress> {
    Ok(BatchProgress {
        id: BatchId(row.get(0)?),
        name: row.get(1)?,
        total: row.get(2)?,
        pending: row.get(3)?,
        completed: row.get(4)?,
        discarded: row.get(5)?,
        cancelled: row.get(6)?,
        created_at: row.get(7)?,
        finished_at: row.get(8)?,
    })
}

fn read(tx: &mut Tx<'_>, id: BatchId) -> Result<Option<BatchProgress>> {
    let text = format!("SELECT {COLUMNS} FROM job_batches WHERE id = ?");
    Ok(tx.query_opt(&text, &[id.into()], progress)?)
}

pub(super) async fn find(db: &Database, id: BatchId) -> Result<Option<BatchProgress>> {
    db.read("batch", move |tx| read(tx, id)).await
}

pub(super) async fn list(db: &Database, before: Option<BatchId>, max: usize) -> Result<Vec<BatchProgress>> {
    let before = before.map_or(i64::MAX, |id| id.0);
    db.read("batches", move |tx| {
        let text = format!("SELECT {COLUMNS} FROM job_batches WHERE id < ? ORDER BY id DESC LIMIT ?");
        Ok(tx.query(&text, &[before.into(), limit(max)], progress)?)
    })
    .await
}

pub(super) fn delete(tx: &mut Tx<'_>, ids: impl IntoIterator<Item = BatchId>) -> Result<usize> {
    Ok(tx.execute_in("DELETE FROM job_batches WHERE id IN ({in})", &[], &values(ids))? as usize)
}
