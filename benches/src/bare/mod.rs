//! The limits: bare loops of statements over rows held in memory, with the same schema and durability.

mod api;
pub mod end_to_end;
pub mod import;
mod jobs;
mod redis_jobs;
mod servers;
mod sqlite;
mod statement;

use crate::place::{Home, Place};

pub use api::SameAnswer;
pub use statement::{Reference, Rows, Statement};

/// Orders, or jobs, of a transaction.
pub const BATCH: usize = 500;

/// What a bare loop does, transaction by transaction, for each batch.
pub struct Script {
    pub batches: usize,
    pub transactions: Vec<Vec<Step>>,
}

pub enum Step {
    /// Writes the rows of the batch.
    Write(Statement),
    /// Takes as many jobs of a queue as it has, up to a batch.
    Claim(&'static str),
    /// Deletes the jobs of this queue that were taken.
    Complete(&'static str),
    /// Tells Redis of jobs; rows of an id and what they carry.
    Push(&'static str, Rows),
    /// Gives Redis values by a command that takes many; rows of a key and two words each.
    Put(&'static str, Rows),
}

impl Script {
    /// Runs it on an empty database with the schema; returns the seconds it took.
    pub fn run(&self, empty: &Home) -> anyhow::Result<f64> {
        match empty.redis() {
            None => sqlite::run(self, &empty.file()),
            Some(redis) => servers::run(self, empty.database(), redis),
        }
    }
}

/// What runs the scripts there.
pub fn loops(place: &Place) -> &'static str {
    if place.is_sqlite() { "a bare loop" } else { "two bare loops" }
}

/// Jobs that do nothing, enqueued, taken and deleted.
#[derive(Debug, Clone, Copy)]
pub enum BareJobs {
    /// Rows of the database.
    Rows,
    /// In Redis alone, which may forget a second of them, by a script for each change of a job.
    Scripts,
    /// The same by commands that change hundreds at once, of which no job engine could be made.
    Redis,
    /// In Redis, and in the ledger until they end.
    RedisAndOutbox,
}

impl BareJobs {
    /// What an engine is measured beside there.
    pub fn on(place: &Place) -> &'static [BareJobs] {
        if place.is_sqlite() {
            &[BareJobs::Rows]
        } else {
            &[BareJobs::RedisAndOutbox, BareJobs::Scripts, BareJobs::Redis]
        }
    }

    pub fn what(self) -> &'static str {
        match self {
            BareJobs::Rows => "bare statements, 500 a transaction, nothing waiting",
            BareJobs::Scripts => {
                "a bare script for each push and end of a job and each hundred taken, pipelined in hundreds; nothing waiting, \
                 nothing in the ledger"
            }
            BareJobs::Redis => {
                "two loops of bare commands, 500 jobs each, nothing waiting, nothing in the ledger"
            }
            BareJobs::RedisAndOutbox => {
                "two loops of bare commands, 500 jobs each, and a row of the outbox for each; nothing waiting"
            }
        }
    }

    /// Whether it is the limit that a goal is told by: whatever does what an engine does.
    pub fn is_goal(self) -> bool {
        !matches!(self, BareJobs::Redis)
    }

    /// Returns the seconds it took.
    pub fn run(self, empty: &Home, jobs: usize, args: &str) -> anyhow::Result<f64> {
        match (self, empty.redis()) {
            (BareJobs::Rows, _) | (_, None) => jobs::run(&sqlite::open(&empty.file())?, jobs, args),
            (BareJobs::Scripts, Some(redis)) => redis_jobs::run_scripts(redis, jobs, args),
            (BareJobs::Redis, Some(redis)) => redis_jobs::run(empty, redis, jobs, args, false),
            (BareJobs::RedisAndOutbox, Some(redis)) => redis_jobs::run(empty, redis, jobs, args, true),
        }
    }
}
