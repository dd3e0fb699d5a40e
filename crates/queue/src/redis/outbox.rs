//! What the ledger's database knows of the jobs that Redis keeps.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Value};

use super::jobs::Offer;
use super::packed::{Fixed, id_text, micros_text};
use crate::job::{Job, Kept, NewJob, Pushed};
use crate::sql::ending::{Ending, let_go};
use crate::sql::push::{assign_ids, count_in_batches, scope_code, take_keys};
use crate::sql::rows::{limit, tags_to_text, values};
use crate::{BatchId, Error, JobId, Result, State};

const COLUMNS: &[&str] = &[
    "id",
    "queue",
    "kind",
    "args",
    "priority",
    "run_at",
    "max_attempts",
    "batch",
    "unique_key",
    "unique_scope",
    "tags",
    "fence",
    "enqueued_at",
];

/// The first token that may land.
const FIRST_TOKEN: i64 = 1;

/// Writes down what is expected of Redis. Returns what became of each job, and those to be offered.
pub(super) fn push(tx: &mut Tx<'_>, jobs: &[NewJob], at: Timestamp) -> Result<(Vec<Pushed>, Vec<Expected>)> {
    for job in jobs {
        job.check()?;
    }
    if let Some(id) = jobs.iter().filter_map(|job| job.id).find(|id| id.0 < 0) {
        return Err(Error::NegativeId(id));
    }
    let mut pushed = assign_ids(tx, jobs, "SELECT id FROM job_outbox WHERE id IN ({in})")?;
    if jobs.iter().any(|job| job.unique.is_some()) {
        take_keys(tx, jobs, &mut pushed, at)?;
    }
    let new: Vec<Expected> = jobs
        .iter()
        .zip(&pushed)
        .filter(|(_, pushed)| pushed.is_new())
        .map(|(job, pushed)| Expected::new(job, pushed.id(), at))
        .collect();
    insert(tx, &new)?;
    if jobs.iter().any(|job| job.batch.is_some()) {
        count_in_batches(tx, jobs, &pushed)?;
    }
    Ok((pushed, new))
}

pub(super) fn insert(tx: &mut Tx<'_>, jobs: &[Expected]) -> Result<()> {
    let mut rows = Vec::with_capacity(jobs.len() * COLUMNS.len());
    for job in jobs {
        job.put(&mut rows);
    }
    tx.insert_rows(&Insert { table: "job_outbox", columns: COLUMNS, conflict: Conflict::Error }, &rows)?;
    Ok(())
}

/// A row of the outbox: a job that has not ended.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) id: JobId,
    pub(super) queue: String,
    pub(super) kind: String,
    pub(super) args: String,
    pub(super) priority: u8,
    pub(super) run_at: Option<Timestamp>,
    pub(super) max_attempts: Option<u32>,
    pub(super) batch: Option<BatchId>,
    pub(super) unique_key: Option<String>,
    pub(super) unique_scope: Option<i64>,
    pub(super) tags: Option<String>,
    pub(super) fence: i64,
    pub(super) enqueued_at: i64,
}

impl Expected {
    fn new(job: &NewJob, id: JobId, at: Timestamp) -> Self {
        Expected {
            id,
            queue: job.queue.clone(),
            kind: job.kind.clone(),
            args: job.args.clone(),
            priority: job.priority,
            run_at: job.run_at.filter(|run_at| *run_at > at),
            max_attempts: job.max_attempts,
            batch: job.batch,
            unique_key: job.unique.as_ref().map(|unique| unique.key.clone()),
            unique_scope: job.unique.as_ref().map(|unique| scope_code(unique.scope)),
            tags: tags_to_text(&job.tags),
            fence: FIRST_TOKEN,
            enqueued_at: at.as_microsecond(),
        }
    }

    fn put<'a>(&'a self, rows: &mut Vec<Value<'a>>) {
        rows.extend([
            self.id.into(),
            Value::from(&self.queue),
            Value::from(&self.kind),
            Value::from(&self.args),
            self.priority.into(),
            self.run_at.into(),
            self.max_attempts.into(),
            self.batch.into(),
            self.unique_key.as_deref().into(),
            self.unique_scope.into(),
            self.tags.as_deref().into(),
            self.fence.into(),
            self.enqueued_at.into(),
        ]);
    }

    fn read(row: &Row<'_>) -> sql::Result<Self> {
        Ok(Expected {
            id: JobId(row.get(0)?),
            queue: row.get(1)?,
            kind: row.get(2)?,
            args: row.get(3)?,
            priority: row.get(4)?,
            run_at: row.get(5)?,
            max_attempts: row.get(6)?,
            batch: row.get::<Option<i64>>(7)?.map(BatchId),
            unique_key: row.get(8)?,
            unique_scope: row.get(9)?,
            tags: row.get(10)?,
            fence: row.get(11)?,
            enqueued_at: row.get(12)?,
        })
    }

    /// The job as Redis is told of it, claimed `attempt` times so far.
    pub(super) fn offer(&self, attempt: i64) -> Offer {
        let fixed = Fixed {
            kind: &self.kind,
            args: &self.args,
            unique_key: self.unique_key.as_deref(),
            unique_scope: self.unique_scope,
            enqueued_at: self.enqueued_at,
            max_attempts: self.max_attempts,
            batch: self.batch,
        };
        let (state, due) = match self.run_at {
            Some(run_at) => (State::Scheduled, run_at.as_microsecond()),
            None => (State::Available, self.enqueued_at),
        };
        Offer {
            id: id_text(self.id),
            state,
            due: micros_text(due),
            priority: self.priority,
            attempt: attempt.max(0),
            text: fixed.pack(),
            tags: self.tags.clone().unwrap_or_default(),
        }
    }

    pub(super) fn ending(&self) -> Ending<'_> {
        Ending { id: self.id, unique_key: self.unique_key.as_deref(), tags: &[], batch: self.batch }
    }
}

/// Rows by their ids; locked.
pub(super) fn by_ids(tx: &mut Tx<'_>, ids: impl IntoIterator<Item = JobId>) -> Result<Vec<Expected>> {
    let lock = tx.dialect().for_update();
    rows(tx, ids, lock)
}

/// Rows by their ids, as a reader sees them.
pub(super) fn list(tx: &mut Tx<'_>, ids: impl IntoIterator<Item = JobId>) -> Result<Vec<Expected>> {
    rows(tx, ids, "")
}

fn rows(tx: &mut Tx<'_>, ids: impl IntoIterator<Item = JobId>, lock: &str) -> Result<Vec<Expected>> {
    let text = format!("SELECT {} FROM job_outbox WHERE id IN ({{in}}){lock}", COLUMNS.join(", "));
    Ok(tx.query_in(&text, &[], &values(ids), Expected::read)?)
}

/// The ids that the ledger expects, of these.
pub(super) fn expected(tx: &mut Tx<'_>, ids: impl IntoIterator<Item = JobId>) -> Result<Vec<JobId>> {
    let text = "SELECT id FROM job_outbox WHERE id IN ({in})";
    Ok(tx.query_in(text, &[], &values(ids), |row| row.get(0).map(JobId))?)
}

/// The first token that may land, of each job that the ledger expects.
pub(super) fn fences(tx: &mut Tx<'_>, ids: impl IntoIterator<Item = JobId>) -> Result<HashMap<JobId, i64>> {
    first_tokens(tx, ids, "")
}

fn first_tokens(
    tx: &mut Tx<'_>,
    ids: impl IntoIterator<Item = JobId>,
    lock: &str,
) -> Result<HashMap<JobId, i64>> {
    let text = format!("SELECT id, fence FROM job_outbox WHERE id IN ({{in}}){lock}");
    let rows = tx.query_in(&text, &[], &values(ids), |row| Ok((JobId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.into_iter().collect())
}

/// Whether each of these jobs may land, as nearly always: a count takes no row from the server to here.
fn may_all_land(tx: &mut Tx<'_>, jobs: &[Job], lock: &str) -> Result<bool> {
    let Some(first_attempt) = jobs.iter().map(|job| job.attempt).min() else { return Ok(true) };
    let text = format!("SELECT COUNT(*) FROM job_outbox WHERE fence <= ? AND id IN ({{in}}){lock}");
    let ids = values(jobs.iter().map(|job| job.id));
    let counts = tx.query_in(&text, &[first_attempt.into()], &ids, |row| row.get::<usize>(0))?;
    Ok(counts.iter().sum::<usize>() == jobs.len())
}

/// The jobs that may land; their rows are locked. And those that the ledger expects no more.
pub(super) fn keep<'j>(tx: &mut Tx<'_>, jobs: &'j [Job]) -> Result<(Kept<'j>, Vec<&'j Job>)> {
    let lock = tx.dialect().for_update();
    if may_all_land(tx, jobs, lock)? {
        return Ok((Kept::split(jobs, |_| true), Vec::new()));
    }
    let fences = first_tokens(tx, jobs.iter().map(|job| job.id), lock)?;
    let gone = jobs.iter().filter(|job| !fences.contains_key(&job.id)).collect();
    let kept =
        Kept::split(jobs, |job| fences.get(&job.id).is_some_and(|fence| *fence <= i64::from(job.attempt)));
    Ok((kept, gone))
}

/// Deletes the rows of jobs that may land; returns how many there were. One statement for each token number, of which
/// a batch has one as a rule.
pub(super) fn complete(tx: &mut Tx<'_>, jobs: &[&Job]) -> Result<usize> {
    let mut by_attempt: BTreeMap<u32, Vec<Value<'_>>> = BTreeMap::new();
    for job in jobs {
        by_attempt.entry(job.attempt).or_default().push(job.id.into());
    }
    let mut deleted = 0;
    for (attempt, ids) in by_attempt {
        let text = "DELETE FROM job_outbox WHERE fence <= ? AND id IN ({in})";
        deleted += tx.execute_in(text, &[attempt.into()], &ids)?;
    }
    Ok(deleted as usize)
}

/// Ends jobs: their rows go, they give their keys back and count in their batches. Returns the callbacks of batches that
/// ended with them, for the caller to push.
pub(super) fn end(tx: &mut Tx<'_>, rows: &[Expected], state: State, at: Timestamp) -> Result<Vec<NewJob>> {
    let ids = values(rows.iter().map(|row| row.id));
    tx.execute_in("DELETE FROM job_outbox WHERE id IN ({in})", &[], &ids)?;
    let endings: Vec<Ending<'_>> = rows.iter().map(Expected::ending).collect();
    let_go(tx, &endings, state, at)
}

/// From now on, only tokens from `fence` on may land; a Redis that forgets the job is told to wait until `run_at`. Rows
/// of fence, time, id.
pub(super) fn raise_fences(tx: &mut Tx<'_>, rows: &[Value<'_>]) -> Result<()> {
    tx.execute_each("UPDATE job_outbox SET fence = ?, run_at = ? WHERE id = ?", 3, rows)?;
    Ok(())
}

/// A row as the sweeper looks at it.
pub(super) struct Glimpse {
    pub(super) id: JobId,
    pub(super) queue: String,
    pub(super) enqueued_at: Timestamp,
}

/// The next rows after an id.
pub(super) fn page(tx: &mut Tx<'_>, after: i64, max: usize) -> Result<Vec<Glimpse>> {
    let text = "SELECT id, queue, enqueued_at FROM job_outbox WHERE id > ? ORDER BY id LIMIT ?";
    Ok(tx.query(text, &[after.into(), limit(max)], glimpse)?)
}

/// The newest rows.
pub(super) fn newest(tx: &mut Tx<'_>, max: usize) -> Result<Vec<Glimpse>> {
    let text = "SELECT id, queue, enqueued_at FROM job_outbox ORDER BY id DESC LIMIT ?";
    Ok(tx.query(text, &[limit(max)], glimpse)?)
}

fn glimpse(row: &Row<'_>) -> sql::Result<Glimpse> {
    Ok(Glimpse { id: JobId(row.get(0)?), queue: row.get(1)?, enqueued_at: row.get(2)? })
}

/// How many rows there are, none counted beyond `most`.
pub(super) fn count(tx: &mut Tx<'_>, most: usize) -> Result<usize> {
    let text = "SELECT COUNT(*) FROM (SELECT 1 FROM job_outbox LIMIT ?) AS some_rows";
    Ok(tx.query_one(text, &[limit(most)], |row| row.get(0))?)
}

/// The mark of this ledger; made when it is asked for first.
pub(super) fn epoch(tx: &mut Tx<'_>, new: i64) -> Result<i64> {
    let insert = Insert { table: "job_epochs", columns: &["id", "epoch"], conflict: Conflict::Ignore };
    tx.insert_rows(&insert, &[Value::Int(1), new.into()])?;
    Ok(tx.query_one("SELECT epoch FROM job_epochs WHERE id = 1", &[], |row| row.get(0))?)
}
