//! Workers, and what keeps them and their jobs going.

mod balance;
mod drain;
mod duties;
mod memory;
mod pool;
mod status;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use drain::drain;
pub use status::{PoolStatus, StopReason, SupervisorId, SupervisorRecord, WorkerStatus};

use crate::handler::Registry;
use crate::settings::SupervisorSettings;
use crate::{Queue, Result};
use pool::{Pool, Shared};

/// A running supervisor: pools of workers, heartbeats, upkeep and figures. Dropping it stops nothing in good order;
/// call [`stop`](Supervisor::stop) and [`wait`](Supervisor::wait).
pub struct Supervisor {
    crew: Arc<Crew>,
    workers: JoinSet<()>,
    duties: JoinSet<()>,
}

/// What the parts of a supervisor share.
pub(crate) struct Crew {
    shared: Shared,
    settings: SupervisorSettings,
    pools: Vec<Pool>,
    host: String,
    started_at: Timestamp,
    reason: Mutex<Option<StopReason>>,
    rounds: AtomicU32,
}

/// How often a supervisor that runs until it is idle looks whether it is.
const IDLE_CHECK: Duration = Duration::from_millis(20);

/// How often the sweeper takes a step, unless it has to hurry.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Starts the pools of the queue's settings.
    pub async fn start(queue: Queue, registry: Registry) -> Result<Supervisor> {
        let settings = queue.settings().supervisor.clone();
        let started_at = queue.now();
        let record = SupervisorRecord {
            id: SupervisorId(0),
            name: settings.name.clone(),
            host: host(),
            pid: std::process::id(),
            started_at,
            seen_at: started_at,
            memory_mib: memory::used_mib(),
            terminating: false,
            pools: Vec::new(),
        };
        let host = record.host.clone();
        let id = queue.backend().register(record).await?;
        let shared = Shared {
            queue,
            registry,
            id,
            stopping: CancellationToken::new(),
            ran: Arc::new(AtomicU64::new(0)),
        };
        // Before the first job is taken: a supervisor that is paused stays paused across a restart.
        let paused = shared.queue.backend().orders(id, settings.name.clone()).await?.paused;
        let mut workers = JoinSet::new();
        let pools: Vec<Pool> =
            settings.pools.iter().map(|pool| Pool::start(pool, paused, &shared, &mut workers)).collect();
        let crew = Arc::new(Crew {
            shared,
            settings,
            pools,
            host,
            started_at,
            reason: Mutex::new(None),
            rounds: AtomicU32::new(0),
        });
        duties::rebalance(Arc::clone(&crew)).await?;
        // Not only with the first heartbeat: until then it would seem to have no workers.
        crew.shared.queue.backend().report(crew.record()).await?;
        let duties = start_duties(&crew);
        tracing::info!(
            supervisor = crew.settings.name,
            id = id.0,
            pools = crew.pools.len(),
            "supervisor started"
        );
        Ok(Supervisor { crew, workers, duties })
    }

    /// Its id.
    pub fn id(&self) -> SupervisorId {
        self.crew.shared.id
    }

    /// Its pools, and what their workers are at.
    pub fn workers(&self) -> Vec<PoolStatus> {
        self.crew.pools.iter().map(Pool::status).collect()
    }

    /// Tells it to take no more jobs and to finish what it runs.
    pub fn stop(&self) {
        self.crew.stop(StopReason::Terminated);
    }

    /// A token whose cancellation stops it, and which is cancelled when it stops.
    pub fn stopping(&self) -> CancellationToken {
        self.crew.shared.stopping.clone()
    }

    /// Waits until it is told to stop, lets running jobs finish for as long as the settings allow, hands back what
    /// has not finished, and returns why it stopped.
    pub async fn wait(mut self) -> StopReason {
        let crew = Arc::clone(&self.crew);
        crew.shared.stopping.cancelled().await;
        let finished = tokio::time::timeout(crew.settings.stop_within, async {
            while self.workers.join_next().await.is_some() {}
        });
        if finished.await.is_err() {
            self.workers.shutdown().await;
        }
        self.duties.shutdown().await;
        crew.leave().await;
        let reason = crew.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let reason = reason.unwrap_or(StopReason::Terminated);
        tracing::info!(supervisor = crew.settings.name, ran = crew.ran(), %reason, "supervisor stopped");
        reason
    }

    /// Runs until its queues have nothing available, executing or retryable, in whatever process; then stops.
    pub async fn run_until_idle(self) -> Result<StopReason> {
        let queues: Vec<String> = self.crew.pools.iter().map(|pool| pool.settings.queue.clone()).collect();
        let stopping = self.stopping();
        while !stopping.is_cancelled() {
            if self.crew.shared.queue.is_idle(&queues).await? {
                self.crew.stop(StopReason::Idle);
                break;
            }
            tokio::select! {
                () = stopping.cancelled() => {}
                () = tokio::time::sleep(IDLE_CHECK) => {}
            }
        }
        Ok(self.wait().await)
    }
}

fn start_duties(crew: &Arc<Crew>) -> JoinSet<()> {
    let settings = crew.shared.queue.settings();
    let mut duties = JoinSet::new();
    duties.spawn(duties::listen(Arc::clone(crew)));
    duties.spawn(duties::keep_moving(Arc::clone(crew)));
    let stop = || crew.shared.stopping.clone();
    // Jobs may finish for a while after the stop, and keep their leases: it is ended with the duties themselves.
    let never = CancellationToken::new();
    let beat = settings.lease / 3;
    duties.spawn(duties::repeat(Arc::clone(crew), beat, never, "heartbeat", duties::heartbeat));
    duties.spawn(duties::repeat(Arc::clone(crew), beat, stop(), "notice", duties::give_notice));
    let cooldown = crew.settings.cooldown;
    duties.spawn(duties::repeat(Arc::clone(crew), cooldown, stop(), "balance", duties::rebalance));
    let flush = settings.flush_metrics;
    duties.spawn(duties::repeat(Arc::clone(crew), flush, stop(), "housekeeping", duties::housekeep));
    duties.spawn(duties::repeat(Arc::clone(crew), SWEEP_EVERY, stop(), "sweep", duties::sweep));
    if crew.settings.max_jobs.is_some() || crew.settings.max_memory_mib.is_some() {
        let poll = settings.poll.min(Duration::from_millis(100));
        duties.spawn(duties::repeat(Arc::clone(crew), poll, stop(), "limits", duties::check_limits));
    }
    duties
}

impl Crew {
    fn stop(&self, reason: StopReason) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.shared.stopping.cancel();
    }

    fn ran(&self) -> u64 {
        self.shared.ran.load(Ordering::Relaxed)
    }

    fn next_round(&self) -> u32 {
        self.rounds.fetch_add(1, Ordering::Relaxed)
    }

    fn record(&self) -> SupervisorRecord {
        SupervisorRecord {
            id: self.shared.id,
            name: self.settings.name.clone(),
            host: self.host.clone(),
            pid: std::process::id(),
            started_at: self.started_at,
            seen_at: self.shared.queue.now(),
            memory_mib: memory::used_mib(),
            terminating: self.shared.stopping.is_cancelled(),
            pools: self.pools.iter().map(Pool::status).collect(),
        }
    }

    /// Hands back what workers did not finish, writes the last figures and signs off.
    async fn leave(&self) {
        let queue = &self.shared.queue;
        duties::report("hand back", duties::hand_back(queue).await);
        duties::report("figures", queue.flush_metrics().await);
        duties::report("sign off", queue.backend().unregister(self.shared.id).await);
    }
}

/// What this machine calls itself, as its supervisors are listed.
pub fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().to_owned())
        .or_else(|| std::env::var("HOSTNAME").ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}
