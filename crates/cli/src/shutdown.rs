//! Stopping when told to.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::session::Exit;

/// A token that the first SIGINT or SIGTERM cancels. The second one ends the process at once: what it was at is done
/// again by whoever goes on.
pub fn on_signal() -> Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be listened to")?;
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be listened to")?;
    let token = CancellationToken::new();
    let told = token.clone();
    tokio::spawn(async move {
        next(&mut interrupt, &mut terminate).await;
        // Whoever reads this may have gone away; the stop goes on.
        let _ =
            writeln!(std::io::stderr(), "stopping: what runs is finished first; once more to stop at once");
        told.cancel();
        next(&mut interrupt, &mut terminate).await;
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
    Ok(token)
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
