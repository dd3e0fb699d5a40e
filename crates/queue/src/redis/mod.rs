//! Jobs in Redis or Valkey, expected by the ledger's database.
//!
//! # Keys
//!
//! `P` is the prefix that the shop was given. All keys of a queue carry one hash tag, so that a cluster keeps them together
//! and one script can change them: `Q` stands for `P:{q:QUEUE}:2:`, with the number of this layout, and scripts are given it
//! as their key. Ids have 19 digits and times, in microseconds, 18, so that they sort as text; all scores are 0, because a
//! score is a floating number and loses digits.
//!
//! | key | type | what | until |
//! | --- | --- | --- | --- |
//! | `Q` `d` | hash | id → state, due, attempt, failures, losses, cancelling, priority, started, finished, worker; of jobs that were claimed or moved | the job is deleted |
//! | `Q` `s` | hash | id → on a line, the same as it was at first; then what never changes: kind, arguments, unique key, batch, limit of attempts, when it was pushed | the job is deleted |
//! | `Q` `g` | hash | id → its tags, as JSON; only of jobs that have some | the job is deleted |
//! | `Q` `x` | hash | id → its newest 50 errors, a line of JSON each; only of jobs that have some | the job is deleted |
//! | `Q` `z1` | sorted set | available jobs: priority (3 digits), since when, id | the job leaves the state |
//! | `Q` `z0` `z2` … `z6` | sorted sets | scheduled, executing, retryable, completed, discarded, cancelled jobs: due, id | the job leaves the state |
//! | `Q` `i` | sorted set | the hundreds of ids that some job is in (an id less its last two digits), for lists that name no state | the last of them is deleted |
//! | `Q` `n` | hash | hundred of ids → how many jobs are in it | the same |
//! | `Q` `t:TAG` | sorted set | ids of jobs with this tag | the last of them is deleted |
//! | `Q` `p` | string | there while the queue is paused | it is continued |
//! | `Q` `e` | string | the epoch of the ledger; with a `?` until all that it expects was offered | ever |
//! | `P:{all}:queues` | set | the names of queues | ever |
//! | `P:{all}:wake` | stream | the names of queues that have something to do, and who says so, the newest hundred or so | newer ones come |
//!
//! One hash of all jobs takes less memory than a key for each, and a script reads and writes five hundred of them in one
//! command. No key expires: what has ended is pruned by age and by count, like rows.
//!
//! Pauses, supervisors, batches, unique keys and figures are rows of the ledger's database. They are few, they change
//! seldom, and they must outlive a Redis that is emptied; a claim sees a pause by the key `p`.
//!
//! # Who is right
//!
//! The outbox is: the table `job_outbox` holds a row for each job that has not ended. Redis may forget jobs, or remember
//! ones that have ended; it cannot make an effect land twice or not at all.
//!
//! - A job is **pushed** by its row, in the transaction of the work, and offered to Redis after the commit.
//! - An effect **lands** by deleting the row, in the transaction of the effect. No row, no effect.
//! - A row's `fence` is the first token that may land. Whatever takes a job from its worker without ending it (a retry, a
//!   snooze, a hand-back, the end of a lease) raises the fence first and moves the job in Redis afterwards.
//! - Whatever ends a job without an effect (discarded, cancelled, forgotten) deletes the row first.
//!
//! So SQL always comes first. What follows when the process dies, or Redis does not hear, between the two:
//!
//! | after the commit of | Redis has | and then |
//! | --- | --- | --- |
//! | a push | nothing | the sweeper finds the row and offers it |
//! | a completion | the job, executing | the lease ends; the reaper finds no row and deletes it. Until then a second look by its worker is refused |
//! | a retry, snooze, hand-back | the job, executing | the engine repeats the settlement, which is the same the second time; or the lease ends, and it is offered again with a worker lost |
//! | the end of a lease | the job, executing | the next reaper does the same again |
//! | a discard or cancellation | the job, executing or waiting | the engine repeats it; or whoever takes the job finds no row, and deletes it; its record is lost |
//! | a retry by hand | the job, ended | the sweeper finds the row of a job that has ended, and offers it |
//!
//! A job that runs without a row (one that was offered while it ended elsewhere) may call the outside once more, as any job
//! may; its effect is refused, and whoever finds so deletes it.
//!
//! # When Redis forgets
//!
//! A queue in Redis carries the epoch of its ledger. Where it is missing (Redis was emptied, or restarted without its
//! data) or another's, a claim has no jobs; it first restores what the queue must know, its pause above all, and has the
//! sweeper walk the whole outbox without a pause. The epoch keeps its `?` until a walk has come to its end, so that a
//! walk that dies is begun again by whoever claims next. The first use of a queue looks the same, and costs one walk. A
//! process also walks the whole outbox when it starts, when a relay failed, when nobody knows whether a push was committed,
//! and when its connection for wake-ups was lost: Redis may have come back with an older copy. Otherwise the sweeper goes
//! round the outbox a page every second.
//!
//! A job that an older copy still has is offered with tokens that cannot land any more. The first lease of it that ends
//! shows that: its row is more than one token ahead. It is told anew by its row then, and no worker counts as lost.
//!
//! A worker whose job was forgotten keeps it: the row still says so, and its heartbeat is told so. The job is offered
//! again one token further, so that its two workers are told apart; the first to land has the effect. What is lost are
//! errors, counts of failures, and records of jobs that had ended.

mod claim;
mod jobs;
mod keys;
mod lane;
mod ledger;
mod list;
mod operate;
mod outbox;
mod packed;
mod scripts;
mod settle;
mod sweep;
mod upkeep;
mod wake;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use redis_link::Redis;
use sql::{Database, Tx};
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, watch};

use crate::backend::{
    Backend, Beat, Cancelled, Change, Claim, Console, CreatedBatch, Forgotten, Moved, Orders, OutboxLag,
    Pausable, Pruning, Reaping, Settled, Swept,
};
use crate::batch::{BatchProgress, NewBatch};
use crate::job::{Job, Kept, NewJob, Pushed, Token};
use crate::metrics::{Point, Sample, Span};
use crate::monitor::{Filter, JobRecord, Page, PageRequest, QueueDepth};
use crate::settings::Retention;
use crate::sql::{SqlBackend, adopt};
use crate::supervisor::{SupervisorId, SupervisorRecord};
use crate::{BatchId, Error, JobId, Result};
use jobs::Jobs;
use ledger::Ledger;
use sweep::Walk;
use wake::Ear;

/// The backend whose jobs are in Redis.
#[derive(Debug)]
pub struct RedisBackend {
    db: Database,
    /// What is not worth being in Redis: batches, supervisors, pauses and figures.
    sql: SqlBackend,
    jobs: Jobs,
    ledger: Ledger,
    epoch: OnceCell<i64>,
    walk: tokio::sync::Mutex<Walk>,
    /// Whether Redis is known to lack something that the ledger expects.
    missed: Arc<AtomicBool>,
    claimed_from: Mutex<Vec<Arc<str>>>,
    ear: Ear,
}

impl RedisBackend {
    /// Jobs in Redis, under keys that begin with `prefix`, expected by this database, whose schema has
    /// [`MIGRATIONS`](crate::MIGRATIONS) applied. Must be called within a runtime, which carries to Redis what was
    /// committed.
    pub fn new(db: Database, redis: Redis, prefix: &str, retention: Retention) -> Result<Self> {
        let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let jobs = Jobs::new(redis, prefix);
        let missed = Arc::new(AtomicBool::new(false));
        let ledger = Ledger {
            offers: lane::offers(&runtime, jobs.clone(), Arc::clone(&missed)),
            endings: lane::endings(&runtime, jobs.clone()),
            missed: Arc::clone(&missed),
            retention,
        };
        Ok(RedisBackend {
            sql: SqlBackend::new(db.clone(), retention),
            db,
            jobs,
            ledger,
            epoch: OnceCell::new(),
            walk: tokio::sync::Mutex::new(Walk::of_everything()),
            missed,
            claimed_from: Mutex::default(),
            ear: Ear::new(runtime),
        })
    }

    /// Waits until Redis has heard of what was committed here before.
    async fn arrived(&self) {
        self.ledger.offers.settled().await;
        self.ledger.endings.settled().await;
    }

    /// The mark of this ledger.
    async fn epoch(&self) -> Result<i64> {
        let make = || {
            let new = rand::random_range(1..i64::MAX);
            self.db.write("job_epoch", move |tx| outbox::epoch(tx, new))
        };
        self.epoch.get_or_try_init(make).await.copied()
    }
}

#[async_trait]
impl Backend for RedisBackend {
    fn push_in(&self, tx: &mut Tx<'_>, jobs: &[NewJob], at: Timestamp) -> Result<Vec<Pushed>> {
        self.ledger.push_in(tx, jobs, at)
    }

    fn keep_in<'j>(&self, tx: &mut Tx<'_>, jobs: &'j [Job]) -> Result<Kept<'j>> {
        self.ledger.keep_in(tx, jobs)
    }

    fn complete_in(&self, tx: &mut Tx<'_>, jobs: &[&Job], at: Timestamp) -> Result<Vec<NewJob>> {
        self.ledger.complete_in(tx, jobs, at)
    }

    fn create_batch_in(&self, tx: &mut Tx<'_>, batch: &NewBatch, at: Timestamp) -> Result<CreatedBatch> {
        self.ledger.create_batch_in(tx, batch, at)
    }

    async fn push(&self, jobs: Arc<[NewJob]>, at: Timestamp) -> Result<Vec<Pushed>> {
        let ledger = self.ledger.clone();
        let pushed = self.db.write("push_jobs", move |tx| ledger.push_in(tx, &jobs, at)).await?;
        self.ledger.offers.settled().await;
        Ok(pushed)
    }

    async fn claim(&self, claim: Claim, at: Timestamp) -> Result<Vec<Job>> {
        self.take(claim, at).await
    }

    async fn settle(
        &self,
        jobs: Arc<[Job]>,
        changes: Arc<[Option<Change>]>,
        at: Timestamp,
    ) -> Result<Settled> {
        self.settle_jobs(jobs, changes, at).await
    }

    async fn extend(&self, tokens: Arc<[Token]>, until: Timestamp) -> Result<Beat> {
        self.prolong(&tokens, until).await
    }

    async fn promote(&self, max: usize, at: Timestamp) -> Result<Moved> {
        self.promote_due(max, at).await
    }

    async fn reap(&self, max: usize, rules: Reaping, at: Timestamp) -> Result<Moved> {
        self.reap_lost(max, rules, at).await
    }

    async fn prune(&self, max: usize, rules: Pruning, at: Timestamp) -> Result<usize> {
        self.prune_old(max, rules, at).await
    }

    async fn sweep(&self, max: usize, at: Timestamp) -> Result<Swept> {
        self.sweep_outbox(max, at).await
    }

    async fn adopt(&self, max: usize) -> Result<usize> {
        let adopted = self.db.write::<_, Error>("adopt_jobs", move |tx| adopt::to_outbox(tx, max)).await?;
        if adopted > 0 {
            self.missed.store(true, Ordering::Release);
        }
        Ok(adopted)
    }

    async fn outbox_lag(&self) -> Result<Option<OutboxLag>> {
        self.lag().await.map(Some)
    }

    async fn ready(&self, queues: Arc<[String]>) -> Result<Vec<String>> {
        let mut ready = Vec::new();
        for queue in queues.iter() {
            if self.jobs.is_ready(queue).await? {
                ready.push(queue.clone());
            }
        }
        Ok(ready)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        self.first_due().await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.ear.changes(&self.jobs, &self.missed)
    }
}

#[async_trait]
impl Console for RedisBackend {
    async fn list(&self, filter: Filter, page: PageRequest) -> Result<Page> {
        self.list_jobs(&filter, &page).await
    }

    async fn find(&self, id: JobId) -> Result<Option<JobRecord>> {
        self.find_job(id).await
    }

    async fn depths(&self, at_most: Option<usize>) -> Result<Vec<QueueDepth>> {
        self.count_jobs(at_most).await
    }

    async fn retry(&self, ids: Arc<[JobId]>, at: Timestamp) -> Result<Moved> {
        self.retry_jobs(&ids, at).await
    }

    async fn cancel(&self, ids: Arc<[JobId]>, reason: String, at: Timestamp) -> Result<Cancelled> {
        self.cancel_jobs(&ids, &reason, at).await
    }

    async fn forget(&self, ids: Arc<[JobId]>, at: Timestamp) -> Result<Forgotten> {
        self.forget_jobs(&ids, at).await
    }

    async fn batch(&self, id: BatchId) -> Result<Option<BatchProgress>> {
        self.sql.batch(id).await
    }

    async fn batches(&self, before: Option<BatchId>, limit: usize) -> Result<Vec<BatchProgress>> {
        self.sql.batches(before, limit).await
    }

    async fn set_paused(&self, what: Pausable, name: String, paused: bool, at: Timestamp) -> Result<()> {
        self.sql.set_paused(what, name.clone(), paused, at).await?;
        match what {
            Pausable::Queue => self.jobs.set_paused(&name, paused).await,
            Pausable::Supervisor => Ok(()),
        }
    }

    async fn paused(&self, what: Pausable) -> Result<Vec<String>> {
        self.sql.paused(what).await
    }

    async fn report(&self, record: SupervisorRecord) -> Result<()> {
        self.sql.report(record).await
    }

    async fn orders(&self, id: SupervisorId, name: String) -> Result<Orders> {
        self.sql.orders(id, name).await
    }

    async fn register(&self, record: SupervisorRecord) -> Result<SupervisorId> {
        self.sql.register(record).await
    }

    async fn unregister(&self, id: SupervisorId) -> Result<()> {
        self.sql.unregister(id).await
    }

    async fn forget_supervisors(&self, before: Timestamp) -> Result<()> {
        self.sql.forget_supervisors(before).await
    }

    async fn supervisors(&self, since: Timestamp) -> Result<Vec<SupervisorRecord>> {
        self.sql.supervisors(since).await
    }

    async fn terminate(&self, name: Option<String>) -> Result<usize> {
        self.sql.terminate(name).await
    }

    async fn add_samples(&self, samples: Arc<[Sample]>, at: Timestamp) -> Result<()> {
        self.sql.add_samples(samples, at).await
    }

    async fn points(&self, span: Span, from: Timestamp, to: Timestamp) -> Result<Vec<Point>> {
        self.sql.points(span, from, to).await
    }
}
