//! What a job leaves behind besides its row, and how it is cleared away.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sql::{Row, Tx, Value};

use super::batches;
use super::push::{UNTIL_FINISHED, push};
use super::rows::{tags_from_text, values};
use crate::job::{Job, NewJob};
use crate::{BatchId, JobId, Result, State};

/// A job that ends, with what it holds.
pub(crate) struct Ending<'a> {
    pub(crate) id: JobId,
    pub(crate) unique_key: Option<&'a str>,
    pub(crate) tags: &'a [String],
    pub(crate) batch: Option<BatchId>,
}

impl<'a> Ending<'a> {
    pub(crate) fn of(job: &'a Job) -> Self {
        Ending { id: job.id, unique_key: job.unique_key.as_deref(), tags: &job.tags, batch: job.batch }
    }
}

/// A stored job, read for what its end touches.
pub(super) struct Stored {
    pub(super) id: JobId,
    pub(super) state: State,
    pub(super) attempt: u32,
    pub(super) losses: u32,
    pub(super) cancelling: bool,
    pub(super) unique_key: Option<String>,
    pub(super) unique_scope: Option<i64>,
    pub(super) tags: Vec<String>,
    pub(super) batch: Option<BatchId>,
}

impl Stored {
    /// The columns of [`Stored::read`].
    pub(super) const COLUMNS: &'static str =
        "id, state, attempt, losses, cancelling, unique_key, unique_scope, tags, batch";

    pub(super) fn read(row: &Row<'_>) -> sql::Result<Self> {
        Ok(Stored {
            id: JobId(row.get(0)?),
            // A code that we do not know counts as executing: nobody touches it.
            state: State::from_code(row.get(1)?).unwrap_or(State::Executing),
            attempt: row.get(2)?,
            losses: row.get(3)?,
            cancelling: row.get(4)?,
            unique_key: row.get(5)?,
            unique_scope: row.get(6)?,
            tags: tags_from_text(row.get(7)?),
            batch: row.get::<Option<i64>>(8)?.map(BatchId),
        })
    }

    pub(super) fn ending(&self) -> Ending<'_> {
        Ending { id: self.id, unique_key: self.unique_key.as_deref(), tags: &self.tags, batch: self.batch }
    }

    /// Stored jobs by id; locked.
    pub(super) fn by_ids(tx: &mut Tx<'_>, ids: &[JobId]) -> Result<Vec<Stored>> {
        let text =
            format!("SELECT {} FROM jobs WHERE id IN ({{in}}){}", Stored::COLUMNS, tx.dialect().for_update());
        Ok(tx.query_in(&text, &[], &values(ids.iter().copied()), Stored::read)?)
    }
}

/// Gives back the unique keys of jobs that ended and counts them in their batches. Returns the callbacks of batches
/// whose last jobs these were, pushed.
pub(super) fn release(
    tx: &mut Tx<'_>,
    endings: &[Ending<'_>],
    state: State,
    at: Timestamp,
) -> Result<Vec<NewJob>> {
    let callbacks = let_go(tx, endings, state, at)?;
    push(tx, &callbacks, at)?;
    Ok(callbacks)
}

/// The same, but leaves the callbacks for the caller to push.
pub(crate) fn let_go(
    tx: &mut Tx<'_>,
    endings: &[Ending<'_>],
    state: State,
    at: Timestamp,
) -> Result<Vec<NewJob>> {
    let keys: Vec<Value<'_>> = endings
        .iter()
        .filter_map(|ending| Some([ending.unique_key?.into(), ending.id.into(), UNTIL_FINISHED.into()]))
        .flatten()
        .collect();
    tx.execute_each("DELETE FROM job_keys WHERE unique_key = ? AND job = ? AND scope <= ?", 3, &keys)?;
    let mut ended: BTreeMap<BatchId, i64> = BTreeMap::new();
    for batch in endings.iter().filter_map(|ending| ending.batch) {
        *ended.entry(batch).or_default() += 1;
    }
    batches::shrink(tx, &ended, state, at)
}

/// Deletes the tags and errors of jobs whose rows are gone.
pub(super) fn erase(tx: &mut Tx<'_>, endings: &[Ending<'_>]) -> Result<()> {
    let tags: Vec<Value<'_>> = endings
        .iter()
        .flat_map(|ending| ending.tags.iter().flat_map(|tag| [tag.into(), ending.id.into()]))
        .collect();
    tx.execute_each("DELETE FROM job_tags WHERE tag = ? AND job = ?", 2, &tags)?;
    let ids = values(endings.iter().map(|ending| ending.id));
    tx.execute_in("DELETE FROM job_errors WHERE job IN ({in})", &[], &ids)?;
    Ok(())
}
