//! What becomes of claimed jobs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sql::{Conflict, Insert, Tx, Value};

use super::claim::executing;
use super::ending::{Ending, erase, release};
use super::rows::{PRIORITY_STEP, values};
use crate::backend::{Change, Settled};
use crate::clock::later;
use crate::job::{Job, NewJob};
use crate::settings::Retention;
use crate::{Error, JobId, Result, State};

/// Completes jobs under their tokens; fails when one of them is not there any more.
pub(super) fn complete(
    tx: &mut Tx<'_>,
    jobs: &[&Job],
    retention: Retention,
    at: Timestamp,
) -> Result<Vec<NewJob>> {
    let completed = end_rows(tx, jobs, retention, at)?;
    if completed < jobs.len() {
        return Err(Error::Stale { jobs: jobs.len(), stale: jobs.len() - completed });
    }
    let endings: Vec<Ending<'_>> =
        jobs.iter().filter(|job| job.has_extras()).map(|job| Ending::of(job)).collect();
    if endings.is_empty() {
        return Ok(Vec::new());
    }
    if retention.completed.is_zero() {
        erase(tx, &endings)?;
    }
    release(tx, &endings, State::Completed, at)
}

/// Deletes, or keeps as completed, the rows of executing jobs; returns how many there were. One statement for each
/// token number, of which a batch has one as a rule.
fn end_rows(tx: &mut Tx<'_>, jobs: &[&Job], retention: Retention, at: Timestamp) -> Result<usize> {
    let mut by_attempt: BTreeMap<u32, Vec<Value<'_>>> = BTreeMap::new();
    for job in jobs {
        by_attempt.entry(job.attempt).or_default().push(job.id.into());
    }
    let mut ended = 0;
    for (attempt, ids) in by_attempt {
        let executing = State::Executing.code().into();
        ended += if retention.completed.is_zero() {
            let text = "DELETE FROM jobs WHERE state = ? AND attempt = ? AND id IN ({in})";
            tx.execute_in(text, &[executing, attempt.into()], &ids)?
        } else {
            let keep_until = later(at, retention.completed);
            tx.execute_in(
                "UPDATE jobs SET state = ?, due = ?, finished_at = ? \
                 WHERE state = ? AND attempt = ? AND id IN ({in})",
                &[State::Completed.code().into(), keep_until.into(), at.into(), executing, attempt.into()],
                &ids,
            )?
        };
    }
    Ok(ended as usize)
}

/// Applies a change to each job that is still under its token.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    jobs: &[Job],
    changes: &[Option<Change>],
    retention: Retention,
    at: Timestamp,
) -> Result<Settled> {
    let wanted = || jobs.iter().zip(changes).filter_map(|(job, change)| Some((job, change.as_ref()?)));
    if wanted().all(|(job, change)| *change == Change::Complete && !job.has_extras()) {
        let all: Vec<&Job> = wanted().map(|(job, _)| job).collect();
        let stale = all.len() - end_rows(tx, &all, retention, at)?;
        return Ok(Settled { stale, ..Settled::default() });
    }
    let held = executing(tx, wanted().map(|(job, _)| job.id))?;
    let called_off = Change::Cancel { reason: CANCELLED_WHILE_EXECUTING.to_owned() };
    let mut settled = Settled::default();
    let mut groups: BTreeMap<State, Vec<(&Job, &Change)>> = BTreeMap::new();
    for (job, change) in wanted() {
        match held.get(&job.id) {
            Some(found) if found.attempt == job.attempt => {
                let waits = !change.state().has_ended();
                let change = if found.cancelling && waits { &called_off } else { change };
                settled.cancelled += usize::from(found.cancelling && waits);
                groups.entry(change.state()).or_default().push((job, change));
            }
            _ => settled.stale += 1,
        }
    }
    for (state, group) in groups {
        match state {
            State::Completed => {
                let jobs: Vec<&Job> = group.iter().map(|(job, _)| *job).collect();
                settled.callbacks.extend(complete(tx, &jobs, retention, at)?);
            }
            State::Discarded | State::Cancelled => {
                settled.callbacks.extend(end(tx, &group, state, retention, at)?);
            }
            _ => put_back(tx, &group, at)?,
        }
    }
    Ok(settled)
}

/// The reason of a job that was called off while it ran.
pub(crate) const CANCELLED_WHILE_EXECUTING: &str = "cancelled while it was executing";

fn put_back(tx: &mut Tx<'_>, group: &[(&Job, &Change)], at: Timestamp) -> Result<()> {
    let mut waiting = Vec::new();
    let mut available = Vec::new();
    let mut errors = Vec::new();
    for (job, change) in group {
        match change {
            Change::Retry { error, at: run_at } => {
                put(&mut waiting, State::Retryable, *run_at, 1, job.id);
                errors.push(Failure {
                    job: job.id,
                    attempt: job.attempt,
                    state: State::Retryable,
                    message: error,
                });
            }
            Change::Snooze { at: run_at } => put(&mut waiting, State::Scheduled, *run_at, 0, job.id),
            _ => available.extend([State::Available.code().into(), job.available_at.into(), job.id.into()]),
        }
    }
    tx.execute_each(
        "UPDATE jobs SET state = ?, due = ?, failures = failures + ?, started_at = NULL, worker = NULL WHERE id = ?",
        4,
        &waiting,
    )?;
    let text = format!(
        "UPDATE jobs SET state = ?, due = priority * {PRIORITY_STEP} + ?, started_at = NULL, worker = NULL \
         WHERE id = ?"
    );
    tx.execute_each(&text, 3, &available)?;
    note(tx, &errors, at)
}

fn put(rows: &mut Vec<Value<'_>>, state: State, run_at: Timestamp, failures: u32, id: JobId) {
    rows.extend([state.code().into(), run_at.into(), failures.into(), id.into()]);
}

fn end(
    tx: &mut Tx<'_>,
    group: &[(&Job, &Change)],
    state: State,
    retention: Retention,
    at: Timestamp,
) -> Result<Vec<NewJob>> {
    let mut errors = Vec::with_capacity(group.len());
    let mut endings = Vec::with_capacity(group.len());
    for (job, change) in group {
        if let Change::Cancel { reason: message } | Change::Discard { error: message } = change {
            errors.push(Failure { job: job.id, attempt: job.attempt, state, message });
        }
        endings.push(Ending::of(job));
    }
    mark_ended(tx, endings.iter().map(|ending| ending.id), state, retention, at)?;
    if state == State::Discarded {
        let ids = values(endings.iter().map(|ending| ending.id));
        tx.execute_in("UPDATE jobs SET failures = failures + 1 WHERE id IN ({in})", &[], &ids)?;
    }
    note(tx, &errors, at)?;
    release(tx, &endings, state, at)
}

/// Keeps jobs as discarded or cancelled for as long as such jobs are kept.
pub(super) fn mark_ended(
    tx: &mut Tx<'_>,
    ids: impl IntoIterator<Item = JobId>,
    state: State,
    retention: Retention,
    at: Timestamp,
) -> Result<()> {
    let keep_until = later(at, retention.ended);
    tx.execute_in(
        "UPDATE jobs SET state = ?, due = ?, finished_at = ?, cancelling = 0 WHERE id IN ({in})",
        &[state.code().into(), keep_until.into(), at.into()],
        &values(ids),
    )?;
    Ok(())
}

/// Why a job came to a state.
pub(super) struct Failure<'a> {
    pub(super) job: JobId,
    pub(super) attempt: u32,
    pub(super) state: State,
    pub(super) message: &'a str,
}

/// The most of a message that is kept.
pub(crate) const LONGEST_MESSAGE: usize = 4000;
/// Attempts whose errors are kept: a job may fail for ever.
const ATTEMPTS_KEPT: u32 = 50;

/// Adds to the errors of jobs.
pub(super) fn note(tx: &mut Tx<'_>, failures: &[Failure<'_>], at: Timestamp) -> Result<()> {
    let rows: Vec<Value<'_>> = failures
        .iter()
        .flat_map(|failure| {
            let end = failure.message.floor_char_boundary(LONGEST_MESSAGE);
            let message = &failure.message[..end];
            [
                failure.job.into(),
                failure.attempt.into(),
                failure.state.code().into(),
                at.into(),
                message.into(),
            ]
        })
        .collect();
    let insert = Insert {
        table: "job_errors",
        columns: &["job", "attempt", "state", "at", "message"],
        conflict: Conflict::Update {
            key: &["job", "attempt", "state"],
            set: &["at = new.at", "message = new.message"],
        },
    };
    tx.insert_rows(&insert, &rows)?;
    let too_old: Vec<Value<'_>> = failures
        .iter()
        .filter_map(|failure| Some([failure.job.into(), failure.attempt.checked_sub(ATTEMPTS_KEPT)?.into()]))
        .flatten()
        .collect();
    tx.execute_each("DELETE FROM job_errors WHERE job = ? AND attempt <= ?", 2, &too_old)?;
    Ok(())
}
