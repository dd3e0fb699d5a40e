//! What a supervisor does besides running jobs, each in a loop of its own until it is stopped.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::balance::{Load, share};
use super::{Crew, memory};
use crate::backend::{Change, Orders};
use crate::clock::{between, earlier, later};
use crate::handler::with_causes;
use crate::{Queue, Result};

/// Jobs whose leases are extended in one transaction.
const BEATS: usize = 1_000;
/// When to look again for due jobs that another process is moving.
const HELD_ELSEWHERE: Duration = Duration::from_millis(20);
/// Depth that the balance tells apart.
const COUNTED_AT_MOST: usize = 10_000;
/// Pruning comes after this many rounds of housekeeping.
const PRUNE_EVERY: u32 = 6;

/// Calls `duty` again and again, `pause` apart, until it is told to end. A failure is told and tried again.
pub(super) async fn repeat<F>(
    crew: Arc<Crew>,
    pause: Duration,
    until: CancellationToken,
    name: &'static str,
    duty: impl Fn(Arc<Crew>) -> F,
) where
    F: Future<Output = Result<()>>,
{
    while until.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        report(name, duty(Arc::clone(&crew)).await);
    }
}

pub(super) fn report(duty: &'static str, result: Result<()>) {
    if let Err(error) = result {
        tracing::error!(
            duty,
            error = with_causes(&error),
            "a duty of the supervisor failed; it is tried again"
        );
    }
}

/// Wakes workers for jobs that other processes pushed.
pub(super) async fn listen(crew: Arc<Crew>) {
    let names: Arc<[String]> = crew.pools.iter().map(|pool| pool.settings.queue.clone()).collect();
    let queue = &crew.shared.queue;
    let mut changes = queue.backend().changes();
    loop {
        tokio::select! {
            () = crew.shared.stopping.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
        match queue.backend().ready(Arc::clone(&names)).await {
            Ok(ready) => ready.iter().for_each(|name| queue.wake().one(name)),
            Err(error) => report("listen", Err(error)),
        }
    }
}

/// Makes jobs available when their time comes, takes them back from lost workers, and hears what operators ordered.
pub(super) async fn keep_moving(crew: Arc<Crew>) {
    let queue = &crew.shared.queue;
    loop {
        let wait = match move_due(&crew).await {
            Ok(wait) => wait,
            Err(error) => {
                report("keep moving", Err(error));
                queue.settings().poll
            }
        };
        queue.wake().expect(later(queue.now(), wait));
        tokio::select! {
            () = crew.shared.stopping.cancelled() => return,
            () = queue.wake().upkeep.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn move_due(crew: &Crew) -> Result<Duration> {
    let queue = &crew.shared.queue;
    let orders = queue.backend().orders(crew.shared.id, crew.settings.name.clone()).await?;
    obey(crew, orders);
    let step = queue.settings().step;
    loop {
        let now = queue.now();
        match queue.backend().next_due().await? {
            Some(due) if due <= now => {
                let moved = queue.promote(step).await? + queue.reap(step).await?;
                if moved == 0 {
                    // Another process holds them right now.
                    return Ok(HELD_ELSEWHERE);
                }
            }
            next => {
                let poll = queue.settings().poll;
                return Ok(next.map_or(poll, |due| between(now, due).min(poll)));
            }
        }
    }
}

fn obey(crew: &Crew, orders: Orders) {
    crew.pools.iter().for_each(|pool| pool.pause(orders.paused));
    if orders.terminate {
        crew.stop(super::StopReason::Terminated);
    }
}

/// Extends the leases of what runs here. Nothing else is done on the way, which could take longer than a lease.
pub(super) async fn heartbeat(crew: Arc<Crew>) -> Result<()> {
    let queue = &crew.shared.queue;
    let settings = queue.settings();
    let tokens = queue.leases().tokens(settings.keep_alive);
    for piece in tokens.chunks(BEATS) {
        let beat = queue.heartbeat(piece.to_vec(), settings.lease).await?;
        let lost = queue.leases().learn(&beat);
        if lost > 0 {
            tracing::warn!(jobs = lost, "jobs that run here were offered to another worker");
        }
    }
    Ok(())
}

/// Gives back what was abandoned, and says that this supervisor is there and what it is at.
pub(super) async fn give_notice(crew: Arc<Crew>) -> Result<()> {
    hand_back(&crew.shared.queue).await?;
    crew.shared.queue.backend().report(crew.record()).await
}

/// Gives back, to be had at once, the jobs of workers that were stopped with jobs in hand.
pub(super) async fn hand_back(queue: &Queue) -> Result<()> {
    let jobs = queue.leases().take_abandoned();
    if !jobs.is_empty() {
        tracing::warn!(jobs = jobs.len(), "jobs that were not finished are handed back");
        let changes = vec![Some(Change::HandBack); jobs.len()];
        queue.settle(Arc::from(jobs), Arc::from(changes)).await?;
    }
    Ok(())
}

/// Shares the workers out anew.
pub(super) async fn rebalance(crew: Arc<Crew>) -> Result<()> {
    let queue = &crew.shared.queue;
    let depths = queue.depths(Some(COUNTED_AT_MOST)).await?;
    let loads: Vec<Load> = crew
        .pools
        .iter()
        .map(|pool| {
            let depth = depths.iter().find(|depth| depth.queue == pool.settings.queue && !depth.paused);
            Load {
                waiting: depth.map_or(0, |depth| depth.count(crate::State::Available)),
                mean_run: queue.mean_run(&pool.settings.queue).unwrap_or(Duration::from_millis(1)),
                workers: pool.workers(),
                min: pool.settings.min,
                max: pool.settings.max,
            }
        })
        .collect();
    let settings = &crew.settings;
    let shares = share(settings.balance, settings.max_workers, settings.shift, &loads);
    for (pool, workers) in crew.pools.iter().zip(shares) {
        pool.resize(workers);
    }
    Ok(())
}

/// Writes figures, raises alerts, forgets what is old, and checks the supervisor's own limits.
pub(super) async fn housekeep(crew: Arc<Crew>) -> Result<()> {
    let queue = &crew.shared.queue;
    queue.flush_metrics().await?;
    queue.check_waits().await?;
    let step = queue.settings().step;
    // Leases that a step of the clock has put out of sight are found here only.
    queue.reap(step).await?;
    if crew.next_round().is_multiple_of(PRUNE_EVERY) {
        while queue.prune(step).await? >= step {
            tokio::task::yield_now().await;
        }
        let forget_before = earlier(queue.now(), queue.settings().lease * 20);
        queue.backend().forget_supervisors(forget_before).await?;
    }
    Ok(())
}

/// Offers jobs again that the store of jobs has lost.
pub(super) async fn sweep(crew: Arc<Crew>) -> Result<()> {
    let queue = &crew.shared.queue;
    while queue.sweep(queue.settings().step).await? && !crew.shared.stopping.is_cancelled() {
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Stops the supervisor when it has done as much, or grown as large, as it may.
pub(super) async fn check_limits(crew: Arc<Crew>) -> Result<()> {
    let ran = crew.ran();
    if let Some(limit) = crew.settings.max_jobs.filter(|limit| ran >= *limit) {
        crew.stop(super::StopReason::JobLimit { ran, limit });
    }
    if let (Some(limit), Some(used)) = (crew.settings.max_memory_mib, memory::used_mib())
        && used > limit
    {
        crew.stop(super::StopReason::MemoryLimit { used, limit });
    }
    Ok(())
}
