use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::JobId;
use crate::backend::Beat;
use crate::job::{Job, Token};
use crate::landing::Standing;

/// The jobs that workers of this process hold. Heartbeats and cancellations find them here.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    held: Mutex<HashMap<u64, Arc<Lease>>>,
    abandoned: Mutex<Vec<Job>>,
    next: AtomicU64,
}

/// The jobs of one claim.
#[derive(Debug)]
pub(crate) struct Lease {
    groups: Vec<Arc<[Job]>>,
    state: Mutex<Progress>,
    cancelled: Signal,
    lost: Signal,
}

#[derive(Debug)]
struct Progress {
    outstanding: HashSet<JobId>,
    run_began: Instant,
}

/// Job ids that something was said about; as a rule there are none, and asking costs one load.
#[derive(Debug, Default)]
struct Signal {
    any: AtomicBool,
    ids: Mutex<HashSet<JobId>>,
}

impl Signal {
    fn raise(&self, id: JobId) {
        lock(&self.ids).insert(id);
        self.any.store(true, Ordering::Release);
    }

    fn is_raised(&self, id: JobId) -> bool {
        self.any.load(Ordering::Acquire) && lock(&self.ids).contains(&id)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Leases {
    /// Holds the jobs of a claim until the guard is dropped.
    pub(crate) fn hold(self: &Arc<Self>, groups: Vec<Arc<[Job]>>) -> Hold {
        let outstanding = groups.iter().flat_map(|jobs| jobs.iter().map(|job| job.id)).collect();
        let state = Mutex::new(Progress { outstanding, run_began: Instant::now() });
        let lease = Arc::new(Lease { groups, state, cancelled: Signal::default(), lost: Signal::default() });
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.held).insert(number, Arc::clone(&lease));
        Hold { leases: Arc::clone(self), number, lease }
    }

    /// The tokens to keep alive: those of runs that began no longer than `keep_alive` ago.
    pub(crate) fn tokens(&self, keep_alive: Duration) -> Vec<Token> {
        self.all()
            .iter()
            .filter(|lease| lock(&lease.state).run_began.elapsed() <= keep_alive)
            .flat_map(|lease| lease.outstanding().map(super::job::Job::token).collect::<Vec<_>>())
            .collect()
    }

    /// Takes the jobs of workers that were stopped with jobs in hand.
    pub(crate) fn take_abandoned(&self) -> Vec<Job> {
        std::mem::take(&mut *lock(&self.abandoned))
    }

    /// Passes on what a heartbeat has learned. Returns how many jobs are lost: one that was done here, and ended, while
    /// the heartbeat was under way is not.
    pub(crate) fn learn(&self, beat: &Beat) -> usize {
        if beat.lost.is_empty() && beat.cancelled.is_empty() {
            return 0;
        }
        let mut lost = 0;
        for lease in self.all() {
            let in_hand = lease.in_hand();
            for id in beat.lost.iter().filter(|id| in_hand.contains(id)) {
                lease.lost.raise(*id);
                lost += 1;
            }
            beat.cancelled.iter().filter(|id| in_hand.contains(id)).for_each(|id| lease.cancelled.raise(*id));
        }
        lost
    }

    fn all(&self) -> Vec<Arc<Lease>> {
        lock(&self.held).values().cloned().collect()
    }
}

impl Lease {
    /// A run begins: its lease is kept alive for as long as any run's.
    pub(crate) fn begin_run(&self) {
        lock(&self.state).run_began = Instant::now();
    }

    /// These jobs are no longer in hand.
    pub(crate) fn release(&self, jobs: &[Job]) {
        let mut state = lock(&self.state);
        for job in jobs {
            state.outstanding.remove(&job.id);
        }
    }

    pub(crate) fn is_cancelled(&self, id: JobId) -> bool {
        self.cancelled.is_raised(id)
    }

    pub(crate) fn is_lost(&self, id: JobId) -> bool {
        self.lost.is_raised(id)
    }

    /// The jobs that have not ended here.
    fn in_hand(&self) -> HashSet<JobId> {
        let open = |job: &&Job| job.landing.standing() != Standing::Landed;
        self.outstanding().filter(open).map(|job| job.id).collect()
    }

    fn outstanding(&self) -> impl Iterator<Item = &Job> {
        let outstanding = lock(&self.state).outstanding.clone();
        self.groups.iter().flat_map(|jobs| jobs.iter()).filter(move |job| outstanding.contains(&job.id))
    }
}

/// Holds a lease. Jobs that are still in hand when it is dropped are abandoned.
pub(crate) struct Hold {
    leases: Arc<Leases>,
    number: u64,
    pub(crate) lease: Arc<Lease>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        lock(&self.leases.held).remove(&self.number);
        lock(&self.leases.abandoned).extend(self.lease.outstanding().cloned());
    }
}
