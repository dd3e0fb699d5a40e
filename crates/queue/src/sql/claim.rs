//! Giving jobs to workers, and keeping them there.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use sql::{Database, Dialect, Tx, Value};

use super::push::UNTIL_STARTED;
use super::rows::{CLAIMED, Names, claimed, limit, values};
use crate::backend::{Beat, Claim};
use crate::job::{Job, Kept, Token};
use crate::{Error, JobId, Result, State};

/// Claims in a write transaction, but only when a reader has seen something to claim: an idle worker never takes
/// the writer's turn.
pub(super) async fn claim(db: &Database, claim: Claim, at: Timestamp) -> Result<Vec<Job>> {
    if claim.max == 0 || ready(db, Arc::from([claim.queue.to_string()])).await?.is_empty() {
        return Ok(Vec::new());
    }
    db.write("claim_jobs", move |tx| take(tx, &claim, at)).await
}

fn take(tx: &mut Tx<'_>, claim: &Claim, at: Timestamp) -> Result<Vec<Job>> {
    if is_paused(tx, &claim.queue)? {
        return Ok(Vec::new());
    }
    let params = [claim.queue.as_ref().into(), State::Available.code().into(), limit(claim.max)];
    let mut kinds = Names::default();
    let jobs = tx.query(&available(tx.dialect()), &params, |row| claimed(row, &claim.queue, &mut kinds))?;
    tx.execute_in(
        "UPDATE jobs SET state = ?, due = ?, attempt = attempt + 1, started_at = ?, worker = ? WHERE id IN ({in})",
        &[State::Executing.code().into(), claim.until.into(), at.into(), claim.worker.0.into()],
        &values(jobs.iter().map(|job| job.id)),
    )?;
    let keys: Vec<Value<'_>> = jobs
        .iter()
        .filter_map(|job| {
            Some([Value::from(job.unique_key.as_deref()?), job.id.into(), UNTIL_STARTED.into()])
        })
        .flatten()
        .collect();
    tx.execute_each("DELETE FROM job_keys WHERE unique_key = ? AND job = ? AND scope = ?", 3, &keys)?;
    Ok(jobs)
}

/// The first jobs of a queue to be had.
pub(super) fn available(dialect: Dialect) -> String {
    format!(
        "SELECT {CLAIMED} FROM jobs WHERE queue = ? AND state = ? ORDER BY due LIMIT ?{}",
        dialect.skip_locked()
    )
}

/// Whether a queue has a job in a state.
pub(super) const ANY: &str = "SELECT 1 FROM jobs WHERE queue = ? AND state = ? LIMIT 1";

fn is_paused(tx: &mut Tx<'_>, queue: &str) -> Result<bool> {
    let found =
        tx.query_opt("SELECT 1 FROM job_pauses WHERE what = 'queue' AND name = ?", &[queue.into()], |row| {
            row.get::<i64>(0)
        })?;
    Ok(found.is_some())
}

pub(super) async fn ready(db: &Database, queues: Arc<[String]>) -> Result<Vec<String>> {
    db.read("ready_queues", move |tx| {
        let mut ready = Vec::new();
        for queue in queues.iter() {
            let place = [queue.into(), State::Available.code().into()];
            let waits = tx.query_opt(ANY, &place, |row| row.get::<i64>(0))?;
            if waits.is_some() && !is_paused(tx, queue)? {
                ready.push(queue.clone());
            }
        }
        Ok(ready)
    })
    .await
}

/// The jobs that are still under the token they were claimed with; their rows are locked.
pub(super) fn keep<'j>(tx: &mut Tx<'_>, jobs: &'j [Job]) -> Result<Kept<'j>> {
    let tokens = executing(tx, jobs.iter().map(|job| job.id))?;
    Ok(Kept::split(jobs, |job| tokens.get(&job.id).is_some_and(|held| held.attempt == job.attempt)))
}

/// The token and mark of an executing job.
pub(super) struct Held {
    pub(super) attempt: u32,
    pub(super) cancelling: bool,
}

pub(super) fn executing(
    tx: &mut Tx<'_>,
    ids: impl IntoIterator<Item = JobId>,
) -> Result<HashMap<JobId, Held>> {
    let text = format!(
        "SELECT id, attempt, cancelling FROM jobs WHERE state = ? AND id IN ({{in}}){}",
        tx.dialect().for_update()
    );
    let rows = tx.query_in(&text, &[State::Executing.code().into()], &values(ids), |row| {
        Ok((JobId(row.get(0)?), Held { attempt: row.get(1)?, cancelling: row.get(2)? }))
    })?;
    Ok(rows.into_iter().collect())
}

pub(super) async fn extend(db: &Database, tokens: Arc<[Token]>, until: Timestamp) -> Result<Beat> {
    db.write("extend_leases", move |tx| {
        let held = executing(tx, tokens.iter().map(|token| token.id))?;
        let mut beat = Beat::default();
        let mut kept = Vec::with_capacity(tokens.len());
        for token in tokens.iter() {
            match held.get(&token.id) {
                Some(found) if found.attempt == token.attempt => {
                    kept.push(token.id);
                    if found.cancelling {
                        beat.cancelled.push(token.id);
                    }
                }
                _ => beat.lost.push(token.id),
            }
        }
        tx.execute_in("UPDATE jobs SET due = ? WHERE id IN ({in})", &[until.into()], &values(kept))?;
        Ok::<_, Error>(beat)
    })
    .await
}
