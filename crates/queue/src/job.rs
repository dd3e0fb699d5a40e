use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::handler::Limits;
use crate::landing::Landing;
use crate::{Error, Result};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        #[schemars(inline)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$name> for sql::Value<'_> {
            fn from(id: $name) -> Self {
                sql::Value::Int(id.0)
            }
        }
    };
}
id!(
    /// A job's id.
    JobId
);
id!(
    /// A batch's id.
    BatchId
);

/// The priority of a job that names none. 0 goes first, 255 last.
pub const DEFAULT_PRIORITY: u8 = 100;

const LONGEST_NAME: usize = 64;
const LONGEST_KEY: usize = 180;

/// A job to be done.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewJob {
    /// Chosen by the enqueuer, or given by the engine. While a job with this id is stored, pushing it again is a
    /// no-op that says so.
    pub id: Option<JobId>,
    /// The queue it waits in.
    pub queue: String,
    /// Which handler runs it.
    pub kind: String,
    /// Its arguments: JSON.
    pub args: String,
    /// 0 goes first, 255 last.
    pub priority: u8,
    /// Not before this time.
    pub run_at: Option<Timestamp>,
    /// At most one job with this key.
    pub unique: Option<Unique>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The batch it counts in.
    pub batch: Option<BatchId>,
    /// Failures after which it is discarded; otherwise its handler's limit holds.
    pub max_attempts: Option<u32>,
}

impl NewJob {
    /// A job with these arguments, to be run as soon as a worker is free.
    pub fn new(queue: impl Into<String>, kind: impl Into<String>, args: impl Into<String>) -> Self {
        NewJob {
            id: None,
            queue: queue.into(),
            kind: kind.into(),
            args: args.into(),
            priority: DEFAULT_PRIORITY,
            run_at: None,
            unique: None,
            tags: Vec::new(),
            batch: None,
            max_attempts: None,
        }
    }

    /// The same under an id of the enqueuer's.
    pub fn id(self, id: JobId) -> Self {
        NewJob { id: Some(id), ..self }
    }

    /// The same with a priority.
    pub fn priority(self, priority: u8) -> Self {
        NewJob { priority, ..self }
    }

    /// The same, not before `at`.
    pub fn run_at(self, at: Timestamp) -> Self {
        NewJob { run_at: Some(at), ..self }
    }

    /// The same, at most once by `key` within `scope`.
    pub fn unique(self, key: impl Into<String>, scope: Scope) -> Self {
        NewJob { unique: Some(Unique { key: key.into(), scope }), ..self }
    }

    /// The same with one more tag.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// The same as part of a batch.
    pub fn batch(self, batch: BatchId) -> Self {
        NewJob { batch: Some(batch), ..self }
    }

    /// The same with its own limit of failures.
    pub fn max_attempts(self, attempts: u32) -> Self {
        NewJob { max_attempts: Some(attempts), ..self }
    }

    pub(crate) fn check(&self) -> Result<()> {
        fits("the queue name", &self.queue, LONGEST_NAME)?;
        fits("the job kind", &self.kind, LONGEST_NAME)?;
        if let Some(unique) = &self.unique {
            fits("the unique key", &unique.key, LONGEST_KEY)?;
        }
        for tag in &self.tags {
            fits("the tag", tag, LONGEST_KEY)?;
        }
        Ok(())
    }

    /// Whether it needs more than the row that every job has.
    pub(crate) fn has_extras(&self) -> bool {
        self.unique.is_some() || !self.tags.is_empty() || self.batch.is_some()
    }
}

pub(crate) fn fits(what: &'static str, text: &str, longest: usize) -> Result<()> {
    if text.is_empty() || text.len() > longest {
        return Err(Error::Name { what, text: text.chars().take(200).collect(), longest });
    }
    Ok(())
}

/// A key that at most one job holds at a time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unique {
    /// The key; all queues and kinds share one space.
    pub key: String,
    /// For how long the job holds it.
    pub scope: Scope,
}

/// For how long a job holds its unique key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Scope {
    /// Until a worker takes the job.
    UntilStarted,
    /// Until the job has ended, one way or another.
    UntilFinished,
    /// For this long after it was pushed, whatever becomes of it.
    For(Duration),
}

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The job is stored under this id.
    New(JobId),
    /// Nothing: this job has the id, or holds the unique key, already.
    Exists(JobId),
}

impl Pushed {
    /// The id of the job that is stored, new or not.
    pub const fn id(self) -> JobId {
        match self {
            Pushed::New(id) | Pushed::Exists(id) => id,
        }
    }

    /// Whether this push stored it.
    pub const fn is_new(self) -> bool {
        matches!(self, Pushed::New(_))
    }
}

/// A job that a worker has claimed.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The queue it came from.
    pub queue: Arc<str>,
    /// Which handler runs it.
    pub kind: Arc<str>,
    /// Its arguments: JSON.
    pub args: String,
    /// The fencing token: how often it was claimed, this time included.
    pub attempt: u32,
    /// How often it has failed.
    pub failures: u32,
    /// How often a worker was lost while it ran this job.
    pub losses: u32,
    /// Its own limit of failures.
    pub max_attempts: Option<u32>,
    /// When it was pushed.
    pub enqueued_at: Timestamp,
    /// Since when it could have run.
    pub available_at: Timestamp,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The batch it counts in.
    pub batch: Option<BatchId>,
    /// The key it holds until it ends.
    pub(crate) unique_key: Option<String>,
    pub(crate) landing: Landing,
}

impl Job {
    /// Whether it is discarded when it fails this time.
    pub fn is_last_attempt(&self, limits: &Limits) -> bool {
        self.failures + 1 >= self.max_attempts.unwrap_or(limits.attempts)
    }

    /// The arguments as a type.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.args)
            .map_err(|source| Error::Arguments { kind: self.kind.to_string(), source })
    }

    /// Whether it left more behind than its row.
    pub(crate) fn has_extras(&self) -> bool {
        self.unique_key.is_some()
            || self.batch.is_some()
            || !self.tags.is_empty()
            || self.failures > 0
            || self.losses > 0
    }

    pub(crate) fn token(&self) -> Token {
        Token { id: self.id, attempt: self.attempt }
    }
}

/// What a worker names to prove that a job is still its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// The job.
    pub id: JobId,
    /// The claim it was had by.
    pub attempt: u32,
}

/// The jobs of a transaction that are still this worker's, and those that are not.
#[derive(Debug)]
pub struct Kept<'j> {
    /// The jobs that are kept; their rows are locked until the transaction ends.
    pub jobs: Vec<&'j Job>,
    /// Where each of them stood in the list that was given.
    pub positions: Vec<usize>,
    /// Jobs that were offered again in the meantime, or ended otherwise. Leave them alone.
    pub stale: Vec<JobId>,
}

impl<'j> Kept<'j> {
    pub(crate) fn split(jobs: &'j [Job], mut standing: impl FnMut(&Job) -> bool) -> Self {
        let mut kept = Kept {
            jobs: Vec::with_capacity(jobs.len()),
            positions: Vec::with_capacity(jobs.len()),
            stale: Vec::new(),
        };
        for (position, job) in jobs.iter().enumerate() {
            if standing(job) {
                kept.jobs.push(job);
                kept.positions.push(position);
            } else {
                kept.stale.push(job.id);
            }
        }
        kept
    }
}
