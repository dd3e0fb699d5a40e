//! The steps that keep jobs moving, each bounded by `max`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use sql::{Tx, Value};

use super::RedisBackend;
use super::jobs::{Move, Way};
use super::ledger::Ledger;
use super::outbox::{self, Expected};
use super::packed::{Stored, error_line};
use crate::backend::{Moved, Pruning, Reaping};
use crate::clock::later;
use crate::job::NewJob;
use crate::sql::settle::CANCELLED_WHILE_EXECUTING;
use crate::sql::upkeep::prune_shared;
use crate::{JobId, Result, State};

impl RedisBackend {
    pub(super) async fn promote_due(&self, max: usize, at: Timestamp) -> Result<Moved> {
        self.arrived().await;
        let mut moved = Moved::default();
        for queue in self.queues().await? {
            if moved.count >= max {
                break;
            }
            let count = self.jobs.promote(&queue, max - moved.count, at).await?;
            if count > 0 {
                self.jobs.announce(&queue).await?;
                moved.count += count;
                moved.queues.push(queue);
            }
        }
        Ok(moved)
    }

    /// The jobs of lost workers: the ledger learns first that their tokens may not land any more.
    pub(super) async fn reap_lost(&self, max: usize, rules: Reaping, at: Timestamp) -> Result<Moved> {
        self.arrived().await;
        let mut moved = Moved::default();
        for queue in self.queues().await? {
            if moved.count >= max {
                break;
            }
            let lost: Arc<[Stored]> =
                Arc::from(self.jobs.expired(&queue, max - moved.count, rules, at).await?);
            if lost.is_empty() {
                continue;
            }
            let ledger = self.ledger.clone();
            let Judgement { moves, outdated, callbacks } =
                self.db.write("reap_jobs", move |tx| judge(&ledger, tx, &lost, rules, at)).await?;
            moved.callbacks.extend(callbacks);
            if !outdated.is_empty() {
                // There may be more of them, and these are offered even if what follows fails.
                self.missed.store(true, Ordering::Release);
            }
            moved.count += self.move_all(&queue, &moves, at).await?;
            moved.queues.extend(self.offer_rows(outdated).await?);
            if moves.iter().any(|change| change.way == Way::OfferAgain) {
                self.jobs.announce(&queue).await?;
                moved.queues.push(queue);
            }
        }
        Ok(moved)
    }

    pub(super) async fn prune_old(&self, max: usize, rules: Pruning, at: Timestamp) -> Result<usize> {
        self.arrived().await;
        let mut pruned = 0;
        for queue in self.queues().await? {
            pruned += self.jobs.prune(&queue, max - pruned, rules.keep_at_most, at).await?;
        }
        let rows = self.db.write("prune_jobs", move |tx| prune_shared(tx, max, rules, at)).await?;
        Ok(pruned + rows)
    }

    pub(super) async fn first_due(&self) -> Result<Option<Timestamp>> {
        self.arrived().await;
        let mut first: Option<Timestamp> = None;
        for queue in self.queues().await? {
            first = [first, self.jobs.next_due(&queue).await?].into_iter().flatten().min();
        }
        Ok(first)
    }
}

/// What becomes of jobs whose lease has ended.
#[derive(Debug, Default)]
struct Judgement {
    moves: Vec<Move>,
    /// Jobs that Redis is to be told anew by the ledger.
    outdated: Vec<JobId>,
    callbacks: Vec<NewJob>,
}

/// Decides what becomes of jobs whose lease has ended, and writes it down.
fn judge(
    ledger: &Ledger,
    tx: &mut Tx<'_>,
    lost: &[Stored],
    rules: Reaping,
    at: Timestamp,
) -> Result<Judgement> {
    let rows = outbox::by_ids(tx, lost.iter().map(|job| job.id))?;
    let rows: HashMap<JobId, Expected> = rows.into_iter().map(|row| (row.id, row)).collect();
    let mut judgement = Judgement::default();
    let (mut cancelled, mut discarded) = (Vec::new(), Vec::new());
    let mut fences: Vec<Value<'_>> = Vec::new();
    for job in lost {
        let data = &job.data;
        let Some(row) = rows.get(&job.id) else {
            // It has ended, and Redis did not hear so.
            judgement.moves.push(moved(job.id, data.attempt, Way::Drop));
            continue;
        };
        if row.fence > i64::from(data.attempt) + 1 && !data.cancelling {
            // Redis was put back to an older state: what was claimed could not land, and no worker was lost with it.
            judgement.moves.push(moved(job.id, data.attempt, Way::Drop));
            judgement.outdated.push(job.id);
            continue;
        }
        let (way, state, reason) = if data.cancelling {
            cancelled.push(row.clone());
            (Way::CancelLost, State::Cancelled, CANCELLED_WHILE_EXECUTING.to_owned())
        } else if data.losses + 1 >= rules.max_losses {
            discarded.push(row.clone());
            let reason = format!("discarded: {} workers were lost while they ran it", rules.max_losses);
            (Way::DiscardLost, State::Discarded, reason)
        } else {
            let fence = row.fence.max(i64::from(data.attempt) + 1);
            fences.extend([fence.into(), Value::Null, job.id.into()]);
            (Way::OfferAgain, State::Available, "its worker was lost: the lease ended".to_owned())
        };
        judgement.moves.push(Move {
            due: state.has_ended().then(|| later(at, ledger.retention.ended)),
            error: error_line(data.attempt, state, at, &reason),
            ..moved(job.id, data.attempt, way)
        });
    }
    outbox::raise_fences(tx, &fences)?;
    judgement.callbacks = end(ledger, tx, &cancelled, State::Cancelled, at)?;
    judgement.callbacks.extend(end(ledger, tx, &discarded, State::Discarded, at)?);
    Ok(judgement)
}

fn moved(id: JobId, attempt: u32, way: Way) -> Move {
    Move { id, token: Some(attempt), way, due: None, error: String::new() }
}

fn end(
    ledger: &Ledger,
    tx: &mut Tx<'_>,
    rows: &[Expected],
    state: State,
    at: Timestamp,
) -> Result<Vec<NewJob>> {
    let callbacks = outbox::end(tx, rows, state, at)?;
    ledger.push_in(tx, &callbacks, at)?;
    Ok(callbacks)
}
