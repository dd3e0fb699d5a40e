//! Jobs that change the place where they are kept: from the table of jobs to Redis, with a row in the outbox, and back.

use sql::{Conflict, Insert, Tx, Value};

use super::ending::{Ending, erase};
use super::rows::{PRIORITY_STEP, limit, tags_from_text, values};
use crate::{JobId, Result, State};

/// States of jobs that have not ended.
const OPEN: [State; 4] = [State::Scheduled, State::Available, State::Executing, State::Retryable];

/// Writes up to `max` jobs of the table into the outbox instead, for a sweeper to bring to Redis. A worker that runs one
/// of them finds its token stale. Returns how many.
pub(crate) fn to_outbox(tx: &mut Tx<'_>, max: usize) -> Result<usize> {
    let open = OPEN.map(|state| state.code().to_string()).join(", ");
    let lock = tx.dialect().for_update();
    let text = format!("SELECT id, tags FROM jobs WHERE state IN ({open}) ORDER BY id LIMIT ?{lock}");
    let jobs = tx.query(&text, &[limit(max)], |row| Ok((JobId(row.get(0)?), tags_from_text(row.get(1)?))))?;
    let ids = values(jobs.iter().map(|(id, _)| *id));
    let [scheduled, retryable] = [State::Scheduled, State::Retryable].map(State::code);
    let text = format!(
        "INSERT INTO job_outbox (id, queue, kind, args, priority, run_at, max_attempts, batch, unique_key, unique_scope, \
         tags, fence, enqueued_at) SELECT id, queue, kind, args, priority, \
         CASE WHEN state IN ({scheduled}, {retryable}) THEN due ELSE NULL END, max_attempts, batch, unique_key, \
         unique_scope, tags, attempt + 1, enqueued_at FROM jobs WHERE id IN ({{in}})"
    );
    tx.execute_in(&text, &[], &ids)?;
    let left: Vec<Ending<'_>> =
        jobs.iter().map(|(id, tags)| Ending { id: *id, unique_key: None, tags, batch: None }).collect();
    erase(tx, &left)?;
    tx.execute_in("DELETE FROM jobs WHERE id IN ({in})", &[], &ids)?;
    Ok(jobs.len())
}

/// Writes up to `max` jobs of the outbox into the table instead. Returns how many.
pub(crate) fn from_outbox(tx: &mut Tx<'_>, max: usize) -> Result<usize> {
    let lock = tx.dialect().for_update();
    let text = format!("SELECT id, tags FROM job_outbox ORDER BY id LIMIT ?{lock}");
    let jobs = tx.query(&text, &[limit(max)], |row| Ok((row.get::<i64>(0)?, tags_from_text(row.get(1)?))))?;
    let ids: Vec<Value<'_>> = jobs.iter().map(|(id, _)| Value::Int(*id)).collect();
    let [available, scheduled] = [State::Available, State::Scheduled].map(State::code);
    let text = format!(
        "INSERT INTO jobs (id, queue, state, due, kind, priority, attempt, max_attempts, enqueued_at, batch, unique_key, \
         unique_scope, tags, args) SELECT id, queue, CASE WHEN run_at IS NULL THEN {available} ELSE {scheduled} END, \
         CASE WHEN run_at IS NULL THEN priority * {PRIORITY_STEP} + enqueued_at ELSE run_at END, kind, priority, \
         fence, max_attempts, enqueued_at, batch, unique_key, unique_scope, tags, args \
         FROM job_outbox WHERE id IN ({{in}})"
    );
    tx.execute_in(&text, &[], &ids)?;
    let tags: Vec<Value<'_>> = jobs
        .iter()
        .flat_map(|(id, tags)| tags.iter().flat_map(|tag| [tag.into(), Value::Int(*id)]))
        .collect();
    let into = Insert { table: "job_tags", columns: &["tag", "job"], conflict: Conflict::Ignore };
    tx.insert_rows(&into, &tags)?;
    tx.execute_in("DELETE FROM job_outbox WHERE id IN ({in})", &[], &ids)?;
    Ok(jobs.len())
}
