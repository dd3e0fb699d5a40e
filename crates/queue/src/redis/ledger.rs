//! What happens in transactions of the ledger's database, and what Redis hears of it afterwards.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use sql::{Tx, Value};

use super::jobs::{Move, Way};
use super::lane::{Ended, Endings, Offers, by_queue};
use super::outbox::{self, Expected};
use super::packed::error_line;
use crate::backend::{Change, CreatedBatch};
use crate::batch::NewBatch;
use crate::clock::later;
use crate::job::{Job, Kept, NewJob, Pushed};
use crate::settings::Retention;
use crate::sql::batches;
use crate::sql::ending::{Ending, let_go};
use crate::{Error, JobId, Result, State};

#[derive(Debug, Clone)]
pub(super) struct Ledger {
    pub(super) offers: Offers,
    pub(super) endings: Endings,
    /// Whether Redis is known to lack something that the ledger expects.
    pub(super) missed: Arc<AtomicBool>,
    pub(super) retention: Retention,
}

/// What a settlement wrote, and what is left to be done in Redis.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Jobs whose completion Redis hears of in the background.
    pub(super) completed: Vec<(Arc<str>, Move)>,
    /// Jobs that are moved before the settlement returns; whether Redis decides if the result is stale.
    pub(super) moves: Vec<(Arc<str>, Move, bool)>,
    pub(super) stale: usize,
    pub(super) callbacks: Vec<NewJob>,
}

impl Ledger {
    pub(super) fn push_in(&self, tx: &mut Tx<'_>, jobs: &[NewJob], at: Timestamp) -> Result<Vec<Pushed>> {
        let (pushed, new) = outbox::push(tx, jobs, at)?;
        if !new.is_empty() {
            let (offers, missed) = (self.offers.clone(), Arc::clone(&self.missed));
            tx.after_commit(move || offers.send(new));
            tx.if_uncertain(move || missed.store(true, Ordering::Release));
        }
        Ok(pushed)
    }

    pub(super) fn create_batch_in(
        &self,
        tx: &mut Tx<'_>,
        batch: &NewBatch,
        at: Timestamp,
    ) -> Result<CreatedBatch> {
        let id = batches::create(tx, batch, at)?;
        let jobs: Vec<NewJob> = batch.jobs.iter().cloned().map(|job| job.batch(id)).collect();
        let pushed = self.push_in(tx, &jobs, at)?;
        let callbacks: Vec<NewJob> = batches::finish_if_empty(tx, id, at)?.into_iter().collect();
        self.push_in(tx, &callbacks, at)?;
        Ok(CreatedBatch { id, jobs: pushed, callbacks })
    }

    /// A job that the ledger does not expect any more is gone for good: whoever finds that tells Redis, which would
    /// offer it again and again.
    pub(super) fn keep_in<'j>(&self, tx: &mut Tx<'_>, jobs: &'j [Job]) -> Result<Kept<'j>> {
        let (kept, gone) = outbox::keep(tx, jobs)?;
        self.tell_after_commit(tx, &gone, Way::Drop, Timestamp::UNIX_EPOCH);
        Ok(kept)
    }

    pub(super) fn complete_in(&self, tx: &mut Tx<'_>, jobs: &[&Job], at: Timestamp) -> Result<Vec<NewJob>> {
        let deleted = outbox::complete(tx, jobs)?;
        if deleted < jobs.len() {
            return Err(Error::Stale { jobs: jobs.len(), stale: jobs.len() - deleted });
        }
        let endings: Vec<Ending<'_>> =
            jobs.iter().filter(|job| holds_something(job)).map(|job| Ending::of(job)).collect();
        let callbacks = let_go(tx, &endings, State::Completed, at)?;
        self.push_in(tx, &callbacks, at)?;
        self.tell_after_commit(tx, jobs, Way::Complete, at);
        Ok(callbacks)
    }

    fn tell_after_commit(&self, tx: &mut Tx<'_>, jobs: &[&Job], way: Way, at: Timestamp) {
        for (_, group) in by_queue(jobs.iter(), |job| &job.queue) {
            let queue = Arc::clone(&group[0].queue);
            let moves = group.iter().map(|job| self.ending(job, way, at)).collect();
            let endings = self.endings.clone();
            tx.after_commit(move || endings.send(Ended { queue, moves, at }));
        }
    }

    fn ending(&self, job: &Job, way: Way, at: Timestamp) -> Move {
        let kept = way == Way::Complete && !self.retention.completed.is_zero();
        let due = kept.then(|| later(at, self.retention.completed));
        Move { id: job.id, token: Some(job.attempt), way, due, error: String::new() }
    }

    /// Writes what became of claimed jobs.
    pub(super) fn settle(
        &self,
        tx: &mut Tx<'_>,
        jobs: &[Job],
        changes: &[Option<Change>],
        at: Timestamp,
    ) -> Result<Plan> {
        let wanted = || jobs.iter().zip(changes).filter_map(|(job, change)| Some((job, change.as_ref()?)));
        if wanted().all(|(job, change)| *change == Change::Complete && !holds_something(job)) {
            let jobs: Vec<&Job> = wanted().map(|(job, _)| job).collect();
            return self.complete_all(tx, &jobs, at);
        }
        let rows = outbox::by_ids(tx, wanted().map(|(job, _)| job.id))?;
        let rows: HashMap<JobId, Expected> = rows.into_iter().map(|row| (row.id, row)).collect();
        let mut plan = Plan::default();
        let mut ended: BTreeMap<State, Vec<Expected>> = BTreeMap::new();
        let mut fences: Vec<Value<'_>> = Vec::new();
        for (job, change) in wanted() {
            let token = i64::from(job.attempt);
            let waits = !change.state().has_ended();
            match rows.get(&job.id) {
                None => self.plan_for_unexpected(&mut plan, job, change, at),
                // A settlement that Redis did not hear of is repeated with the fence raised already.
                Some(row) if waits && row.fence <= token + 1 => {
                    if row.fence <= token {
                        fences.extend([(token + 1).into(), runs_at(change).into(), job.id.into()]);
                    }
                    plan.moves.push((Arc::clone(&job.queue), self.change(job, change, at), true));
                }
                Some(row) if row.fence <= token => {
                    ended.entry(change.state()).or_default().push(row.clone());
                    plan.put(job, self.change(job, change, at), false);
                }
                Some(_) => plan.stale += 1,
            }
        }
        outbox::raise_fences(tx, &fences)?;
        for (state, rows) in ended {
            plan.callbacks.extend(outbox::end(tx, &rows, state, at)?);
        }
        self.push_in(tx, &plan.callbacks, at)?;
        Ok(plan)
    }

    fn complete_all(&self, tx: &mut Tx<'_>, jobs: &[&Job], at: Timestamp) -> Result<Plan> {
        let deleted = outbox::complete(tx, jobs)?;
        let held_elsewhere: HashSet<JobId> = if deleted < jobs.len() {
            outbox::expected(tx, jobs.iter().map(|job| job.id))?.into_iter().collect()
        } else {
            HashSet::new()
        };
        let completed = jobs
            .iter()
            .filter(|job| !held_elsewhere.contains(&job.id))
            .map(|job| (Arc::clone(&job.queue), self.ending(job, Way::Complete, at)))
            .collect();
        Ok(Plan { completed, stale: jobs.len() - deleted, ..Plan::default() })
    }

    /// A job whose row is gone has ended. If Redis still has it under this token, it did not hear so.
    fn plan_for_unexpected(&self, plan: &mut Plan, job: &Job, change: &Change, at: Timestamp) {
        match change {
            Change::Complete => {
                plan.stale += 1;
                plan.put(job, self.ending(job, Way::Complete, at), false);
            }
            // This worker may have written so before, and Redis did not answer.
            Change::Discard { .. } | Change::Cancel { .. } => {
                plan.put(job, self.change(job, change, at), true);
            }
            _ => {
                plan.stale += 1;
                plan.put(job, self.ending(job, Way::Drop, at), false);
            }
        }
    }

    fn change(&self, job: &Job, change: &Change, at: Timestamp) -> Move {
        let kept_until = later(at, self.retention.ended);
        let (way, due, message) = match change {
            Change::Complete => return self.ending(job, Way::Complete, at),
            Change::Retry { error, at } => (Way::Retry, *at, Some(error)),
            Change::Snooze { at } => (Way::Snooze, *at, None),
            Change::HandBack => (Way::HandBack, job.available_at, None),
            Change::Cancel { reason } => (Way::Cancel, kept_until, Some(reason)),
            Change::Discard { error } => (Way::Discard, kept_until, Some(error)),
        };
        let error = message.map(|message| error_line(job.attempt, change.state(), at, message));
        let error = error.unwrap_or_default();
        Move { id: job.id, token: Some(job.attempt), way, due: Some(due), error }
    }
}

impl Plan {
    fn put(&mut self, job: &Job, change: Move, redis_decides: bool) {
        if change.way == Way::Complete {
            self.completed.push((Arc::clone(&job.queue), change));
        } else {
            self.moves.push((Arc::clone(&job.queue), change, redis_decides));
        }
    }
}

fn runs_at(change: &Change) -> Option<Timestamp> {
    match change {
        Change::Retry { at, .. } | Change::Snooze { at } => Some(*at),
        _ => None,
    }
}

/// Whether its end touches more than its row.
fn holds_something(job: &Job) -> bool {
    job.unique_key.is_some() || job.batch.is_some()
}
