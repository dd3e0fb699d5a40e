use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use redis_link::Redis;
use sql::{Database, Tx};

use crate::Result;
use crate::alert::AlertHook;
use crate::backend::{
    Backend, Beat, Change, Claim, CreatedBatch, LONGEST_LEASE, Moved, OutboxLag, Pruning, Reaping, Settled,
};
use crate::batch::NewBatch;
use crate::clock::{Clock, earlier, later};
use crate::job::{Job, Kept, NewJob, Pushed, Token};
use crate::landing::{Landing, Standing};
use crate::lease::Leases;
use crate::metrics::{Measure, Past, Recorder};
use crate::redis::RedisBackend;
use crate::settings::Settings;
use crate::sql::SqlBackend;
use crate::supervisor::SupervisorId;
use crate::wake::Wake;

/// The job engine: a cheap handle.
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Arc<dyn Backend>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    wake: Wake,
    recorder: Recorder,
    past: Past,
    leases: Arc<Leases>,
    alert_hook: AlertHook,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    /// The engine over jobs in `db`, whose schema has [`MIGRATIONS`](crate::MIGRATIONS) applied.
    pub fn sql(db: Database, clock: Arc<dyn Clock>, settings: Settings) -> Result<Queue> {
        let backend = SqlBackend::new(db, settings.retention());
        Queue::new(Arc::new(backend), clock, settings)
    }

    /// The engine over jobs in Redis, under keys that begin with `prefix`, and a ledger in `db` that knows which it
    /// expects; its schema has [`MIGRATIONS`](crate::MIGRATIONS) applied. To be called within a runtime.
    pub fn redis(
        db: Database,
        redis: Redis,
        prefix: &str,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<Queue> {
        let backend = RedisBackend::new(db, redis, prefix, settings.retention())?;
        Queue::new(Arc::new(backend), clock, settings)
    }

    /// The engine over any backend. Refuses settings that cannot work.
    pub fn new(backend: Arc<dyn Backend>, clock: Arc<dyn Clock>, settings: Settings) -> Result<Queue> {
        settings.check()?;
        let inner = Inner {
            backend,
            clock,
            settings,
            wake: Wake::default(),
            recorder: Recorder::default(),
            past: Past::default(),
            leases: Arc::default(),
            alert_hook: AlertHook::default(),
        };
        Ok(Queue { inner: Arc::new(inner) })
    }

    /// Pushes jobs as part of a transaction: they exist if it commits. Workers of this process are woken then.
    pub fn push_in(&self, tx: &mut Tx<'_>, jobs: &[NewJob]) -> Result<Vec<Pushed>> {
        let pushed = self.inner.backend.push_in(tx, jobs, self.now())?;
        let news =
            News::of(jobs.iter().zip(&pushed).filter(|(_, pushed)| pushed.is_new()).map(|(job, _)| job));
        self.tell_after_commit(tx, news);
        Ok(pushed)
    }

    /// Pushes jobs in a transaction of their own.
    pub async fn push(&self, jobs: Vec<NewJob>) -> Result<Vec<Pushed>> {
        let jobs: Arc<[NewJob]> = Arc::from(jobs);
        let pushed = self.inner.backend.push(Arc::clone(&jobs), self.now()).await?;
        let new = jobs.iter().zip(&pushed).filter(|(_, pushed)| pushed.is_new()).map(|(job, _)| job);
        self.tell(&News::of(new));
        Ok(pushed)
    }

    /// Creates a batch with its first jobs as part of a transaction. A batch without jobs is finished at once.
    pub fn create_batch_in(&self, tx: &mut Tx<'_>, batch: &NewBatch) -> Result<CreatedBatch> {
        let created = self.inner.backend.create_batch_in(tx, batch, self.now())?;
        let new =
            batch.jobs.iter().zip(&created.jobs).filter(|(_, pushed)| pushed.is_new()).map(|(job, _)| job);
        self.tell_after_commit(tx, News::of(new.chain(&created.callbacks)));
        Ok(created)
    }

    /// Takes up to `max` available jobs, the most urgent first, under a lease. None of a paused queue.
    pub async fn claim(
        &self,
        queue: &Arc<str>,
        max: usize,
        worker: SupervisorId,
        lease: Duration,
    ) -> Result<Vec<Job>> {
        let now = self.now();
        let claim =
            Claim { queue: Arc::clone(queue), max, worker, until: later(now, lease.min(LONGEST_LEASE)) };
        let mut jobs = self.inner.backend.claim(claim, now).await?;
        Landing::spread(&mut jobs);
        Ok(jobs)
    }

    /// Claims the right to the effects of jobs, until the transaction ends. Those that belong to another worker by
    /// now are left out: the transaction must do nothing for them.
    pub fn keep_in<'j>(&self, tx: &mut Tx<'_>, jobs: &'j [Job]) -> Result<Kept<'j>> {
        let kept = self.inner.backend.keep_in(tx, jobs)?;
        if !kept.stale.is_empty() {
            for job in jobs.iter().filter(|job| kept.stale.contains(&job.id)) {
                job.landing.mark(Standing::Refused);
                self.inner.recorder.count(&job.queue, &job.kind, Measure::Refused, 1);
            }
        }
        Ok(kept)
    }

    /// Ends jobs in the transaction of their effect. Fails when one is not there any more, and then the transaction
    /// must roll back.
    pub fn complete_in(&self, tx: &mut Tx<'_>, jobs: &[&Job]) -> Result<()> {
        let callbacks = self.inner.backend.complete_in(tx, jobs, self.now())?;
        let landings: Vec<Landing> = jobs.iter().map(|job| job.landing.clone()).collect();
        tx.after_commit(move || landings.iter().for_each(|landing| landing.mark(Standing::Landed)));
        if !callbacks.is_empty() {
            self.tell_after_commit(tx, News::of(&callbacks));
        }
        Ok(())
    }

    /// Ends or puts back claimed jobs in a transaction of its own; `None` leaves a job as it is.
    pub async fn settle(&self, jobs: Arc<[Job]>, changes: Arc<[Option<Change>]>) -> Result<Settled> {
        if changes.iter().all(Option::is_none) {
            return Ok(Settled::default());
        }
        let mut settled =
            self.inner.backend.settle(Arc::clone(&jobs), Arc::clone(&changes), self.now()).await?;
        // A handler may hear of its commit before the engine does; what has landed by now was not refused.
        let landed = |(job, change): (&Job, &Option<Change>)| {
            *change == Some(Change::Complete) && job.landing.standing() == Standing::Landed
        };
        let landed = jobs.iter().zip(changes.iter()).filter(|both| landed(*both)).count();
        settled.stale = settled.stale.saturating_sub(landed);
        for (job, change) in jobs.iter().zip(changes.iter()) {
            match change {
                Some(Change::Retry { at, .. } | Change::Snooze { at }) => self.inner.wake.due(*at),
                Some(Change::HandBack) => self.inner.wake.one(&job.queue),
                _ => {}
            }
        }
        if settled.stale > 0 {
            tracing::warn!(
                jobs = settled.stale,
                "results were refused: the jobs had been offered to another worker"
            );
        }
        self.tell(&News::of(&settled.callbacks));
        Ok(settled)
    }

    /// Extends the leases of jobs by `lease` from now. Tells which are lost, and which an operator has called off.
    pub async fn heartbeat(&self, tokens: Vec<Token>, lease: Duration) -> Result<Beat> {
        if tokens.is_empty() {
            return Ok(Beat::default());
        }
        let until = later(self.now(), lease.min(LONGEST_LEASE));
        self.inner.backend.extend(Arc::from(tokens), until).await
    }

    /// Makes up to `max` jobs available whose time has come. Returns how many.
    pub async fn promote(&self, max: usize) -> Result<usize> {
        let moved = self.inner.backend.promote(max, self.now()).await?;
        Ok(self.tell_moved(&moved))
    }

    /// Offers up to `max` jobs again whose leases have ended. Returns how many.
    pub async fn reap(&self, max: usize) -> Result<usize> {
        let now = self.now();
        let rules = Reaping { latest: later(now, LONGEST_LEASE), max_losses: self.inner.settings.max_losses };
        let moved = self.inner.backend.reap(max, rules, now).await?;
        if moved.count > 0 {
            tracing::warn!(jobs = moved.count, "jobs of lost workers are offered again");
        }
        Ok(self.tell_moved(&moved))
    }

    /// Deletes up to `max` of each thing that has been kept for long enough. Returns how many rows.
    pub async fn prune(&self, max: usize) -> Result<usize> {
        let now = self.now();
        let rules = Pruning {
            keep_at_most: self.inner.settings.keep_ended_at_most,
            batches_before: earlier(now, self.inner.settings.keep_ended),
        };
        self.inner.backend.prune(max, rules, now).await
    }

    /// Offers up to `max` jobs again that the ledger expects and the store of jobs has lost. Returns whether the next
    /// step should follow at once.
    pub async fn sweep(&self, max: usize) -> Result<bool> {
        let swept = self.inner.backend.sweep(max, self.now()).await?;
        swept.queues.iter().for_each(|queue| self.inner.wake.one(queue));
        Ok(swept.more)
    }

    /// Takes over the jobs that were pushed while this ledger's jobs were kept in another store: in the table of jobs, or
    /// in Redis. Whoever still works there finds its tokens stale. Returns how many.
    pub async fn adopt(&self) -> Result<usize> {
        let (step, mut adopted) = (self.inner.settings.step, 0);
        loop {
            let moved = self.inner.backend.adopt(step).await?;
            adopted += moved;
            if moved < step {
                return Ok(adopted);
            }
        }
    }

    /// How far the store of jobs is behind the ledger; none where jobs are rows of the ledger's own database.
    pub async fn outbox_lag(&self) -> Result<Option<OutboxLag>> {
        self.inner.backend.outbox_lag().await
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The time by the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.inner.backend
    }

    pub(crate) fn wake(&self) -> &Wake {
        &self.inner.wake
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.inner.recorder
    }

    pub(crate) fn past(&self) -> &Past {
        &self.inner.past
    }

    pub(crate) fn leases(&self) -> &Arc<Leases> {
        &self.inner.leases
    }

    pub(crate) fn alert_hook(&self) -> &AlertHook {
        &self.inner.alert_hook
    }

    pub(crate) fn tell_moved(&self, moved: &Moved) -> usize {
        moved.queues.iter().for_each(|queue| self.inner.wake.one(queue));
        self.tell(&News::of(&moved.callbacks));
        moved.count
    }

    fn tell_after_commit(&self, tx: &mut Tx<'_>, news: News) {
        if !news.jobs.is_empty() {
            let engine = self.clone();
            tx.after_commit(move || engine.tell(&news));
        }
    }

    /// Counts new jobs and wakes who should take them.
    pub(crate) fn tell(&self, news: &News) {
        for ((queue, kind), n) in &news.jobs {
            self.inner.recorder.count(queue, kind, Measure::Enqueued, *n);
            self.inner.wake.one(queue);
        }
        if let Some(at) = news.due {
            self.inner.wake.due(at);
        }
    }
}

/// What this process must hear of new jobs.
#[derive(Debug, Default)]
pub(crate) struct News {
    jobs: BTreeMap<(Arc<str>, Arc<str>), u64>,
    due: Option<Timestamp>,
}

impl News {
    pub(crate) fn of<'a>(jobs: impl IntoIterator<Item = &'a NewJob>) -> Self {
        let mut news = News::default();
        for job in jobs {
            news.add(&job.queue, &job.kind);
            news.due = [news.due, job.run_at].into_iter().flatten().min();
        }
        news
    }

    fn add(&mut self, queue: &str, kind: &str) {
        // Pushes come in runs of one kind, so the first look finds it and nothing is allocated.
        let known = self.jobs.iter_mut().find(|((q, k), _)| **q == *queue && **k == *kind);
        match known {
            Some((_, n)) => *n += 1,
            None => {
                self.jobs.insert((Arc::from(queue), Arc::from(kind)), 1);
            }
        }
    }
}
