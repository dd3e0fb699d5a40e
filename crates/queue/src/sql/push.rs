//! Storing jobs.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use sql::{Conflict, Insert, Tx, Value};

use super::batches;
use super::rows::{available_due, tags_to_text, values};
use crate::backend::CreatedBatch;
use crate::batch::NewBatch;
use crate::clock::later;
use crate::job::{NewJob, Pushed, Scope, Unique};
use crate::{JobId, Result, State};

const PLAIN: &[&str] =
    &["id", "queue", "state", "due", "kind", "priority", "max_attempts", "enqueued_at", "args"];
const WITH_EXTRAS: &[&str] = &[
    "id",
    "queue",
    "state",
    "due",
    "kind",
    "priority",
    "max_attempts",
    "enqueued_at",
    "args",
    "batch",
    "unique_key",
    "unique_scope",
    "tags",
];

pub(super) fn push(tx: &mut Tx<'_>, jobs: &[NewJob], at: Timestamp) -> Result<Vec<Pushed>> {
    for job in jobs {
        job.check()?;
    }
    let mut pushed = assign_ids(tx, jobs, "SELECT id FROM jobs WHERE id IN ({in})")?;
    if jobs.iter().any(|job| job.unique.is_some()) {
        take_keys(tx, jobs, &mut pushed, at)?;
    }
    let new = || jobs.iter().zip(&pushed).filter(|(_, pushed)| pushed.is_new());
    let extras = jobs.iter().any(NewJob::has_extras);
    let columns = if extras { WITH_EXTRAS } else { PLAIN };
    let mut rows = Vec::with_capacity(jobs.len() * columns.len());
    for (job, pushed) in new() {
        put_row(&mut rows, job, pushed.id(), at, extras);
    }
    tx.insert_rows(&Insert { table: "jobs", columns, conflict: Conflict::Error }, &rows)?;
    if extras {
        let tags: Vec<Value<'_>> = new()
            .flat_map(|(job, pushed)| job.tags.iter().flat_map(|tag| [tag.into(), pushed.id().into()]))
            .collect();
        let into = Insert { table: "job_tags", columns: &["tag", "job"], conflict: Conflict::Ignore };
        tx.insert_rows(&into, &tags)?;
        count_in_batches(tx, jobs, &pushed)?;
    }
    Ok(pushed)
}

/// Counts new jobs in their batches.
pub(crate) fn count_in_batches(tx: &mut Tx<'_>, jobs: &[NewJob], pushed: &[Pushed]) -> Result<()> {
    let mut sizes = BTreeMap::new();
    for (job, _) in jobs.iter().zip(pushed).filter(|(_, pushed)| pushed.is_new()) {
        if let Some(batch) = job.batch {
            *sizes.entry(batch).or_insert(0) += 1;
        }
    }
    batches::grow(tx, &sizes)
}

/// Creates a batch with its jobs, and pushes its callback at once where it has none.
pub(super) fn create_batch(tx: &mut Tx<'_>, batch: &NewBatch, at: Timestamp) -> Result<CreatedBatch> {
    let id = batches::create(tx, batch, at)?;
    let jobs: Vec<NewJob> = batch.jobs.iter().cloned().map(|job| job.batch(id)).collect();
    let pushed = push(tx, &jobs, at)?;
    let callbacks: Vec<NewJob> = batches::finish_if_empty(tx, id, at)?.into_iter().collect();
    push(tx, &callbacks, at)?;
    Ok(CreatedBatch { id, jobs: pushed, callbacks })
}

fn put_row<'a>(rows: &mut Vec<Value<'a>>, job: &'a NewJob, id: JobId, at: Timestamp, extras: bool) {
    let (state, due) = match job.run_at {
        Some(run_at) if run_at > at => (State::Scheduled, run_at.as_microsecond()),
        _ => (State::Available, available_due(job.priority, at)),
    };
    rows.extend([
        id.into(),
        Value::from(&job.queue),
        state.code().into(),
        due.into(),
        Value::from(&job.kind),
        job.priority.into(),
        job.max_attempts.into(),
        at.into(),
        Value::from(&job.args),
    ]);
    if extras {
        rows.extend([
            job.batch.into(),
            job.unique.as_ref().map(|unique| unique.key.as_str()).into(),
            job.unique.as_ref().map(|unique| scope_code(unique.scope)).into(),
            tags_to_text(&job.tags).into(),
        ]);
    }
}

/// Gives each job its id; those whose own id is taken exist already. `stored` selects the ids of a list that are.
pub(crate) fn assign_ids(tx: &mut Tx<'_>, jobs: &[NewJob], stored: &str) -> Result<Vec<Pushed>> {
    let own: Vec<JobId> = jobs.iter().filter_map(|job| job.id).collect();
    let mut fresh = match jobs.len() - own.len() {
        0 => 0..0,
        missing => tx.next_ids("jobs", missing as u64)?,
    };
    let mut taken: HashSet<JobId> = if own.is_empty() {
        HashSet::new()
    } else {
        tx.query_in(stored, &[], &values(own), |row| row.get(0).map(JobId))?.into_iter().collect()
    };
    Ok(jobs
        .iter()
        .map(|job| match job.id {
            Some(id) if taken.insert(id) => Pushed::New(id),
            Some(id) => Pushed::Exists(id),
            // The block holds one id for each job without its own.
            None => Pushed::New(JobId(fresh.next().unwrap_or_default())),
        })
        .collect())
}

/// Takes the unique keys of new jobs; a job whose key is held exists already, as the holder.
pub(crate) fn take_keys(
    tx: &mut Tx<'_>,
    jobs: &[NewJob],
    pushed: &mut [Pushed],
    at: Timestamp,
) -> Result<()> {
    let wanted: Vec<(usize, &Unique)> = jobs
        .iter()
        .enumerate()
        .filter(|(index, _)| pushed[*index].is_new())
        .filter_map(|(index, job)| Some((index, job.unique.as_ref()?)))
        .collect();
    let keys: Vec<Value<'_>> = wanted.iter().map(|(_, unique)| Value::from(&unique.key)).collect();
    tx.execute_in(
        "DELETE FROM job_keys WHERE expires_at <= ? AND unique_key IN ({in})",
        &[at.into()],
        &keys,
    )?;
    let rows: Vec<Value<'_>> = wanted
        .iter()
        .flat_map(|(index, unique)| {
            [
                Value::from(&unique.key),
                pushed[*index].id().into(),
                scope_code(unique.scope).into(),
                expiry(unique.scope, at).into(),
            ]
        })
        .collect();
    hold_keys(tx, &rows)?;
    let holders: HashMap<String, JobId> = tx
        .query_in("SELECT unique_key, job FROM job_keys WHERE unique_key IN ({in})", &[], &keys, |row| {
            Ok((row.get(0)?, JobId(row.get(1)?)))
        })?
        .into_iter()
        .collect();
    for (index, unique) in wanted {
        match holders.get(&unique.key) {
            Some(holder) if *holder != pushed[index].id() => pushed[index] = Pushed::Exists(*holder),
            _ => {}
        }
    }
    Ok(())
}

/// Takes keys that are free; rows of key, job, scope, expiry.
pub(crate) fn hold_keys(tx: &mut Tx<'_>, rows: &[Value<'_>]) -> Result<()> {
    let columns = &["unique_key", "job", "scope", "expires_at"];
    tx.insert_rows(&Insert { table: "job_keys", columns, conflict: Conflict::Ignore }, rows)?;
    Ok(())
}

/// Codes up to [`UNTIL_FINISHED`] end with the job.
pub(crate) const UNTIL_STARTED: i64 = 0;
pub(crate) const UNTIL_FINISHED: i64 = 1;
const FOR_A_TIME: i64 = 2;

/// The expiry of a key that has none.
pub(crate) const NEVER: i64 = i64::MAX;

pub(crate) const fn scope_code(scope: Scope) -> i64 {
    match scope {
        Scope::UntilStarted => UNTIL_STARTED,
        Scope::UntilFinished => UNTIL_FINISHED,
        Scope::For(_) => FOR_A_TIME,
    }
}

fn expiry(scope: Scope, at: Timestamp) -> i64 {
    match scope {
        Scope::For(time) => later(at, time).as_microsecond(),
        Scope::UntilStarted | Scope::UntilFinished => NEVER,
    }
}
