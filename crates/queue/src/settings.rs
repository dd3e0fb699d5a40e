use std::collections::BTreeMap;
use std::time::Duration;

use crate::backend::LONGEST_LEASE;
use crate::{Error, Result, duration_text};

/// How the engine works. Every field has a default; durations are texts such as `"30s"`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A claimed job is offered again when its worker has not been heard of for this long. Heartbeats come at a
    /// third of it.
    #[serde(with = "duration_text")]
    pub lease: Duration,
    /// For how long after the start of a run heartbeats extend its lease; no handler may have a longer timeout.
    #[serde(with = "duration_text")]
    pub keep_alive: Duration,
    /// How often workers look for jobs that nobody told them about.
    #[serde(with = "duration_text")]
    pub poll: Duration,
    /// Jobs that one step promotes, reaps or prunes at most.
    pub step: usize,
    /// A job whose run has cost this many workers is discarded.
    pub max_losses: u32,
    /// From this many lost workers on, a job runs alone.
    pub isolate_after: u32,
    /// How long completed jobs are kept. With zero, completing a job deletes its row.
    #[serde(with = "duration_text")]
    pub keep_completed: Duration,
    /// How long discarded and cancelled jobs, and finished batches, are kept.
    #[serde(with = "duration_text")]
    pub keep_ended: Duration,
    /// How many ended jobs are kept at most, for each queue and state.
    pub keep_ended_at_most: usize,
    /// How often figures are written.
    #[serde(with = "duration_text")]
    pub flush_metrics: Duration,
    /// Which wait of a queue raises an alert; queues that are not named here raise none.
    pub alerts: BTreeMap<String, WaitLimit>,
    /// The workers of this process.
    pub supervisor: SupervisorSettings,
}

/// The longest wait that is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct WaitLimit(#[serde(with = "duration_text")] pub Duration);

impl Default for Settings {
    fn default() -> Self {
        Settings {
            lease: Duration::from_secs(30),
            keep_alive: Duration::from_hours(1),
            poll: Duration::from_secs(1),
            step: 500,
            max_losses: 20,
            isolate_after: 3,
            keep_completed: Duration::ZERO,
            keep_ended: Duration::from_hours(168),
            keep_ended_at_most: 100_000,
            flush_metrics: Duration::from_secs(10),
            alerts: BTreeMap::new(),
            supervisor: SupervisorSettings::default(),
        }
    }
}

/// The workers of a process.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SupervisorSettings {
    /// What operators call it; processes may share a name and are paused and stopped together.
    pub name: String,
    /// A pool of workers for each of these queues.
    pub pools: Vec<PoolSettings>,
    /// How workers are shared out among the pools.
    pub balance: Balance,
    /// Workers of all pools together, at most.
    pub max_workers: usize,
    /// Workers that a pool may gain or lose at a time.
    pub shift: usize,
    /// How often workers are shared out.
    #[serde(with = "duration_text")]
    pub cooldown: Duration,
    /// How long running jobs may take to finish after a stop; what has not finished by then is handed back.
    #[serde(with = "duration_text")]
    pub stop_within: Duration,
    /// Stop after this many jobs.
    pub max_jobs: Option<u64>,
    /// Stop above this much memory, in MiB (where the system tells).
    pub max_memory_mib: Option<u64>,
}

impl Default for SupervisorSettings {
    fn default() -> Self {
        SupervisorSettings {
            name: "default".to_owned(),
            pools: vec![PoolSettings::new("default")],
            balance: Balance::Auto,
            max_workers: 10,
            shift: 1,
            cooldown: Duration::from_secs(3),
            stop_within: Duration::from_secs(20),
            max_jobs: None,
            max_memory_mib: None,
        }
    }
}

/// The workers of one queue.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolSettings {
    /// The queue.
    pub queue: String,
    /// Workers it always has.
    #[serde(default = "PoolSettings::default_min")]
    pub min: usize,
    /// Workers it has at most.
    #[serde(default = "PoolSettings::default_max")]
    pub max: usize,
    /// Jobs that a worker claims at a time.
    #[serde(default = "PoolSettings::default_batch")]
    pub batch: usize,
}

impl PoolSettings {
    /// The default pool for `queue`.
    pub fn new(queue: impl Into<String>) -> Self {
        PoolSettings {
            queue: queue.into(),
            min: Self::default_min(),
            max: Self::default_max(),
            batch: Self::default_batch(),
        }
    }

    const fn default_min() -> usize {
        1
    }
    const fn default_max() -> usize {
        4
    }
    const fn default_batch() -> usize {
        500
    }
}

/// How workers are shared out among the pools of a supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// By the time a job would wait in each queue.
    #[default]
    Auto,
    /// Evenly.
    Simple,
    /// Each pool has its `max`.
    Off,
}

/// For how long jobs that have ended are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Completed ones; zero deletes them in the transaction that completes them.
    pub completed: Duration,
    /// Discarded and cancelled ones.
    pub ended: Duration,
}

impl Settings {
    pub(crate) fn retention(&self) -> Retention {
        Retention { completed: self.keep_completed, ended: self.keep_ended }
    }

    /// Lists everything that cannot work.
    pub fn check(&self) -> Result<()> {
        let mut wrong = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        must(
            !self.lease.is_zero() && self.lease <= LONGEST_LEASE,
            "`lease` must be above 0 and at most 10 minutes",
        );
        must(self.keep_alive >= self.lease, "`keep_alive` must be at least as long as `lease`");
        must(!self.poll.is_zero(), "`poll` must be above 0");
        must((1..=10_000).contains(&self.step), "`step` must be from 1 to 10000");
        must(self.max_losses > 0, "`max_losses` must be above 0");
        must(!self.flush_metrics.is_zero(), "`flush_metrics` must be above 0");
        let supervisor = &self.supervisor;
        must(
            !supervisor.name.is_empty() && supervisor.name.len() <= 64,
            "`supervisor.name` must have 1 to 64 bytes",
        );
        must(supervisor.shift > 0, "`supervisor.shift` must be above 0");
        must(!supervisor.cooldown.is_zero(), "`supervisor.cooldown` must be above 0");
        let minimum: usize = supervisor.pools.iter().map(|pool| pool.min).sum();
        must(
            supervisor.balance == Balance::Off || minimum <= supervisor.max_workers,
            "`supervisor.max_workers` must cover the `min` of all pools",
        );
        for (index, pool) in supervisor.pools.iter().enumerate() {
            let sound = pool.min <= pool.max && pool.max > 0 && (1..=10_000).contains(&pool.batch);
            must(
                sound,
                &format!("the pool of `{}` needs min ≤ max, max > 0 and a batch from 1 to 10000", pool.queue),
            );
            let twice = supervisor.pools[..index].iter().any(|other| other.queue == pool.queue);
            must(!twice, &format!("queue `{}` has two pools", pool.queue));
        }
        if wrong.is_empty() { Ok(()) } else { Err(Error::Settings(wrong)) }
    }
}
