#![doc = include_str!("../README.md")]

mod alert;
pub mod backend;
mod backoff;
mod batch;
mod clock;
mod console;
pub mod duration_text;
mod error;
mod handler;
mod job;
mod landing;
mod lease;
pub mod metrics;
mod monitor;
mod queue;
mod rate;
pub mod redis;
mod run;
mod settings;
mod settling;
pub mod sql;
mod state;
mod supervisor;
mod trace;
mod wake;

pub use crate::redis::RedisBackend;
pub use crate::sql::{MIGRATIONS, SqlBackend};
pub use alert::Alert;
pub use backend::{LONGEST_LEASE, OutboxLag};
pub use backoff::Backoff;
pub use batch::{BatchProgress, NewBatch};
pub use clock::{Clock, ManualClock, SystemClock};
pub use console::Selection;
pub use error::{Error, Result};
pub use handler::{BoxError, Handler, Limits, Outcome, Rate, Registry, with_causes};
pub use job::{BatchId, DEFAULT_PRIORITY, Job, JobId, Kept, NewJob, Pushed, Scope, Token, Unique};
pub use monitor::{Cursor, FailureGroup, Filter, JobError, JobRecord, Page, PageRequest, QueueDepth};
pub use queue::Queue;
pub use run::Batch;
pub use settings::{Balance, PoolSettings, Retention, Settings, SupervisorSettings, WaitLimit};
pub use state::{State, UnknownState};
pub use supervisor::{
    PoolStatus, StopReason, Supervisor, SupervisorId, SupervisorRecord, WorkerStatus, drain, host,
};
