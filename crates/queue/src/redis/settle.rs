//! What becomes of claimed jobs: written to the ledger first, then done in Redis.

use std::sync::Arc;

use jiff::Timestamp;

use super::RedisBackend;
use super::jobs::{Move, Moved, Way};
use super::lane::{Ended, by_queue};
use super::outbox;
use super::packed::error_line;
use crate::backend::{Change, Settled};
use crate::clock::later;
use crate::job::{Job, NewJob};
use crate::sql::settle::CANCELLED_WHILE_EXECUTING;
use crate::{JobId, Result, State};

impl RedisBackend {
    pub(super) async fn settle_jobs(
        &self,
        jobs: Arc<[Job]>,
        changes: Arc<[Option<Change>]>,
        at: Timestamp,
    ) -> Result<Settled> {
        let ledger = self.ledger.clone();
        let plan = self.db.write("settle_jobs", move |tx| ledger.settle(tx, &jobs, &changes, at)).await?;
        let mut settled = Settled { stale: plan.stale, callbacks: plan.callbacks, ..Settled::default() };
        for (_, group) in by_queue(plan.completed.iter(), |(queue, _)| queue) {
            let queue = Arc::clone(&group[0].0);
            let moves = group.into_iter().map(|(_, change)| change.clone()).collect();
            self.ledger.endings.send(Ended { queue, moves, at });
        }
        for (queue, group) in by_queue(plan.moves.iter(), |(queue, _, _)| queue) {
            let moves: Vec<Move> = group.iter().map(|(_, change, _)| change.clone()).collect();
            let moved = self.jobs.moves(queue, &moves, at).await?;
            let refused = |(group, moved): &(&&(Arc<str>, Move, bool), &Moved)| {
                group.2 && matches!(moved, Moved::Refused | Moved::Unknown)
            };
            settled.stale += group.iter().zip(&moved).filter(refused).count();
            let called_off: Vec<(JobId, Option<u32>)> = moves
                .iter()
                .zip(&moved)
                .filter(|(_, moved)| **moved == Moved::Cancelling)
                .map(|(change, _)| (change.id, change.token))
                .collect();
            settled.cancelled += called_off.len();
            settled.callbacks.extend(self.call_off(queue, called_off, at).await?);
            if moves.iter().any(|change| change.way == Way::HandBack) {
                self.jobs.announce(queue).await?;
            }
        }
        Ok(settled)
    }

    /// Ends jobs that were to wait for another run, as an operator had asked.
    async fn call_off(
        &self,
        queue: &str,
        jobs: Vec<(JobId, Option<u32>)>,
        at: Timestamp,
    ) -> Result<Vec<NewJob>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let kept_until = later(at, self.ledger.retention.ended);
        let moves: Vec<Move> = jobs
            .iter()
            .map(|(id, token)| Move {
                id: *id,
                token: *token,
                way: Way::Cancel,
                due: Some(kept_until),
                error: error_line(token.unwrap_or_default(), State::Cancelled, at, CANCELLED_WHILE_EXECUTING),
            })
            .collect();
        let ids: Vec<JobId> = jobs.iter().map(|(id, _)| *id).collect();
        let callbacks = self.end_rows(ids, State::Cancelled, at).await?.1;
        self.jobs.moves(queue, &moves, at).await?;
        Ok(callbacks)
    }

    /// Ends, in the ledger, those of these jobs that it expects. Returns which, and the callbacks that were pushed.
    pub(super) async fn end_rows(
        &self,
        ids: Vec<JobId>,
        state: State,
        at: Timestamp,
    ) -> Result<(Vec<JobId>, Vec<NewJob>)> {
        if ids.is_empty() {
            return Ok((ids, Vec::new()));
        }
        let ledger = self.ledger.clone();
        self.db
            .write("end_jobs", move |tx| {
                let rows = outbox::by_ids(tx, ids.iter().copied())?;
                let callbacks = outbox::end(tx, &rows, state, at)?;
                ledger.push_in(tx, &callbacks, at)?;
                Ok((rows.iter().map(|row| row.id).collect(), callbacks))
            })
            .await
    }
}
