use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::job::Job;
use crate::rate::Bucket;
use crate::run::Batch;
use crate::settings::Settings;
use crate::{Backoff, Error, Result};

/// Any error; `?` makes one.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Runs the jobs of one kind, in batches.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The kind of jobs it runs.
    fn kind(&self) -> &'static str;

    /// What its jobs may cost.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Runs a batch and tells what becomes of each job, in the order of the batch.
    ///
    /// Jobs that were completed in the handler's own transaction, and jobs that [`Queue::keep_in`](crate::Queue::keep_in)
    /// called stale, are [`Outcome::Done`]. An error, a panic or a timeout says nothing of any job: each is then run
    /// alone, so that one bad job takes no others with it.
    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError>;

    /// Ends what hangs on a job, alone in its batch, that is discarded because its last run failed: by an error, a panic or
    /// a timeout, not by an outcome. May be called again for the same job, also when it went to another worker, which
    /// [`Queue::keep_in`](crate::Queue::keep_in) tells. An error puts the end of the job off.
    async fn give_up(&self, _batch: &Batch, _error: &str) -> Result<(), BoxError> {
        Ok(())
    }
}

/// What becomes of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It failed; try again later, or discard it when it has no attempts left.
    Retry(String),
    /// It cannot run now; not a failure. With no time to wait it is available at once, to whichever worker comes.
    Snooze(Duration),
    /// It need not be done any more.
    Cancel(String),
    /// It can never succeed.
    Discard(String),
}

impl Outcome {
    /// A failure, with the causes that the error names.
    pub fn retry(error: &dyn StdError) -> Self {
        Outcome::Retry(with_causes(error))
    }

    /// A failure that no attempt can mend.
    pub fn discard(reason: impl Display) -> Self {
        Outcome::Discard(reason.to_string())
    }
}

/// An error's text, then those of its causes.
pub fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// What the jobs of a kind may cost. Concurrency and rate hold for one process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Failures after which a job is discarded, unless it names its own limit.
    pub attempts: u32,
    /// How long a run may take, of a batch or of a job that runs alone.
    pub timeout: Duration,
    /// Jobs in a batch, at most.
    pub batch: usize,
    /// Batches that run at once, at most. Workers wait for a place with jobs in hand: give a kind that is held
    /// short a queue of its own.
    pub concurrency: Option<usize>,
    /// Jobs in a time, at most. What is beyond it is snoozed.
    pub rate: Option<Rate>,
    /// How long a failed job waits.
    pub backoff: Backoff,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            attempts: 20,
            timeout: Duration::from_mins(1),
            batch: 500,
            concurrency: None,
            rate: None,
            backoff: Backoff::default(),
        }
    }
}

/// So many jobs in such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Jobs.
    pub jobs: u32,
    /// In this time.
    pub per: Duration,
}

/// The handlers of a program: one explicit list.
#[derive(Clone)]
pub struct Registry {
    entries: Arc<HashMap<&'static str, Entry>>,
}

pub(crate) struct Entry {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) limits: Limits,
    pub(crate) places: Option<Arc<Semaphore>>,
    bucket: Option<Mutex<Bucket>>,
}

impl Registry {
    /// Refuses two handlers of one kind, and one that may run for longer than its lease can be kept alive.
    pub fn new(
        handlers: impl IntoIterator<Item = Arc<dyn Handler>>,
        settings: &Settings,
    ) -> Result<Registry> {
        let mut entries = HashMap::new();
        for handler in handlers {
            let (kind, limits) = (handler.kind(), handler.limits());
            if limits.timeout > settings.keep_alive {
                let (timeout, keep_alive) = (limits.timeout, settings.keep_alive);
                return Err(Error::TimeoutTooLong { kind, timeout, keep_alive });
            }
            let entry = Entry {
                handler,
                limits,
                places: limits.concurrency.map(|places| Arc::new(Semaphore::new(places.max(1)))),
                bucket: limits.rate.map(|rate| Mutex::new(Bucket::full(rate, Instant::now()))),
            };
            if entries.insert(kind, entry).is_some() {
                return Err(Error::DuplicateHandler(kind));
            }
        }
        Ok(Registry { entries: Arc::new(entries) })
    }

    /// The kinds that have a handler, sorted.
    pub fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.entries.keys().copied().collect();
        kinds.sort_unstable();
        kinds
    }

    pub(crate) fn get(&self, kind: &str) -> Option<&Entry> {
        self.entries.get(kind)
    }

    /// The largest batch that one of these jobs may be part of; none if no handler knows any of them.
    pub(crate) fn largest_batch_of(&self, jobs: &[Job]) -> Option<usize> {
        let mut last: &str = "";
        let kinds =
            jobs.iter().map(|job| &*job.kind).filter(|kind| std::mem::replace(&mut last, kind) != *kind);
        kinds.filter_map(|kind| self.get(kind)).map(|entry| entry.limits.batch).max()
    }

    /// More than the largest batch need not be claimed at a time.
    pub(crate) fn largest_batch(&self) -> usize {
        self.entries.values().map(|entry| entry.limits.batch).max().unwrap_or(1).max(1)
    }
}

impl Entry {
    /// How many of `jobs` may run now, and how long the others wait.
    pub(crate) fn admit(&self, jobs: usize) -> (usize, Duration) {
        match &self.bucket {
            None => (jobs, Duration::ZERO),
            Some(bucket) => bucket.lock().unwrap_or_else(PoisonError::into_inner).take(jobs, Instant::now()),
        }
    }
}
