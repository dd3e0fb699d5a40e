//! The seam between the engine and where jobs are kept.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sql::Tx;
use tokio::sync::watch;

use crate::batch::{BatchProgress, NewBatch};
use crate::job::{Job, JobId, Kept, NewJob, Pushed, Token};
use crate::metrics::{Point, Sample};
use crate::monitor::{Filter, JobRecord, Page, PageRequest, QueueDepth};
use crate::supervisor::{SupervisorId, SupervisorRecord};
use crate::{BatchId, Result, State};

/// What the engine needs of a store of jobs. Every call takes a set and is bounded; the time is always passed in;
/// decisions (backoff, limits) are made above it.
///
/// The `_in` calls are part of a ledger's transaction. A store that is not in that database leaves there what makes
/// the promise hold (a row of an outbox for each job) and takes it away again.
#[async_trait]
pub trait Backend: Console {
    /// Stores jobs as part of a transaction.
    fn push_in(&self, tx: &mut Tx<'_>, jobs: &[NewJob], at: Timestamp) -> Result<Vec<Pushed>>;

    /// Claims the right to the effects of jobs until the transaction ends.
    fn keep_in<'j>(&self, tx: &mut Tx<'_>, jobs: &'j [Job]) -> Result<Kept<'j>>;

    /// Completes jobs as part of a transaction; fails when one is not this worker's any more. Returns the
    /// callbacks that it pushed for batches that ended.
    fn complete_in(&self, tx: &mut Tx<'_>, jobs: &[&Job], at: Timestamp) -> Result<Vec<NewJob>>;

    /// Creates a batch as part of a transaction.
    fn create_batch_in(&self, tx: &mut Tx<'_>, batch: &NewBatch, at: Timestamp) -> Result<CreatedBatch>;

    /// Stores jobs.
    async fn push(&self, jobs: Arc<[NewJob]>, at: Timestamp) -> Result<Vec<Pushed>>;

    /// Gives up to `max` available jobs to a worker, the most urgent first; none of a paused queue.
    async fn claim(&self, claim: Claim, at: Timestamp) -> Result<Vec<Job>>;

    /// Ends or puts back claimed jobs; `None` leaves a job as it is. Those that are not the worker's any more are
    /// left alone and listed.
    async fn settle(
        &self,
        jobs: Arc<[Job]>,
        changes: Arc<[Option<Change>]>,
        at: Timestamp,
    ) -> Result<Settled>;

    /// Moves the end of leases.
    async fn extend(&self, tokens: Arc<[Token]>, until: Timestamp) -> Result<Beat>;

    /// Makes jobs available whose time has come.
    async fn promote(&self, max: usize, at: Timestamp) -> Result<Moved>;

    /// Takes jobs back whose lease has ended, and cuts leases back that end later than `latest`.
    async fn reap(&self, max: usize, rules: Reaping, at: Timestamp) -> Result<Moved>;

    /// Deletes what has been kept for long enough: ended jobs, expired keys, finished batches. Returns how many rows.
    async fn prune(&self, max: usize, rules: Pruning, at: Timestamp) -> Result<usize>;

    /// Offers up to `max` jobs again that the ledger expects and the store does not know. For a store that is the
    /// ledger's own database there are none.
    async fn sweep(&self, _max: usize, _at: Timestamp) -> Result<Swept> {
        Ok(Swept::default())
    }

    /// Takes over up to `max` jobs that were pushed while jobs were kept in another store. Returns how many.
    async fn adopt(&self, max: usize) -> Result<usize>;

    /// How far the store is behind the ledger; none where it is the ledger's own database.
    async fn outbox_lag(&self) -> Result<Option<OutboxLag>> {
        Ok(None)
    }

    /// Which of the queues have an available job and are not paused.
    async fn ready(&self, queues: Arc<[String]>) -> Result<Vec<String>>;

    /// When the next scheduled or retryable job becomes available or the next lease ends.
    async fn next_due(&self) -> Result<Option<Timestamp>>;

    /// A counter that moves when some process may have changed something. Whoever keeps it misses nothing.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// What the monitor and operators need of a store of jobs.
#[async_trait]
pub trait Console: Send + Sync + 'static {
    /// A page of jobs.
    async fn list(&self, filter: Filter, page: PageRequest) -> Result<Page>;

    /// One job with its errors.
    async fn find(&self, id: JobId) -> Result<Option<JobRecord>>;

    /// Jobs per queue and state, none counted beyond `at_most` where that is given.
    async fn depths(&self, at_most: Option<usize>) -> Result<Vec<QueueDepth>>;

    /// Makes jobs available that failed, ended, or wait for their time. Returns how many.
    async fn retry(&self, ids: Arc<[JobId]>, at: Timestamp) -> Result<Moved>;

    /// Calls jobs off: those that wait at once, those that execute by telling their worker.
    async fn cancel(&self, ids: Arc<[JobId]>, reason: String, at: Timestamp) -> Result<Cancelled>;

    /// Deletes jobs that are not executing. Returns how many.
    async fn forget(&self, ids: Arc<[JobId]>, at: Timestamp) -> Result<Forgotten>;

    /// How far a batch is.
    async fn batch(&self, id: BatchId) -> Result<Option<BatchProgress>>;

    /// Batches, the newest first, before `before`.
    async fn batches(&self, before: Option<BatchId>, limit: usize) -> Result<Vec<BatchProgress>>;

    /// Pauses or continues a queue or the supervisors of a name.
    async fn set_paused(&self, what: Pausable, name: String, paused: bool, at: Timestamp) -> Result<()>;

    /// What is paused.
    async fn paused(&self, what: Pausable) -> Result<Vec<String>>;

    /// Stores what a supervisor is doing.
    async fn report(&self, record: SupervisorRecord) -> Result<()>;

    /// What a supervisor of this id and name is told.
    async fn orders(&self, id: SupervisorId, name: String) -> Result<Orders>;

    /// Gives a new supervisor its id.
    async fn register(&self, record: SupervisorRecord) -> Result<SupervisorId>;

    /// Forgets a supervisor.
    async fn unregister(&self, id: SupervisorId) -> Result<()>;

    /// Forgets supervisors that were not heard of since `before`.
    async fn forget_supervisors(&self, before: Timestamp) -> Result<()>;

    /// Supervisors seen since `since`.
    async fn supervisors(&self, since: Timestamp) -> Result<Vec<SupervisorRecord>>;

    /// Tells supervisors of a name, or all, to stop. Returns how many were told.
    async fn terminate(&self, name: Option<String>) -> Result<usize>;

    /// Adds samples to the kept figures, by minute and by hour, and drops what is older than is kept.
    async fn add_samples(&self, samples: Arc<[Sample]>, at: Timestamp) -> Result<()>;

    /// Kept figures of `span` in `[from, to)`, oldest first.
    async fn points(&self, span: crate::metrics::Span, from: Timestamp, to: Timestamp) -> Result<Vec<Point>>;
}

/// A wish for jobs.
#[derive(Debug, Clone)]
pub struct Claim {
    /// From this queue.
    pub queue: Arc<str>,
    /// No more than this many.
    pub max: usize,
    /// For this supervisor.
    pub worker: SupervisorId,
    /// Theirs until then, if the lease is not extended.
    pub until: Timestamp,
}

/// What becomes of a claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Done.
    Complete,
    /// Failed; tried again.
    Retry {
        /// Why.
        error: String,
        /// When.
        at: Timestamp,
    },
    /// Not now; no failure.
    Snooze {
        /// When.
        at: Timestamp,
    },
    /// Given back unharmed, to be had at once.
    HandBack,
    /// Called off.
    Cancel {
        /// Why.
        reason: String,
    },
    /// Failed for good.
    Discard {
        /// Why.
        error: String,
    },
}

/// What a settlement did.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// How many jobs belong to somebody else by now; nothing was done to them.
    pub stale: usize,
    /// How many jobs were to wait for another run and were cancelled instead, as an operator had asked.
    pub cancelled: usize,
    /// Callbacks of batches that ended, pushed.
    pub callbacks: Vec<NewJob>,
}

/// A heartbeat's answer.
#[derive(Debug, Clone, Default)]
pub struct Beat {
    /// Jobs that belong to somebody else by now.
    pub lost: Vec<JobId>,
    /// Jobs that an operator wants cancelled.
    pub cancelled: Vec<JobId>,
}

/// What a step moved.
#[derive(Debug, Clone, Default)]
pub struct Moved {
    /// How many jobs.
    pub count: usize,
    /// The queues that have something to do now.
    pub queues: Vec<String>,
    /// Callbacks of batches that ended, pushed.
    pub callbacks: Vec<NewJob>,
}

/// What a step of the sweeper did.
#[derive(Debug, Clone, Default)]
pub struct Swept {
    /// How many jobs it looked at.
    pub looked: usize,
    /// The queues that have something to do now.
    pub queues: Vec<String>,
    /// Whether the next step should follow at once: the store is known to lack something.
    pub more: bool,
}

/// How far a store of jobs is behind the ledger that expects them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxLag {
    /// Jobs that the ledger expects; none is counted beyond 10,000.
    pub rows: usize,
    /// When the newest of the oldest and newest of them was pushed.
    pub newest: Option<Timestamp>,
    /// How many of the oldest and newest of them the store does not know.
    pub missing: usize,
    /// When the oldest of those was pushed.
    pub oldest_missing: Option<Timestamp>,
}

/// How jobs of lost workers are treated.
#[derive(Debug, Clone, Copy)]
pub struct Reaping {
    /// A lease that ends later than this was written under another clock, and is cut back to it.
    pub latest: Timestamp,
    /// A job that has lost this many workers is discarded.
    pub max_losses: u32,
}

/// What is deleted besides what is due.
#[derive(Debug, Clone, Copy)]
pub struct Pruning {
    /// Ended jobs kept per queue and state at most.
    pub keep_at_most: usize,
    /// Batches that finished before this are deleted.
    pub batches_before: Timestamp,
}

/// What a cancellation did.
#[derive(Debug, Clone, Default)]
pub struct Cancelled {
    /// Jobs that will not run.
    pub cancelled: usize,
    /// Jobs that run now and whose workers were asked to stop.
    pub asked: Vec<JobId>,
    /// Callbacks of batches that ended, pushed.
    pub callbacks: Vec<NewJob>,
}

/// What a deletion did.
#[derive(Debug, Clone, Default)]
pub struct Forgotten {
    /// How many jobs are gone.
    pub count: usize,
    /// Callbacks of batches that ended, pushed.
    pub callbacks: Vec<NewJob>,
}

/// A batch that was created.
#[derive(Debug, Clone)]
pub struct CreatedBatch {
    /// Its id.
    pub id: BatchId,
    /// What became of its jobs.
    pub jobs: Vec<Pushed>,
    /// Its callback, pushed at once because it has no jobs.
    pub callbacks: Vec<NewJob>,
}

/// What can be paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pausable {
    /// A queue: nobody takes jobs from it.
    Queue,
    /// Supervisors of a name: they take no jobs.
    Supervisor,
}

/// What a supervisor is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orders {
    /// Take no jobs.
    pub paused: bool,
    /// Stop.
    pub terminate: bool,
}

impl Change {
    /// The state that the job comes to.
    pub const fn state(&self) -> State {
        match self {
            Change::Complete => State::Completed,
            Change::Retry { .. } => State::Retryable,
            Change::Snooze { .. } => State::Scheduled,
            Change::HandBack => State::Available,
            Change::Cancel { .. } => State::Cancelled,
            Change::Discard { .. } => State::Discarded,
        }
    }
}

/// The longest lease that a setting may ask for, and so the longest that a step of the clock can hide a dead
/// worker's jobs.
pub const LONGEST_LEASE: Duration = Duration::from_mins(10);
