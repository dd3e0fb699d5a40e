//! Lists of jobs: read in bounded pieces along an index, and filtered here, so that a search means the same on every
//! engine and never holds up anybody.

use std::collections::{BTreeMap, HashMap};

use sql::{Row, Tx, Value};

use super::rows::{PRIORITY_STEP, available_since, limit, queues, tags_from_text, values};
use crate::monitor::{
    Cursor, Filter, JobError, JobRecord, Merged, Page, PageRequest, QueueDepth, SEEN_AT_MOST,
};
use crate::{BatchId, JobId, Result, State};

/// Jobs, each with its place.
type Listed = Vec<(Cursor, JobRecord)>;

pub(super) fn list(tx: &mut Tx<'_>, filter: &Filter, page: &PageRequest) -> Result<Page> {
    let wanted = page.size();
    let mut found = Vec::new();
    let mut after = page.after;
    let mut scanned = 0;
    loop {
        let Merged { jobs, is_last } = piece(tx, filter, after, wanted)?;
        scanned += jobs.len();
        let matching = jobs.iter().filter(|(_, job)| filter.matches(job)).map(|(_, job)| job.id);
        let mut errors = errors_of(tx, matching)?;
        for (cursor, mut job) in jobs {
            after = Some(cursor);
            if !filter.matches(&job) {
                continue;
            }
            job.errors = errors.remove(&job.id).unwrap_or_default();
            let fits = filter.error.is_none() || job.errors.iter().any(|e| filter.matches_error(&e.message));
            if fits {
                found.push(job);
            }
            if found.len() == wanted {
                return Ok(Page { jobs: found, next: after });
            }
        }
        if is_last || scanned >= SEEN_AT_MOST {
            return Ok(Page { jobs: found, next: after.filter(|_| !is_last) });
        }
    }
}

/// The next rows along the index that suits the filter best.
fn piece(tx: &mut Tx<'_>, filter: &Filter, after: Option<Cursor>, wanted: usize) -> Result<Merged> {
    let (size, list) = match (&filter.tag, filter.state) {
        (Some(tag), _) => {
            let size = filter.piece(wanted, 1);
            (size, by_tag(tx, tag, after, size)?)
        }
        (None, Some(state)) => return by_state(tx, state, filter, after, wanted),
        (None, None) => {
            let size = filter.piece(wanted, 1);
            (size, by_id(tx, after, size)?)
        }
    };
    Ok(Merged::of(vec![list], size, true))
}

fn by_tag(tx: &mut Tx<'_>, tag: &str, after: Option<Cursor>, size: usize) -> Result<Listed> {
    let text = format!(
        "SELECT {RECORD} FROM job_tags t JOIN jobs ON jobs.id = t.job WHERE t.tag = ? AND t.job < ? \
         ORDER BY t.job DESC LIMIT ?"
    );
    let before = after.map_or(i64::MAX, |cursor| cursor.id);
    newest_first(tx, &text, &[tag.into(), before.into(), limit(size)])
}

fn by_id(tx: &mut Tx<'_>, after: Option<Cursor>, size: usize) -> Result<Listed> {
    let text = format!("SELECT {RECORD} FROM jobs WHERE id < ? ORDER BY id DESC LIMIT ?");
    let before = after.map_or(i64::MAX, |cursor| cursor.id);
    newest_first(tx, &text, &[before.into(), limit(size)])
}

fn newest_first(tx: &mut Tx<'_>, text: &str, params: &[Value<'_>]) -> Result<Listed> {
    Ok(tx.query(text, params, |row| {
        let job = record(row)?;
        Ok((Cursor { due: 0, id: job.id.0 }, job))
    })?)
}

/// Along the index of one state: what is next comes first, but for ended jobs, of which the newest do.
fn by_state(
    tx: &mut Tx<'_>,
    state: State,
    filter: &Filter,
    after: Option<Cursor>,
    wanted: usize,
) -> Result<Merged> {
    let queues = match &filter.queue {
        Some(queue) => vec![queue.clone()],
        None => queues(tx)?,
    };
    let (text, size) = (along(state), filter.piece(wanted, queues.len()));
    let start = if state.has_ended() { i64::MAX } else { i64::MIN };
    let Cursor { due, id } = after.unwrap_or(Cursor { due: start, id: start });
    let mut lists = Vec::with_capacity(queues.len());
    for queue in &queues {
        let params = [queue.into(), state.code().into(), due.into(), due.into(), id.into(), limit(size)];
        lists.push(tx.query(&text, &params, |row| {
            let job = record(row)?;
            Ok((Cursor { due: row.get(6)?, id: job.id.0 }, job))
        })?);
    }
    Ok(Merged::of(lists, size, state.has_ended()))
}

/// The jobs of a queue and state from a place on.
pub(super) fn along(state: State) -> String {
    let (at_or_past, past, direction) =
        if state.has_ended() { ("<=", "<", " DESC") } else { (">=", ">", "") };
    format!(
        "SELECT {RECORD} FROM jobs WHERE queue = ? AND state = ? AND due {at_or_past} ? \
         AND (due {past} ? OR id {past} ?) ORDER BY due{direction}, id{direction} LIMIT ?"
    )
}

pub(super) fn find(tx: &mut Tx<'_>, id: JobId) -> Result<Option<JobRecord>> {
    let text = format!("SELECT {RECORD} FROM jobs WHERE id = ?");
    let Some(mut job) = tx.query_opt(&text, &[id.into()], record)? else { return Ok(None) };
    job.errors = errors_of(tx, [id])?.remove(&id).unwrap_or_default();
    Ok(Some(job))
}

const RECORD: &str = "id, queue, kind, args, state, priority, due, attempt, failures, losses, max_attempts, cancelling, \
                      enqueued_at, started_at, finished_at, worker, batch, unique_key, tags";

fn record(row: &Row<'_>) -> sql::Result<JobRecord> {
    let state = State::from_code(row.get(4)?).unwrap_or(State::Executing);
    let due: i64 = row.get(6)?;
    Ok(JobRecord {
        id: JobId(row.get(0)?),
        queue: row.get(1)?,
        kind: row.get(2)?,
        args: row.get(3)?,
        state,
        priority: row.get(5)?,
        due_at: if state == State::Available { available_since(due) } else { row.get(6)? },
        attempt: row.get(7)?,
        failures: row.get(8)?,
        losses: row.get(9)?,
        max_attempts: row.get(10)?,
        cancelling: row.get(11)?,
        enqueued_at: row.get(12)?,
        started_at: row.get(13)?,
        finished_at: row.get(14)?,
        worker: row.get(15)?,
        batch: row.get::<Option<i64>>(16)?.map(BatchId),
        unique_key: row.get(17)?,
        tags: tags_from_text(row.get(18)?),
        errors: Vec::new(),
    })
}

fn errors_of(tx: &mut Tx<'_>, ids: impl IntoIterator<Item = JobId>) -> Result<HashMap<JobId, Vec<JobError>>> {
    let rows = tx.query_in(
        "SELECT job, attempt, state, at, message FROM job_errors WHERE job IN ({in}) ORDER BY job, attempt, at",
        &[],
        &values(ids),
        |row| {
            let state = State::from_code(row.get(2)?).unwrap_or(State::Retryable);
            let error = JobError { attempt: row.get(1)?, state, at: row.get(3)?, message: row.get(4)? };
            Ok((JobId(row.get(0)?), error))
        },
    )?;
    let mut errors: HashMap<JobId, Vec<JobError>> = HashMap::new();
    for (id, error) in rows {
        errors.entry(id).or_default().push(error);
    }
    Ok(errors)
}

pub(super) fn depths(tx: &mut Tx<'_>, at_most: Option<usize>) -> Result<Vec<QueueDepth>> {
    let paused = super::supervisors::paused(tx, "queue")?;
    let mut names = queues(tx)?;
    names.extend(paused.iter().cloned());
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|queue| {
            let mut states = BTreeMap::new();
            for state in State::ALL {
                let count = count(tx, &queue, state, at_most)?;
                if count > 0 {
                    states.insert(state, count);
                }
            }
            let oldest_waiting = oldest_waiting(tx, &queue)?;
            Ok(QueueDepth { paused: paused.contains(&queue), queue, states, oldest_waiting })
        })
        .collect()
}

fn count(tx: &mut Tx<'_>, queue: &str, state: State, at_most: Option<usize>) -> Result<usize> {
    let place = [queue.into(), state.code().into()];
    Ok(match at_most {
        None => {
            tx.query_one("SELECT COUNT(*) FROM jobs WHERE queue = ? AND state = ?", &place, |row| row.get(0))?
        }
        Some(most) => tx.query_one(
            "SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE queue = ? AND state = ? LIMIT ?) AS some_jobs",
            &[&place[..], &[limit(most)]].concat(),
            |row| row.get(0),
        )?,
    })
}

/// The first job of each priority is the oldest of it: one seek for each priority in use.
fn oldest_waiting(tx: &mut Tx<'_>, queue: &str) -> Result<Option<jiff::Timestamp>> {
    let mut oldest = None;
    let mut from = 0;
    loop {
        let due = tx.query_opt(
            "SELECT due FROM jobs WHERE queue = ? AND state = ? AND due >= ? ORDER BY due LIMIT 1",
            &[queue.into(), State::Available.code().into(), from.into()],
            |row| row.get::<i64>(0),
        )?;
        let Some(due) = due else { return Ok(oldest) };
        let since = available_since(due);
        oldest = Some(oldest.map_or(since, |oldest: jiff::Timestamp| oldest.min(since)));
        match (due / PRIORITY_STEP + 1).checked_mul(PRIORITY_STEP) {
            Some(next) => from = next,
            None => return Ok(oldest),
        }
    }
}
