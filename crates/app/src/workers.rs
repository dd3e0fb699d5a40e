//! The workers of this process: a supervisor over every queue, and the clockwork that no order asks for.

use std::time::Duration;

use queue::{Balance, PoolSettings, StopReason, Supervisor};
use sql::Tx;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::jobs::{self, SettleOverdue};
use crate::{App, Result, figures, orders};

/// The workers of this process, running.
pub struct Workers {
    app: App,
    supervisor: Supervisor,
    clockwork: JoinHandle<()>,
    feeder: JoinHandle<()>,
}

/// How often deadlines are looked at.
const CLOCKWORK: Duration = Duration::from_millis(500);
/// How often news of orders that nobody will ask for any more are deleted.
const FORGET_NEWS: Duration = Duration::from_secs(10);
/// How often it is looked whether anything is left to do.
const IDLE_CHECK: Duration = Duration::from_millis(50);

impl Workers {
    /// Starts them.
    pub async fn start(app: &App) -> Result<Self> {
        let registry = jobs::registry(app)?;
        let supervisor = Supervisor::start(app.queue().clone(), registry).await?;
        let clockwork = tokio::spawn(clockwork(app.clone(), supervisor.stopping()));
        let feeder = tokio::spawn(figures::run(app.clone(), supervisor.stopping()));
        Ok(Workers { app: app.clone(), supervisor, clockwork, feeder })
    }

    /// Cancelling this stops them; it is cancelled when they stop by themselves.
    pub fn stopping(&self) -> CancellationToken {
        self.supervisor.stopping()
    }

    /// Waits until they are told to stop, and have finished or handed back what they ran.
    pub async fn wait(self) -> StopReason {
        let reason = self.supervisor.wait().await;
        self.clockwork.abort();
        if let Err(error) = self.feeder.await {
            tracing::error!(%error, "the feed of the figures ended with a defect in the program");
        }
        reason
    }

    /// Tells them to stop and waits until they have.
    pub async fn stop(self) -> StopReason {
        self.supervisor.stop();
        self.wait().await
    }

    /// Runs until nothing is left to do, in whatever process: no unfinished import, no job available, executing or
    /// retryable, no payment undecided, no figure on its way.
    pub async fn run_until_idle(self) -> Result<StopReason> {
        let stopping = self.stopping();
        while !stopping.is_cancelled() && !is_seen_idle(&self.app).await? {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = tokio::time::sleep(IDLE_CHECK) => {}
            }
        }
        Ok(self.stop().await)
    }
}

/// Whether nothing is left to do.
pub async fn is_idle(app: &App) -> Result<bool> {
    let queues: Vec<String> = jobs::QUEUES.map(str::to_owned).to_vec();
    if !app.queue().is_idle(&queues).await? {
        return Ok(false);
    }
    let is_settled = |tx: &mut Tx<'_>| -> Result<bool> {
        let waiting = |status| status != store::imports::ImportStatus::Paused;
        let unfinished = store::imports::list_unfinished(tx)?;
        Ok(!unfinished.iter().any(|import| waiting(import.status)) && !store::payments::any_open(tx)?)
    };
    // The jobs are looked at once more: one may have ended and pushed another between the two looks.
    let nothing_runs = app.read("is_idle", is_settled).await? && app.queue().is_idle(&queues).await?;
    Ok(nothing_runs && figures::is_current(app).await?)
}

/// [`is_idle`] for whoever waits for it and can wait longer: nobody knows while a server is away, and work goes on once it is
/// back.
pub async fn is_seen_idle(app: &App) -> Result<bool> {
    match is_idle(app).await {
        Err(error) if error.is_passing() => {
            tracing::debug!(%error, "nobody can tell now whether work is left");
            Ok(false)
        }
        known => known,
    }
}

async fn clockwork(app: App, stopping: CancellationToken) {
    let mut forget = tokio::time::interval(FORGET_NEWS);
    loop {
        if let Err(error) = wind(&app).await {
            tracing::warn!(%error, "overdue payments could not be looked for; it is tried again");
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(CLOCKWORK) => {}
            _ = forget.tick() => {
                if let Err(error) = orders::news::forget_old_news(&app).await {
                    tracing::warn!(%error, "old news of orders could not be deleted; it is tried again");
                }
            }
        }
    }
}

/// Pushes the job that gives overdue payments up, if there are any and it is not there.
pub async fn wind(app: &App) -> Result<()> {
    let now = app.now();
    let next = app.read("next_deadline", store::payments::next_deadline).await?;
    if next.is_some_and(|deadline| deadline <= now) {
        app.queue().push(vec![SettleOverdue::unique_job()]).await?;
    }
    Ok(())
}

/// The pools of a supervisor that has none configured. A database in a file takes one writer at a time, so few workers with
/// large batches do more than many with small ones; those that wait for the outside may be more, and so may those that
/// store chunks of an import on a server.
pub fn pools(is_on_server: bool) -> (Vec<PoolSettings>, Balance) {
    let pool = |queue: &str| {
        let (max, batch) = match queue {
            "imports" => (if is_on_server { 4 } else { 2 }, 1),
            "notifications" => (4, 500),
            _ => (2, 500),
        };
        PoolSettings { queue: queue.to_owned(), min: 1, max, batch }
    };
    (jobs::QUEUES.iter().map(|queue| pool(queue)).collect(), Balance::Auto)
}
