//! What operators do to jobs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sql::{Tx, Value};

use super::batches;
use super::ending::{Ending, Stored, erase, release};
use super::push::{NEVER, UNTIL_FINISHED, hold_keys};
use super::rows::{PRIORITY_STEP, values};
use super::settle::{Failure, mark_ended, note};
use crate::backend::{Cancelled, Forgotten, Moved};
use crate::settings::Retention;
use crate::{JobId, Result, State};

/// Makes jobs available, with all their attempts before them again.
pub(super) fn retry(tx: &mut Tx<'_>, ids: &[JobId], at: Timestamp) -> Result<Moved> {
    let mut jobs = Stored::by_ids(tx, ids)?;
    jobs.retain(|job| !matches!(job.state, State::Available | State::Executing));
    drop_those_whose_key_is_held(tx, &mut jobs)?;
    let mut reopened = BTreeMap::new();
    for job in jobs.iter().filter(|job| job.state.has_ended()) {
        if let Some(batch) = job.batch {
            *reopened.entry((batch, job.state)).or_insert(0) += 1;
        }
    }
    batches::reopen(tx, &reopened)?;
    let ids = values(jobs.iter().map(|job| job.id));
    let text = format!(
        "UPDATE jobs SET state = ?, due = priority * {PRIORITY_STEP} + ?, failures = 0, losses = 0, \
         cancelling = 0, started_at = NULL, finished_at = NULL, worker = NULL WHERE id IN ({{in}})"
    );
    tx.execute_in(&text, &[State::Available.code().into(), at.into()], &ids)?;
    let mut queues =
        tx.query_in("SELECT DISTINCT queue FROM jobs WHERE id IN ({in})", &[], &ids, |row| row.get(0))?;
    queues.sort_unstable();
    queues.dedup();
    Ok(Moved { count: jobs.len(), queues, callbacks: Vec::new() })
}

/// An ended job gave its key back. It takes it again, and stays ended where another job holds it now.
fn drop_those_whose_key_is_held(tx: &mut Tx<'_>, jobs: &mut Vec<Stored>) -> Result<()> {
    let wants = |job: &Stored| {
        let scope = job.unique_scope.filter(|scope| *scope <= UNTIL_FINISHED && job.state.has_ended())?;
        Some((job.unique_key.clone()?, scope))
    };
    let mut rows: Vec<Value<'_>> = Vec::new();
    for job in jobs.iter() {
        if let Some((key, scope)) = wants(job) {
            rows.extend([key.into(), job.id.into(), scope.into(), NEVER.into()]);
        }
    }
    let holders = hold_keys_if_free(tx, rows)?;
    jobs.retain(|job| wants(job).is_none_or(|(key, _)| holders.get(&key) == Some(&job.id)));
    Ok(())
}

/// Takes the keys that are free; rows of key, job, scope, expiry. Returns who holds each.
pub(crate) fn hold_keys_if_free(tx: &mut Tx<'_>, rows: Vec<Value<'_>>) -> Result<BTreeMap<String, JobId>> {
    hold_keys(tx, &rows)?;
    let keys: Vec<Value<'_>> = rows.into_iter().step_by(4).collect();
    let holders =
        tx.query_in("SELECT unique_key, job FROM job_keys WHERE unique_key IN ({in})", &[], &keys, |row| {
            Ok((row.get(0)?, JobId(row.get(1)?)))
        })?;
    Ok(holders.into_iter().collect())
}

pub(super) fn cancel(
    tx: &mut Tx<'_>,
    ids: &[JobId],
    reason: &str,
    retention: Retention,
    at: Timestamp,
) -> Result<Cancelled> {
    let jobs = Stored::by_ids(tx, ids)?;
    let (executing, waiting): (Vec<_>, Vec<_>) =
        jobs.into_iter().filter(|job| !job.state.has_ended()).partition(|job| job.state == State::Executing);
    let asked: Vec<JobId> = executing.iter().map(|job| job.id).collect();
    tx.execute_in("UPDATE jobs SET cancelling = 1 WHERE id IN ({in})", &[], &values(asked.iter().copied()))?;
    mark_ended(tx, waiting.iter().map(|job| job.id), State::Cancelled, retention, at)?;
    let reasons: Vec<Failure<'_>> = waiting
        .iter()
        .map(|job| Failure { job: job.id, attempt: job.attempt, state: State::Cancelled, message: reason })
        .collect();
    note(tx, &reasons, at)?;
    let endings: Vec<Ending<'_>> = waiting.iter().map(Stored::ending).collect();
    let callbacks = release(tx, &endings, State::Cancelled, at)?;
    Ok(Cancelled { cancelled: waiting.len(), asked, callbacks })
}

/// Deletes jobs that are not executing; those that had not ended count as cancelled in their batches.
pub(super) fn forget(tx: &mut Tx<'_>, ids: &[JobId], at: Timestamp) -> Result<Forgotten> {
    let mut jobs = Stored::by_ids(tx, ids)?;
    jobs.retain(|job| job.state != State::Executing);
    let all: Vec<Ending<'_>> = jobs.iter().map(Stored::ending).collect();
    let waiting: Vec<Ending<'_>> =
        jobs.iter().filter(|job| !job.state.has_ended()).map(Stored::ending).collect();
    let ids = values(jobs.iter().map(|job| job.id));
    let count = tx.execute_in("DELETE FROM jobs WHERE id IN ({in})", &[], &ids)? as usize;
    erase(tx, &all)?;
    let callbacks = release(tx, &waiting, State::Cancelled, at)?;
    Ok(Forgotten { count, callbacks })
}
