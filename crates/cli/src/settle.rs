//! Waiting until what was begun has come to rest.

use std::time::{Duration, Instant};

use anyhow::Result;
use app::{App, imports, jobs, workers};
use domain::ImportId;
use queue::State;
use queue::backend::Pausable;
use tokio_util::sync::CancellationToken;

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// There is nothing left to do.
    Everything,
    /// What was waited for is at rest; what is left is for others, or for later.
    Enough,
    /// Nothing moves any more, and yet not all is at rest: a job was given up.
    Stuck,
    /// A signal came.
    Interrupted,
}

const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long nothing must have moved to be sure that nothing will.
const STILL: Duration = Duration::from_secs(3);
/// How long work is waited for that others may do, or that waits for its next attempt.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until every order of an import is at rest, then until nothing is left to do.
pub async fn import(app: &App, id: ImportId, stop: &CancellationToken) -> Result<Settled> {
    tokio::select! {
        rested = imports::wait_at_rest(app, id) => rested?,
        still = stand_still(app) => { still?; return Ok(Settled::Stuck); }
        () = stop.cancelled() => return Ok(Settled::Interrupted),
    }
    everything(app, stop).await
}

/// Waits until nothing is left to do, or only what others do or what waits for its next attempt.
pub async fn everything(app: &App, stop: &CancellationToken) -> Result<Settled> {
    let began = Instant::now();
    while !workers::is_seen_idle(app).await? {
        if began.elapsed() > PATIENCE && is_of_others(app).await? {
            return Ok(Settled::Enough);
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(Settled::Interrupted),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    Ok(Settled::Everything)
}

/// Returns once nothing has had anything to do for a while.
async fn stand_still(app: &App) -> Result<()> {
    let mut since: Option<Instant> = None;
    loop {
        tokio::time::sleep(LOOK_EVERY * 4).await;
        if !workers::is_seen_idle(app).await? {
            since = None;
        } else if since.get_or_insert_with(Instant::now).elapsed() > STILL {
            return Ok(());
        }
    }
}

/// Whether what is left is for others, or for later. Not while nobody can tell.
async fn is_of_others(app: &App) -> Result<bool> {
    match is_ours_alone(app).await {
        Err(error) if error.is_passing() => Ok(false),
        known => Ok(!known?),
    }
}

/// Whether there is work that only this process does, and can do now.
async fn is_ours_alone(app: &App) -> app::Result<bool> {
    let queue = app.queue();
    if queue.supervisors().await?.len() > 1 || !queue.paused(Pausable::Queue).await?.is_empty() {
        return Ok(false);
    }
    let depths = queue.depths(Some(1)).await?;
    let ready = [State::Available, State::Executing];
    let ours = depths.iter().filter(|depth| jobs::QUEUES.contains(&depth.queue.as_str()));
    Ok(ours.flat_map(|depth| ready.map(|state| depth.count(state))).any(|count| count > 0))
}
