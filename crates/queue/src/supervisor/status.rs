use jiff::Timestamp;

/// A supervisor's id: one for each run of a process.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct SupervisorId(pub i64);

/// A supervisor, as all processes see it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct SupervisorRecord {
    /// Its id.
    pub id: SupervisorId,
    /// What operators call it.
    pub name: String,
    /// The machine it runs on.
    pub host: String,
    /// Its process.
    pub pid: u32,
    /// When it started.
    pub started_at: Timestamp,
    /// When it was last heard of.
    pub seen_at: Timestamp,
    /// What its process uses of memory, in MiB, where the system tells.
    pub memory_mib: Option<u64>,
    /// Whether it was told to finish what it runs and stop.
    pub terminating: bool,
    /// Its pools.
    pub pools: Vec<PoolStatus>,
}

/// The workers of one queue.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct PoolStatus {
    /// The queue.
    pub queue: String,
    /// How many workers it has now.
    pub workers: usize,
    /// Those that run something.
    pub busy: Vec<WorkerStatus>,
}

/// What a worker is at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct WorkerStatus {
    /// Its number in the pool, from 0.
    pub worker: usize,
    /// The kind of jobs it runs.
    pub kind: String,
    /// How many of them, in one batch.
    pub jobs: usize,
    /// Since when.
    pub since: Timestamp,
}

/// Why a supervisor stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// It was told to.
    #[error("it was told to stop")]
    Terminated,
    /// There was nothing left to do, and it was to run until then.
    #[error("nothing was left to do")]
    Idle,
    /// It has run as many jobs as it was to.
    #[error("it has run {ran} jobs, and was to stop at {limit}")]
    JobLimit {
        /// Jobs that ran.
        ran: u64,
        /// The limit.
        limit: u64,
    },
    /// The process has grown too large.
    #[error("the process uses {used} MiB of memory, and was to stop at {limit}")]
    MemoryLimit {
        /// Memory in use, in MiB.
        used: u64,
        /// The limit, in MiB.
        limit: u64,
    },
}
