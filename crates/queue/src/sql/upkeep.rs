//! The steps that keep jobs moving, each bounded by `max`.

use jiff::Timestamp;
use sql::{Database, Tx, Value};

use super::batches;
use super::ending::{Ending, Stored, erase, release};
use super::rows::{PRIORITY_STEP, due_ids, limit, queues, tags_from_text, values};
use super::settle::{CANCELLED_WHILE_EXECUTING, Failure, mark_ended, note};
use crate::backend::{Moved, Pruning, Reaping};
use crate::settings::Retention;
use crate::{BatchId, JobId, Result, State};

pub(super) fn promote(tx: &mut Tx<'_>, max: usize, at: Timestamp) -> Result<Moved> {
    let text =
        format!("UPDATE jobs SET state = ?, due = priority * {PRIORITY_STEP} + due WHERE id IN ({{in}})");
    let mut moved = Moved::default();
    for queue in queues(tx)? {
        let before = moved.count;
        for state in [State::Scheduled, State::Retryable] {
            let ids = due_ids(tx, &queue, state, at, max - moved.count)?;
            moved.count += ids.len();
            tx.execute_in(&text, &[State::Available.code().into()], &values(ids))?;
        }
        if moved.count > before {
            moved.queues.push(queue);
        }
    }
    Ok(moved)
}

pub(super) fn reap(
    tx: &mut Tx<'_>,
    max: usize,
    rules: Reaping,
    retention: Retention,
    at: Timestamp,
) -> Result<Moved> {
    let mut moved = Moved::default();
    for queue in queues(tx)? {
        cut_back(tx, &queue, max, rules.latest)?;
        let ids: Vec<JobId> =
            due_ids(tx, &queue, State::Executing, at, max - moved.count)?.into_iter().map(JobId).collect();
        if ids.is_empty() {
            continue;
        }
        moved.count += ids.len();
        let lost = Stored::by_ids(tx, &ids)?;
        let (cancelled, lost): (Vec<_>, Vec<_>) = lost.into_iter().partition(|job| job.cancelling);
        let (spent, again): (Vec<_>, Vec<_>) =
            lost.into_iter().partition(|job| job.losses + 1 >= rules.max_losses);
        let reason = CANCELLED_WHILE_EXECUTING;
        moved.callbacks.extend(end(tx, &cancelled, State::Cancelled, reason, retention, at)?);
        let reason = format!("discarded: {} workers were lost while they ran it", rules.max_losses);
        moved.callbacks.extend(end(tx, &spent, State::Discarded, &reason, retention, at)?);
        if !again.is_empty() {
            offer_again(tx, &again, at)?;
            moved.queues.push(queue);
        }
    }
    Ok(moved)
}

pub(super) const BEYOND: &str =
    "SELECT id FROM jobs WHERE queue = ? AND state = ? AND due > ? ORDER BY due DESC LIMIT ?";

/// Shortens leases that end later than any lease can: their times were taken from a clock that was set back since.
fn cut_back(tx: &mut Tx<'_>, queue: &str, max: usize, latest: Timestamp) -> Result<()> {
    let params = [queue.into(), State::Executing.code().into(), latest.into(), limit(max)];
    let ids = tx.query(BEYOND, &params, |row| row.get::<i64>(0))?;
    tx.execute_in("UPDATE jobs SET due = ? WHERE id IN ({in})", &[latest.into()], &values(ids))?;
    Ok(())
}

/// Puts the jobs of lost workers back where they were taken from: before all that became available later.
fn offer_again(tx: &mut Tx<'_>, jobs: &[Stored], at: Timestamp) -> Result<()> {
    let text = format!(
        "UPDATE jobs SET state = ?, due = priority * {PRIORITY_STEP} + started_at, losses = losses + 1, \
         started_at = NULL, worker = NULL WHERE id IN ({{in}})"
    );
    tx.execute_in(&text, &[State::Available.code().into()], &values(jobs.iter().map(|job| job.id)))?;
    let losses: Vec<Failure<'_>> = jobs
        .iter()
        .map(|job| failure(job, State::Available, "its worker was lost: the lease ended"))
        .collect();
    note(tx, &losses, at)
}

fn end(
    tx: &mut Tx<'_>,
    jobs: &[Stored],
    state: State,
    reason: &str,
    retention: Retention,
    at: Timestamp,
) -> Result<Vec<crate::NewJob>> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let ids = values(jobs.iter().map(|job| job.id));
    tx.execute_in("UPDATE jobs SET losses = losses + 1 WHERE id IN ({in})", &[], &ids)?;
    mark_ended(tx, jobs.iter().map(|job| job.id), state, retention, at)?;
    let reasons: Vec<Failure<'_>> = jobs.iter().map(|job| failure(job, state, reason)).collect();
    note(tx, &reasons, at)?;
    let endings: Vec<Ending<'_>> = jobs.iter().map(Stored::ending).collect();
    release(tx, &endings, state, at)
}

fn failure<'a>(job: &Stored, state: State, message: &'a str) -> Failure<'a> {
    Failure { job: job.id, attempt: job.attempt, state, message }
}

pub(super) fn prune(tx: &mut Tx<'_>, max: usize, rules: Pruning, at: Timestamp) -> Result<usize> {
    let mut pruned = 0;
    for queue in queues(tx)? {
        for state in State::ALL.into_iter().filter(|state| state.has_ended()) {
            let ids = due_ids(tx, &queue, state, at, max - pruned)?;
            pruned += ids.len();
            delete(tx, &ids)?;
            let ids = surplus(tx, &queue, state, rules.keep_at_most, max - pruned)?;
            pruned += ids.len();
            delete(tx, &ids)?;
        }
    }
    Ok(pruned + prune_shared(tx, max, rules, at)?)
}

/// Deletes expired keys and finished batches. Returns how many rows.
pub(crate) fn prune_shared(tx: &mut Tx<'_>, max: usize, rules: Pruning, at: Timestamp) -> Result<usize> {
    let keys = tx.query(
        "SELECT unique_key FROM job_keys WHERE expires_at <= ? ORDER BY expires_at LIMIT ?",
        &[at.into(), limit(max)],
        |row| row.get::<String>(0),
    )?;
    let keys: Vec<Value<'_>> = keys.iter().map(Value::from).collect();
    let pruned = tx.execute_in("DELETE FROM job_keys WHERE unique_key IN ({in})", &[], &keys)? as usize;
    Ok(pruned + prune_batches(tx, max, rules.batches_before)?)
}

pub(super) const SURPLUS: &str =
    "SELECT id FROM jobs WHERE queue = ? AND state = ? ORDER BY due DESC, id DESC LIMIT ? OFFSET ?";

/// The oldest of the ended jobs that are more than are kept.
fn surplus(tx: &mut Tx<'_>, queue: &str, state: State, keep: usize, max: usize) -> Result<Vec<i64>> {
    let params = [queue.into(), state.code().into(), limit(max), limit(keep)];
    Ok(tx.query(SURPLUS, &params, |row| row.get(0))?)
}

fn delete(tx: &mut Tx<'_>, ids: &[i64]) -> Result<()> {
    let ids = values(ids.iter().copied());
    let jobs = tx.query_in("SELECT id, tags FROM jobs WHERE id IN ({in})", &[], &ids, |row| {
        Ok((JobId(row.get(0)?), tags_from_text(row.get(1)?)))
    })?;
    let endings: Vec<Ending<'_>> =
        jobs.iter().map(|(id, tags)| Ending { id: *id, unique_key: None, tags, batch: None }).collect();
    erase(tx, &endings)?;
    tx.execute_in("DELETE FROM jobs WHERE id IN ({in})", &[], &ids)?;
    Ok(())
}

fn prune_batches(tx: &mut Tx<'_>, max: usize, before: Timestamp) -> Result<usize> {
    let text = "SELECT id FROM job_batches WHERE finished_at < ? ORDER BY id LIMIT ?";
    let old = tx.query(text, &[before.into(), limit(max)], |row| row.get(0).map(BatchId))?;
    batches::delete(tx, old)
}

pub(super) const FIRST_DUE: &str = "SELECT due FROM jobs WHERE queue = ? AND state = ? ORDER BY due LIMIT 1";

pub(super) async fn next_due(db: &Database) -> Result<Option<Timestamp>> {
    db.read("next_due_job", |tx| {
        let mut next: Option<Timestamp> = None;
        for queue in queues(tx)? {
            for state in [State::Scheduled, State::Retryable, State::Executing] {
                let due =
                    tx.query_opt(FIRST_DUE, &[Value::from(&queue), state.code().into()], |row| row.get(0))?;
                next = [next, due].into_iter().flatten().min();
            }
        }
        Ok(next)
    })
    .await
}
