use jiff::Timestamp;

use crate::BatchId;
use crate::job::NewJob;

/// Jobs that are counted together.
#[derive(Debug, Clone, Default)]
pub struct NewBatch {
    /// What the monitor calls it.
    pub name: String,
    /// Its first jobs. They, and others while one of them has not ended, may push more into it.
    pub jobs: Vec<NewJob>,
    /// Pushed once, in the transaction that ends the last job, however the jobs ended.
    pub callback: Option<NewJob>,
}

/// How far a batch is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct BatchProgress {
    /// Its id.
    pub id: BatchId,
    /// Its name.
    pub name: String,
    /// Jobs in it.
    pub total: u64,
    /// Jobs that have not ended.
    pub pending: u64,
    /// Jobs that are done.
    pub completed: u64,
    /// Jobs that failed for good.
    pub discarded: u64,
    /// Jobs that were called off.
    pub cancelled: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its last job ended.
    pub finished_at: Option<Timestamp>,
}

impl BatchProgress {
    /// The share of jobs that have ended, in percent.
    pub fn percent(&self) -> u64 {
        match self.total {
            0 => 100,
            total => (total - self.pending.min(total)) * 100 / total,
        }
    }
}
