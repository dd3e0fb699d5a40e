//! The workers of one queue.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::status::{PoolStatus, SupervisorId, WorkerStatus};
use crate::handler::{Registry, with_causes};
use crate::run::{Watch, run_claim};
use crate::settings::PoolSettings;
use crate::{Queue, Result};

/// How many workers of a pool may take jobs. A pool has a task for each worker it may ever have; those beyond
/// `open` wait here, which costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Gate {
    pub(super) open: usize,
    pub(super) paused: bool,
}

pub(super) struct Pool {
    pub(super) settings: PoolSettings,
    gate: watch::Sender<Gate>,
    busy: Arc<Vec<Mutex<Option<WorkerStatus>>>>,
}

/// What all workers of a supervisor share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) registry: Registry,
    pub(super) id: SupervisorId,
    pub(super) stopping: CancellationToken,
    pub(super) ran: Arc<AtomicU64>,
}

impl Pool {
    pub(super) fn start(
        settings: &PoolSettings,
        paused: bool,
        shared: &Shared,
        tasks: &mut JoinSet<()>,
    ) -> Pool {
        let (gate, _) = watch::channel(Gate { open: settings.min, paused });
        let busy: Arc<Vec<_>> = Arc::new((0..settings.max).map(|_| Mutex::new(None)).collect());
        let useful = Arc::new(AtomicUsize::new(usize::MAX));
        let scarce = Arc::new(AtomicBool::new(false));
        for number in 0..settings.max {
            let worker = Worker {
                number,
                shared: shared.clone(),
                queue_name: Arc::from(settings.queue.as_str()),
                most: settings.batch.min(shared.registry.largest_batch()),
                useful: Arc::clone(&useful),
                scarce: Arc::clone(&scarce),
                gate: gate.subscribe(),
                busy: Arc::clone(&busy),
            };
            tasks.spawn(worker.work());
        }
        Pool { settings: settings.clone(), gate, busy }
    }

    pub(super) fn workers(&self) -> usize {
        self.gate.borrow().open
    }

    pub(super) fn resize(&self, workers: usize) {
        self.change(|gate| gate.open = workers);
    }

    pub(super) fn pause(&self, paused: bool) {
        self.change(|gate| gate.paused = paused);
    }

    fn change(&self, change: impl Fn(&mut Gate)) {
        self.gate.send_if_modified(|gate| {
            let before = *gate;
            change(gate);
            *gate != before
        });
    }

    pub(super) fn status(&self) -> PoolStatus {
        let busy = self.busy.iter();
        PoolStatus {
            queue: self.settings.queue.clone(),
            workers: self.workers(),
            busy: busy
                .filter_map(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).clone())
                .collect(),
        }
    }
}

struct Worker {
    number: usize,
    shared: Shared,
    queue_name: Arc<str>,
    /// Jobs to claim at a time, at most.
    most: usize,
    /// The largest batch among the kinds that the pool met last. To claim more would only keep jobs from the other
    /// workers while they wait for their turn here.
    useful: Arc<AtomicUsize>,
    /// Whether the pool's last claim left nothing behind.
    scarce: Arc<AtomicBool>,
    gate: watch::Receiver<Gate>,
    busy: Arc<Vec<Mutex<Option<WorkerStatus>>>>,
}

/// How long a worker lets jobs gather while another of its pool has some. A batch costs nearly the same whether it is
/// of three jobs or of fifty, and workers that each take what is there split what they could share.
const GATHER: Duration = Duration::from_millis(20);

/// How long a worker waits after the database refused a claim.
const AFTER_AN_ERROR: Duration = Duration::from_secs(1);

impl Worker {
    async fn work(mut self) {
        let stopping = self.shared.stopping.clone();
        while !stopping.is_cancelled() {
            let open = *self.gate.borrow_and_update();
            if open.paused || self.number >= open.open {
                tokio::select! {
                    () = stopping.cancelled() => break,
                    changed = self.gate.changed() => if changed.is_err() { break },
                }
                continue;
            }
            if let Err(error) = self.turn(&stopping).await {
                tracing::error!(queue = &*self.queue_name, error = with_causes(&error), "cannot claim jobs");
                tokio::select! {
                    () = stopping.cancelled() => break,
                    () = tokio::time::sleep(AFTER_AN_ERROR) => {}
                }
            }
        }
    }

    /// Claims and runs, or waits for something to claim.
    async fn turn(&mut self, stopping: &CancellationToken) -> Result<()> {
        let queue = self.shared.queue.clone();
        let notify = queue.wake().queue(&self.queue_name);
        let lease = queue.settings().lease;
        if self.scarce.load(Ordering::Relaxed) && self.others_are_busy() {
            tokio::select! {
                () = stopping.cancelled() => return Ok(()),
                () = tokio::time::sleep(GATHER) => {}
            }
        }
        let wanted = self.most.min(self.useful.load(Ordering::Relaxed)).max(1);
        let jobs = queue.claim(&self.queue_name, wanted, self.shared.id, lease).await?;
        self.scarce.store(jobs.len() < wanted, Ordering::Relaxed);
        if jobs.is_empty() {
            tokio::select! {
                () = stopping.cancelled() => {}
                // A wake-up that came while we looked is kept, and ends this at once.
                () = notify.notified() => {}
                _ = self.gate.changed() => {}
                () = tokio::time::sleep(queue.settings().poll) => {}
            }
            return Ok(());
        }
        if jobs.len() == wanted {
            // There may be more than one worker can take.
            notify.notify_one();
        }
        if let Some(largest) = self.shared.registry.largest_batch_of(&jobs) {
            self.useful.store(largest, Ordering::Relaxed);
        }
        let ran = run_claim(&queue, &self.shared.registry, jobs, stopping, self).await;
        self.shared.ran.fetch_add(ran as u64, Ordering::Relaxed);
        *self.slot() = None;
        Ok(())
    }

    fn others_are_busy(&self) -> bool {
        let is_busy = |slot: &Mutex<Option<WorkerStatus>>| {
            slot.lock().unwrap_or_else(PoisonError::into_inner).is_some()
        };
        self.busy.iter().enumerate().any(|(number, slot)| number != self.number && is_busy(slot))
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<WorkerStatus>> {
        self.busy[self.number].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Worker {
    fn begins(&self, kind: &Arc<str>, jobs: usize) {
        *self.slot() = Some(WorkerStatus {
            worker: self.number,
            kind: kind.to_string(),
            jobs,
            since: self.shared.queue.now(),
        });
    }
}
