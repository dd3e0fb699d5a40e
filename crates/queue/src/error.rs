use crate::{BatchId, JobId};

/// What a call of the engine can answer besides its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sql::Error),
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] redis_link::Error),
    /// Redis answered something that this program's scripts do not answer.
    #[error("an answer of Redis cannot be read: {0}")]
    Answer(&'static str),
    /// The engine on Redis was made outside of a runtime, where nothing can work in the background.
    #[error("the job engine on Redis must be made within a Tokio runtime")]
    NoRuntime,
    /// An id that cannot be sorted as text.
    #[error("job id {0} is negative; jobs in Redis have ids from 0")]
    NegativeId(JobId),
    /// Fewer jobs were there to complete than the transaction had kept: another worker has them by now. The
    /// transaction must roll back; nothing is wrong with the jobs.
    #[error("{stale} of {jobs} jobs belong to another worker by now; this worker's effect was not kept")]
    Stale {
        /// Jobs that were to be completed.
        jobs: usize,
        /// Those of them that were not there any more.
        stale: usize,
    },
    /// A name or a key is empty or too long.
    #[error("{what} {text:?} must have 1 to {longest} bytes")]
    Name {
        /// Which one.
        what: &'static str,
        /// As it was given.
        text: String,
        /// The most that fits.
        longest: usize,
    },
    /// A job's arguments are not JSON.
    #[error("the arguments of a `{kind}` job are not JSON")]
    Arguments {
        /// The job's kind.
        kind: String,
        /// Where they are not.
        source: serde_json::Error,
    },
    /// There is no such job.
    #[error("there is no job {0}; it may have been completed or pruned")]
    UnknownJob(JobId),
    /// There is no such batch.
    #[error("there is no batch {0}; it may have been pruned")]
    UnknownBatch(BatchId),
    /// A batch whose last job has ended takes no more jobs.
    #[error("batch {0} is finished and takes no more jobs; start another one")]
    BatchFinished(BatchId),
    /// There is no supervisor of that name.
    #[error("no supervisor is called {0:?}; `status` lists those that run")]
    UnknownSupervisor(String),
    /// Two handlers want the same kind.
    #[error("two handlers are registered for jobs of kind `{0}`")]
    DuplicateHandler(&'static str),
    /// A handler may run for longer than its lease can be kept alive.
    #[error(
        "handler `{kind}` may run for {timeout:?}, but a lease is kept alive for {keep_alive:?} only; shorten its \
         timeout or raise `keep_alive`"
    )]
    TimeoutTooLong {
        /// The handler's kind.
        kind: &'static str,
        /// Its timeout.
        timeout: std::time::Duration,
        /// For how long the engine extends a lease.
        keep_alive: std::time::Duration,
    },
    /// Settings that contradict each other or make no sense; all of them.
    #[error("the queue settings do not work: {}", .0.join("; "))]
    Settings(Vec<String>),
    /// A stored row is not what this program writes.
    #[error("{what} {id} in the database is not readable: {reason}")]
    Corrupt {
        /// What kind of row.
        what: &'static str,
        /// Its id.
        id: i64,
        /// What is wrong.
        reason: String,
    },
    /// A list's cursor was not one that the engine gave out.
    #[error("{0:?} is not a cursor of this list")]
    Cursor(String),
}

/// The result of an engine call.
pub type Result<T, E = Error> = std::result::Result<T, E>;
