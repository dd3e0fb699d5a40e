//! The sweeper: whatever the ledger expects and Redis does not know is offered again.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::RedisBackend;
use super::jobs::{Move, Offer, Way};
use super::lane::by_queue;
use super::outbox::{self, Glimpse};
use crate::backend::{OutboxLag, Swept};
use crate::clock::earlier;
use crate::{Error, JobId, Result};

/// A row is left to the relay for this long, unless something is known to be missing.
const LEFT_TO_THE_RELAY: Duration = Duration::from_secs(5);
/// Rows that are counted at most.
const COUNTED_AT_MOST: usize = 10_000;
/// Rows at each end of the outbox that are compared with Redis to tell how far it is behind.
const COMPARED: usize = 500;

/// How far the sweeper is.
#[derive(Debug, Default)]
pub(super) struct Walk {
    after: i64,
    /// Whether this walk takes every row, without a pause, because Redis is known to lack some.
    everything: bool,
    /// Queues that know everything once this walk has come to its end.
    queues: BTreeSet<String>,
}

impl Walk {
    /// The walk that a process begins with: whoever was here before may have left rows behind.
    pub(super) fn of_everything() -> Self {
        Walk { after: i64::MIN, everything: true, ..Walk::default() }
    }

    fn start_over(&mut self) {
        (self.after, self.everything) = (i64::MIN, true);
    }

    /// A queue is not known to know everything. A walk that counts it already goes on.
    pub(super) fn find_out(&mut self, queue: &str) {
        if self.queues.insert(queue.to_owned()) {
            self.start_over();
        }
    }

    /// A queue knows nothing.
    fn lost(&mut self, queue: &str) {
        self.queues.insert(queue.to_owned());
        self.start_over();
    }
}

impl RedisBackend {
    /// Tells a queue what it must know before jobs are taken from it, and has the sweeper bring all its jobs back.
    pub(super) async fn establish(&self, queue: &str) -> Result<()> {
        let paused = self.paused_queues().await?.iter().any(|name| name == queue);
        self.jobs.establish(queue, self.epoch().await?, paused).await?;
        self.walk.lock().await.lost(queue);
        Ok(())
    }

    pub(super) async fn sweep_outbox(&self, max: usize, at: Timestamp) -> Result<Swept> {
        self.arrived().await;
        let (after, everything) = {
            let mut walk = self.walk.lock().await;
            if self.missed.swap(false, Ordering::AcqRel) {
                walk.start_over();
            }
            (walk.after, walk.everything)
        };
        let page = self.db.read("sweep_jobs", move |tx| outbox::page(tx, after, max)).await?;
        let before = if everything { Timestamp::MAX } else { earlier(at, LEFT_TO_THE_RELAY) };
        let due: Vec<&Glimpse> = page.iter().filter(|row| row.enqueued_at <= before).collect();
        let missing = self.missing(&due).await?;
        let queues = self.offer_rows(missing).await?;
        let is_last = page.len() < max;
        let done = self.step(after, page.last().map(|row| row.id.0).filter(|_| !is_last)).await;
        for queue in done {
            self.jobs.settled(&queue, self.epoch().await?).await?;
        }
        Ok(Swept { looked: page.len(), queues, more: everything && !is_last })
    }

    /// Goes on to `next`, or ends the walk, unless it was started over in the meantime. Returns the queues that know
    /// everything now.
    async fn step(&self, from: i64, next: Option<i64>) -> BTreeSet<String> {
        let mut walk = self.walk.lock().await;
        if walk.after != from {
            return BTreeSet::new();
        }
        match next {
            Some(next) => {
                walk.after = next;
                BTreeSet::new()
            }
            None => std::mem::replace(&mut *walk, Walk { after: i64::MIN, ..Walk::default() }).queues,
        }
    }

    async fn missing(&self, rows: &[&Glimpse]) -> Result<Vec<JobId>> {
        let mut missing = Vec::new();
        for (queue, rows) in by_queue(rows.iter(), |row| &row.queue) {
            let ids: Vec<JobId> = rows.iter().map(|row| row.id).collect();
            missing.extend(self.jobs.missing(queue, &ids).await?);
        }
        Ok(missing)
    }

    /// Offers jobs by their rows. Returns the queues of those that were not known.
    pub(super) async fn offer_rows(&self, ids: Vec<JobId>) -> Result<Vec<String>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.db.read::<_, Error>("missing_jobs", move |tx| outbox::list(tx, ids.iter().copied()));
        let rows = rows.await?;
        let mut queues = Vec::new();
        for (queue, rows) in by_queue(rows.iter(), |row| &row.queue) {
            // A worker may be at it still, with the first token that may land: the next claim is told from that one.
            let offers: Vec<Offer> = rows.iter().map(|row| row.offer(row.fence)).collect();
            let new = self.jobs.offer(queue, &offers, true).await?;
            if !new.is_empty() {
                tracing::warn!(queue, jobs = new.len(), "jobs that Redis did not know are offered again");
                self.take_back(queue, new).await?;
                queues.push(queue.to_owned());
            }
        }
        Ok(queues)
    }

    /// A job that ended while it was being offered must not stay.
    async fn take_back(&self, queue: &str, offered: Vec<JobId>) -> Result<()> {
        let ids = offered.clone();
        let still = self.db.read("offered_jobs", move |tx| outbox::expected(tx, ids.iter().copied())).await?;
        let still: HashSet<JobId> = still.into_iter().collect();
        let moves: Vec<Move> = offered
            .into_iter()
            .filter(|id| !still.contains(id))
            .map(|id| Move { id, token: None, way: Way::Drop, due: None, error: String::new() })
            .collect();
        self.jobs.moves(queue, &moves, Timestamp::UNIX_EPOCH).await.map(drop)
    }

    /// How far Redis is behind the ledger.
    pub(super) async fn lag(&self) -> Result<OutboxLag> {
        self.arrived().await;
        let (rows, page) = self
            .db
            .read::<_, Error>("outbox_lag", |tx| {
                let mut page = outbox::page(tx, i64::MIN, COMPARED)?;
                if page.len() == COMPARED {
                    page.extend(outbox::newest(tx, COMPARED)?);
                }
                Ok((outbox::count(tx, COUNTED_AT_MOST)?, page))
            })
            .await?;
        let missing: HashSet<JobId> =
            self.missing(&page.iter().collect::<Vec<_>>()).await?.into_iter().collect();
        let oldest = page.iter().filter(|row| missing.contains(&row.id)).map(|row| row.enqueued_at).min();
        let newest = page.iter().map(|row| row.enqueued_at).max();
        Ok(OutboxLag { rows, newest, missing: missing.len(), oldest_missing: oldest })
    }
}
