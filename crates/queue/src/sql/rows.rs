//! Values and columns that the statements share.

use std::sync::Arc;

use jiff::Timestamp;
use sql::{Dialect, Row, Tx, Value};

use crate::job::Job;
use crate::landing::Landing;
use crate::{BatchId, JobId, Result, State};

/// What priorities are multiplied by in `due`: above any time in microseconds until the year 3111.
pub(crate) const PRIORITY_STEP: i64 = 1 << 55;

/// `due` of an available job.
pub(crate) fn available_due(priority: u8, since: Timestamp) -> i64 {
    i64::from(priority) * PRIORITY_STEP + since.as_microsecond().clamp(0, PRIORITY_STEP - 1)
}

/// Since when an available job has been available.
pub(crate) fn available_since(due: i64) -> Timestamp {
    Timestamp::from_microsecond(due & (PRIORITY_STEP - 1)).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(crate) fn values<T: Copy + Into<Value<'static>>>(
    ids: impl IntoIterator<Item = T>,
) -> Vec<Value<'static>> {
    ids.into_iter().map(Into::into).collect()
}

pub(crate) fn tags_to_text(tags: &[String]) -> Option<String> {
    (!tags.is_empty()).then(|| serde_json::Value::from(tags.to_vec()).to_string())
}

/// Tags are written by [`tags_to_text`] only; anything else reads as none, so that a spoilt word cannot hold up a job.
pub(crate) fn tags_from_text(text: Option<String>) -> Vec<String> {
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// The columns of [`claimed`].
pub(super) const CLAIMED: &str = "id, kind, args, attempt, failures, losses, max_attempts, due, enqueued_at, tags, \
                                  batch, unique_key";

/// Reads available jobs as the claim that follows leaves them: one attempt further.
pub(super) fn claimed(row: &Row<'_>, queue: &Arc<str>, kinds: &mut Names) -> sql::Result<Job> {
    Ok(Job {
        id: JobId(row.get(0)?),
        queue: Arc::clone(queue),
        kind: kinds.get(row.text(1)?),
        args: row.get(2)?,
        attempt: row.get::<u32>(3)? + 1,
        failures: row.get(4)?,
        losses: row.get(5)?,
        max_attempts: row.get(6)?,
        enqueued_at: row.get(8)?,
        available_at: available_since(row.get(7)?),
        tags: tags_from_text(row.get(9)?),
        batch: row.get::<Option<i64>>(10)?.map(BatchId),
        unique_key: row.get(11)?,
        landing: Landing::default(),
    })
}

/// One allocation for each name in a result, not for each row.
#[derive(Default)]
pub(crate) struct Names(Vec<Arc<str>>);

impl Names {
    pub(crate) fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| known.as_ref() == name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(name);
        self.0.push(Arc::clone(&new));
        new
    }
}

/// The queues that hold jobs: one index seek for each, however many jobs there are.
pub(super) fn queues(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    loop {
        let after = found.last().map_or("", String::as_str);
        let next = tx.query_opt(NEXT_QUEUE, &[after.into()], |row| row.get::<String>(0))?;
        match next {
            Some(queue) => found.push(queue),
            None => return Ok(found),
        }
    }
}

/// What is due first in a queue and state.
pub(super) fn due(dialect: Dialect) -> String {
    format!(
        "SELECT id FROM jobs WHERE queue = ? AND state = ? AND due <= ? ORDER BY due LIMIT ?{}",
        dialect.skip_locked()
    )
}

/// The queue that follows another.
pub(super) const NEXT_QUEUE: &str = "SELECT queue FROM jobs WHERE queue > ? ORDER BY queue LIMIT 1";

/// The ids of up to `max` jobs of a queue and state that are due, the earliest first; locked.
pub(super) fn due_ids(
    tx: &mut Tx<'_>,
    queue: &str,
    state: State,
    until: Timestamp,
    max: usize,
) -> Result<Vec<i64>> {
    let params = [queue.into(), state.code().into(), until.into(), limit(max)];
    Ok(tx.query(&due(tx.dialect()), &params, |row| row.get(0))?)
}

pub(crate) fn limit(max: usize) -> Value<'static> {
    Value::Int(i64::try_from(max).unwrap_or(i64::MAX))
}
