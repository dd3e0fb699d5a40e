//! Storing what became of the jobs of a batch.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::backend::{Change, Settled};
use crate::clock::later;
use crate::handler::{Limits, Outcome, with_causes};
use crate::job::Job;
use crate::landing::Standing;
use crate::metrics::Measure;
use crate::run::Batch;

/// Turns outcomes into changes and settles them.
pub(crate) async fn finish(batch: &Batch, limits: &Limits, outcomes: Vec<Outcome>) {
    let now = batch.queue.now();
    let changes = batch.jobs.iter().zip(outcomes).map(|(job, outcome)| match job.landing.standing() {
        Standing::Open => Some(change(job, outcome, limits, now)),
        Standing::Landed | Standing::Refused => None,
    });
    settle(batch, changes.collect()).await;
}

fn change(job: &Job, outcome: Outcome, limits: &Limits, now: Timestamp) -> Change {
    match outcome {
        Outcome::Done => Change::Complete,
        Outcome::Retry(error) => {
            if job.is_last_attempt(limits) {
                return Change::Discard { error };
            }
            let wait = limits.backoff.delay(job.failures + 1, job.id.0.cast_unsigned());
            Change::Retry { error, at: later(now, wait) }
        }
        // Nothing would make it available before the next sweep, and until then it would look like a job for later.
        Outcome::Snooze(Duration::ZERO) => Change::HandBack,
        Outcome::Snooze(wait) => Change::Snooze { at: later(now, wait) },
        Outcome::Cancel(reason) => Change::Cancel { reason },
        Outcome::Discard(error) => Change::Discard { error },
    }
}

/// How often a settlement is tried; after that, the end of the lease brings the jobs back.
const SETTLE_ATTEMPTS: u32 = 6;

pub(crate) async fn settle(batch: &Batch, changes: Vec<Option<Change>>) {
    let changes: Arc<[Option<Change>]> = Arc::from(changes);
    let mut wait = Duration::from_millis(100);
    for tried in 1..=SETTLE_ATTEMPTS {
        match batch.queue.settle(Arc::clone(&batch.jobs), Arc::clone(&changes)).await {
            Ok(settled) => {
                count(batch, &changes, &settled);
                break;
            }
            Err(error) if tried == SETTLE_ATTEMPTS => {
                tracing::error!(
                    error = with_causes(&error),
                    jobs = batch.jobs.len(),
                    "cannot store what became of jobs; they are offered again when their lease ends"
                );
            }
            Err(error) => {
                tracing::warn!(error = with_causes(&error), "cannot store what became of jobs; trying again");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
        }
    }
    batch.lease.release(&batch.jobs);
}

fn count(batch: &Batch, changes: &[Option<Change>], settled: &Settled) {
    let first = &batch.jobs[0];
    let count = |measure, n: usize| {
        batch.queue.recorder().count(&first.queue, &first.kind, measure, n as u64);
    };
    let how_many = |is: fn(&Change) -> bool| changes.iter().flatten().filter(|change| is(change)).count();
    let landed = batch
        .jobs
        .iter()
        .zip(changes)
        .filter(|(job, change)| change.is_none() && job.landing.standing() == Standing::Landed);
    let completed = how_many(|change| *change == Change::Complete).saturating_sub(settled.stale);
    count(Measure::Completed, completed + landed.count());
    count(Measure::Failed, how_many(|change| matches!(change, Change::Discard { .. })));
    count(Measure::Retried, how_many(|change| matches!(change, Change::Retry { .. })));
    count(Measure::Snoozed, how_many(|change| matches!(change, Change::Snooze { .. })));
    let cancelled = how_many(|change| matches!(change, Change::Cancel { .. }));
    count(Measure::Cancelled, cancelled + settled.cancelled);
    count(Measure::Refused, settled.stale);
}
