//! How facts get into the figures: in the ledger's transaction where these are in SQL, from the feed where Redis keeps
//! them.

use std::pin::Pin;
use std::time::Duration;

use analytics::Fact;
use analytics::redis::{Fed, Store};
use sql::Tx;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::rebuild;
use crate::{App, Result};

/// How often it is looked whether another process has told facts.
const LOOK: Duration = Duration::from_millis(100);
/// How long facts are let gather that were told here: orders that come one by one are not fed one by one.
const GATHER: Duration = Duration::from_millis(20);
/// How long the feed rests after an error.
const REST: Duration = Duration::from_secs(1);
/// How often batches are forgotten that are no longer needed.
const PRUNE: Duration = Duration::from_mins(1);
/// How long whoever asks for figures waits for a rebuild before being told to ask again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells facts, in the transaction that made them true.
pub(crate) fn tell(app: &App, tx: &mut Tx<'_>, facts: &[Fact]) -> Result<()> {
    match app.figures_in_redis() {
        Some(store) => store.tell(tx, app.now(), facts)?,
        None => analytics::apply(tx, app.calendar(), facts)?,
    }
    Ok(())
}

/// Makes the figures live where the settings say, and nowhere else.
pub(crate) async fn settle(app: &App) -> Result<()> {
    if let Some(store) = app.figures_in_redis() {
        return Ok(store.settle().await?);
    }
    let settle = |tx: &mut Tx<'_>| -> Result<bool> { Ok(analytics::sql::settle(tx)?) };
    let look = |tx: &mut Tx<'_>| -> Result<bool> { Ok(analytics::sql::is_settled(tx)?) };
    if app.read("figures_at_home", look).await? {
        return Ok(());
    }
    if app.transaction("figures_in_sql", settle).await? {
        tracing::info!("figures were kept in Redis before; they are rebuilt in the database");
        rebuild::rebuild(app).await?;
        app.transaction("figures_settled", |tx| -> Result<_> { Ok(analytics::sql::settled(tx)?) }).await?;
    }
    Ok(())
}

/// Brings the figures up to what is committed now; rebuilds them if that is not possible otherwise.
pub async fn catch_up(app: &App) -> Result<()> {
    let Some(store) = app.figures_in_redis() else { return Ok(()) };
    while store.catch_up().await? == Fed::Rebuild {
        tracing::warn!("the figures in Redis are gone or too old; they are rebuilt from the ledger");
        if let Err(error) = Box::pin(rebuild::rebuild_lost(store)).await
            && !rebuild::is_superseded(&error)
        {
            return Err(error);
        }
        // Where somebody else has begun anew, that rebuild is helped along.
    }
    Ok(())
}

/// The figures in Redis, brought up to date for somebody who reads them. One who would wait for long for a rebuild is
/// told by the read itself.
pub(super) async fn ready(app: &App) -> Result<Option<&Store>> {
    let Some(store) = app.figures_in_redis() else { return Ok(None) };
    // Without its own type: within those of all that reads figures it would be too deep for the compiler.
    let caught_up: Pin<Box<dyn Future<Output = Result<()>> + Send + '_>> = Box::pin(catch_up(app));
    if let Ok(done) = tokio::time::timeout(PATIENCE, caught_up).await {
        done?;
    }
    Ok(Some(store))
}

/// Whether all that was told is in the figures.
pub(crate) async fn is_current(app: &App) -> Result<bool> {
    match app.figures_in_redis() {
        Some(store) => Ok(store.is_current().await?),
        None => Ok(true),
    }
}

/// Feeds until it is told to stop.
pub(crate) async fn run(app: App, stopping: CancellationToken) {
    let Some(store) = app.figures_in_redis() else { return };
    let mut pruned = None;
    while !stopping.is_cancelled() {
        let fed = feed(&app, store, &mut pruned).await;
        if let Err(error) = &fed {
            tracing::warn!(%error, "figures could not be fed; it is tried again");
        }
        tokio::select! {
            () = stopping.cancelled() => {}
            () = next(store, &fed) => {}
        }
    }
}

/// Waits until there may be something to feed.
async fn next(store: &Store, fed: &Result<Fed>) {
    match fed {
        Ok(Fed::More) => {}
        Ok(_) => {
            if tokio::time::timeout(LOOK, store.told()).await.is_ok() {
                tokio::time::sleep(GATHER).await;
            }
        }
        Err(_) => tokio::time::sleep(REST).await,
    }
}

async fn feed(app: &App, store: &Store, pruned: &mut Option<Instant>) -> Result<Fed> {
    let fed = store.feed().await?;
    if fed == Fed::Rebuild {
        catch_up(app).await?;
    }
    if pruned.is_none_or(|pruned| pruned.elapsed() >= PRUNE) {
        while store.prune(app.now()).await? {}
        *pruned = Some(Instant::now());
    }
    Ok(fed)
}
