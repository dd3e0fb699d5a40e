//! What operators do to jobs.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use sql::{Tx, Value};

use super::RedisBackend;
use super::jobs::{Move, Moved as Answer, Way};
use super::lane::by_queue;
use super::outbox::{self, Expected};
use super::packed::{Stored, error_line};
use crate::backend::{Cancelled, Forgotten, Moved};
use crate::clock::later;
use crate::sql::batches;
use crate::sql::operate::hold_keys_if_free;
use crate::sql::push::{NEVER, UNTIL_FINISHED};
use crate::sql::rows::values;
use crate::{JobId, Result, State};

/// A job and its queue.
type Found = (Arc<str>, Stored);

/// How often a cancellation looks again at jobs that were taken or put back while it looked.
const LOOKS: usize = 3;

impl RedisBackend {
    /// The jobs with these ids. Those that Redis should know and does not are made known first.
    pub(super) async fn located(&self, ids: &[JobId]) -> Result<Vec<Found>> {
        self.arrived().await;
        let found = self.jobs.locate(ids).await?;
        if found.len() == ids.len() {
            return Ok(found);
        }
        let known: HashSet<JobId> = found.iter().map(|(_, job)| job.id).collect();
        let missing: Vec<JobId> = ids.iter().copied().filter(|id| !known.contains(id)).collect();
        let offered = self.offer_rows(missing).await?;
        if offered.is_empty() { Ok(found) } else { self.jobs.locate(ids).await }
    }

    pub(super) async fn retry_jobs(&self, ids: &[JobId], at: Timestamp) -> Result<Moved> {
        let mut jobs = self.located(ids).await?;
        jobs.retain(|(_, job)| !matches!(job.data.state, State::Available | State::Executing));
        let jobs: Arc<[Found]> = Arc::from(jobs);
        let inner = Arc::clone(&jobs);
        let reopened: HashSet<JobId> =
            self.db.write("retry_jobs", move |tx| reopen(tx, &inner)).await?.into_iter().collect();
        let mut moved = Moved::default();
        let reopened = jobs.iter().filter(|(_, job)| reopened.contains(&job.id));
        for (queue, group) in by_queue(reopened, |(queue, _)| queue) {
            let moves: Vec<Move> =
                group.iter().map(|(_, job)| untold(job.id, Way::Reopen, Some(at))).collect();
            moved.count += self.move_all(queue, &moves, at).await?;
            self.jobs.announce(queue).await?;
            moved.queues.push(queue.to_owned());
        }
        Ok(moved)
    }

    pub(super) async fn cancel_jobs(&self, ids: &[JobId], reason: &str, at: Timestamp) -> Result<Cancelled> {
        let mut done = Cancelled::default();
        let mut ids = ids.to_vec();
        for _ in 0..LOOKS {
            let (executing, waiting): (Vec<Found>, Vec<Found>) = self
                .located(&ids)
                .await?
                .into_iter()
                .filter(|(_, job)| !job.data.state.has_ended())
                .partition(|(_, job)| job.data.state == State::Executing);
            self.cancel_waiting(&waiting, reason, at, &mut done).await?;
            ids = self.ask_to_stop(&executing, at, &mut done).await?;
            if ids.is_empty() {
                break;
            }
        }
        Ok(done)
    }

    async fn cancel_waiting(
        &self,
        jobs: &[Found],
        reason: &str,
        at: Timestamp,
        done: &mut Cancelled,
    ) -> Result<()> {
        let ids = jobs.iter().map(|(_, job)| job.id).collect();
        let (ended, callbacks) = self.end_rows(ids, State::Cancelled, at).await?;
        let ended: HashSet<JobId> = ended.into_iter().collect();
        let kept_until = later(at, self.ledger.retention.ended);
        for (queue, group) in by_queue(jobs.iter(), |(queue, _)| queue) {
            let cancel = |(_, job): &&Found| {
                if !ended.contains(&job.id) {
                    return untold(job.id, Way::Drop, None);
                }
                let error = error_line(job.data.attempt, State::Cancelled, at, reason);
                Move { error, ..untold(job.id, Way::Cancel, Some(kept_until)) }
            };
            let moves: Vec<Move> = group.iter().map(cancel).collect();
            self.jobs.moves(queue, &moves, at).await?;
        }
        done.cancelled += ended.len();
        done.callbacks.extend(callbacks);
        Ok(())
    }

    /// Returns the jobs that were not executing any more.
    async fn ask_to_stop(&self, jobs: &[Found], at: Timestamp, done: &mut Cancelled) -> Result<Vec<JobId>> {
        let mut missed = Vec::new();
        for (queue, group) in by_queue(jobs.iter(), |(queue, _)| queue) {
            let moves: Vec<Move> =
                group.iter().map(|(_, job)| untold(job.id, Way::AskToStop, None)).collect();
            for (change, answer) in moves.iter().zip(self.jobs.moves(queue, &moves, at).await?) {
                let list = if answer == Answer::Done { &mut done.asked } else { &mut missed };
                list.push(change.id);
            }
        }
        Ok(missed)
    }

    pub(super) async fn forget_jobs(&self, ids: &[JobId], at: Timestamp) -> Result<Forgotten> {
        let mut jobs = self.located(ids).await?;
        jobs.retain(|(_, job)| job.data.state != State::Executing);
        let waiting = jobs.iter().map(|(_, job)| job.id).collect();
        let (_, callbacks) = self.end_rows(waiting, State::Cancelled, at).await?;
        let mut forgotten = Forgotten { count: 0, callbacks };
        for (queue, group) in by_queue(jobs.iter(), |(queue, _)| queue) {
            let moves: Vec<Move> = group.iter().map(|(_, job)| untold(job.id, Way::Drop, None)).collect();
            forgotten.count += self.move_all(queue, &moves, at).await?;
        }
        Ok(forgotten)
    }

    /// Moves jobs; returns how many were.
    pub(super) async fn move_all(&self, queue: &str, moves: &[Move], at: Timestamp) -> Result<usize> {
        let moved = self.jobs.moves(queue, moves, at).await?;
        Ok(moved.iter().filter(|answer| **answer == Answer::Done).count())
    }
}

/// A move that asks for no token and leaves no error.
fn untold(id: JobId, way: Way, due: Option<Timestamp>) -> Move {
    Move { id, token: None, way, due, error: String::new() }
}

/// Expects jobs again that have ended, and those at once that wait for their time. Returns which.
fn reopen(tx: &mut Tx<'_>, jobs: &[Found]) -> Result<Vec<JobId>> {
    let (ended, waiting): (Vec<&Found>, Vec<&Found>) =
        jobs.iter().partition(|(_, job)| job.data.state.has_ended());
    let waiting = outbox::expected(tx, waiting.iter().map(|(_, job)| job.id))?;
    let ids = values(waiting.iter().copied());
    tx.execute_in("UPDATE job_outbox SET run_at = NULL WHERE id IN ({in})", &[], &ids)?;
    let ended = whose_key_is_free(tx, ended)?;
    let known: HashSet<JobId> =
        outbox::expected(tx, ended.iter().map(|(_, job)| job.id))?.into_iter().collect();
    let mut rows = Vec::new();
    let mut reopened = BTreeMap::new();
    for (queue, job) in ended.iter().filter(|(_, job)| !known.contains(&job.id)) {
        let row = expect(queue, job)?;
        if let Some(batch) = row.batch {
            *reopened.entry((batch, job.data.state)).or_insert(0) += 1;
        }
        rows.push(row);
    }
    outbox::insert(tx, &rows)?;
    batches::reopen(tx, &reopened)?;
    Ok(ended.iter().map(|(_, job)| job.id).chain(waiting).collect())
}

/// The row of a job that ended, for the token after its last.
fn expect(queue: &str, job: &Stored) -> Result<Expected> {
    let fixed = job.fixed()?;
    Ok(Expected {
        id: job.id,
        queue: queue.to_owned(),
        kind: fixed.kind.to_owned(),
        args: fixed.args.to_owned(),
        priority: job.data.priority,
        run_at: None,
        max_attempts: fixed.max_attempts,
        batch: fixed.batch,
        unique_key: fixed.unique_key.map(str::to_owned),
        unique_scope: fixed.unique_scope,
        tags: Some(job.tags.clone()).filter(|tags| !tags.is_empty()),
        fence: i64::from(job.data.attempt) + 1,
        enqueued_at: fixed.enqueued_at,
    })
}

/// An ended job gave its key back. It takes it again, and stays ended where another job holds it now.
fn whose_key_is_free<'j>(tx: &mut Tx<'_>, jobs: Vec<&'j Found>) -> Result<Vec<&'j Found>> {
    let mut wanted = Vec::with_capacity(jobs.len());
    for (_, job) in &jobs {
        let fixed = job.fixed()?;
        let scope = fixed.unique_scope.filter(|scope| *scope <= UNTIL_FINISHED);
        wanted.push(scope.and_then(|scope| Some((fixed.unique_key?.to_owned(), scope))));
    }
    let mut rows: Vec<Value<'_>> = Vec::new();
    for ((_, job), wanted) in jobs.iter().zip(&wanted) {
        if let Some((key, scope)) = wanted {
            rows.extend([key.into(), job.id.into(), (*scope).into(), NEVER.into()]);
        }
    }
    let holders = hold_keys_if_free(tx, rows)?;
    let is_free = |(job, wanted): &(&Found, Option<(String, i64)>)| {
        wanted.as_ref().is_none_or(|(key, _)| holders.get(key) == Some(&job.1.id))
    };
    Ok(jobs.into_iter().zip(wanted).filter(is_free).map(|(job, _)| job).collect())
}
