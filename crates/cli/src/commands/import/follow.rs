use std::time::{Duration, Instant};

use anyhow::Result;
use app::App;
use app::imports::{self, Status};
use domain::ImportId;
use queue::State;
use store::imports::{Import, ImportStatus};
use tokio_util::sync::CancellationToken;

use crate::progress::Progress;
use crate::settle::{self, Settled};
use crate::words::grouped;

/// An import that was watched to its end, or until a signal came.
pub struct Followed {
    /// How it stands.
    pub status: Status,
    /// How the wait for its orders ended.
    pub settled: Settled,
    /// How long its rows took.
    pub rows_took: Duration,
    /// How long all of it took.
    pub took: Duration,
}

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Watches an import to its end, then its orders until they are at rest.
pub async fn follow(
    app: &App,
    id: ImportId,
    progress: &mut Progress,
    stop: &CancellationToken,
) -> Result<Followed> {
    let began = Instant::now();
    let mut changes = app.database().changes();
    loop {
        let status = imports::status(app, id).await?;
        if status.import.status.is_final() {
            let rows_took = began.elapsed();
            let settled = rest(app, id, progress, stop).await?;
            return Ok(Followed { status, settled, rows_took, took: began.elapsed() });
        }
        if stop.is_cancelled() {
            let (settled, took) = (Settled::Interrupted, began.elapsed());
            return Ok(Followed { status, settled, rows_took: took, took });
        }
        match status.import.status {
            ImportStatus::Fetching => progress.say(&fetched(&status.import)),
            ImportStatus::Planning => progress.say("finding its orders"),
            ImportStatus::Paused => {
                progress.say(&format!("paused; `ordermill imports continue {id}` goes on"));
            }
            _ => {
                let done = status.progress.counts.rows();
                progress.rows(done.cast_unsigned(), status.import.rows_total.cast_unsigned());
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            // Something was committed: a short import need not wait for the clock.
            _ = changes.changed() => tokio::time::sleep(LOOK_EVERY / 5).await,
        }
    }
}

/// How much of a file has come.
fn fetched(import: &Import) -> String {
    const MIB: i64 = 1 << 20;
    match import.file_bytes {
        0 => "fetching the file".to_owned(),
        all => format!("fetching the file: {} of {} MiB", import.bytes_fetched / MIB, (all + MIB - 1) / MIB),
    }
}

/// Waits for the orders of an import, and shows what is left to do.
async fn rest(app: &App, id: ImportId, progress: &mut Progress, stop: &CancellationToken) -> Result<Settled> {
    let waiting = settle::import(app, id, stop);
    tokio::pin!(waiting);
    loop {
        tokio::select! {
            settled = &mut waiting => return settled,
            () = tokio::time::sleep(LOOK_EVERY * 3) => {}
        }
        let depths = match app.queue().depths(Some(COUNTED)).await.map_err(app::Error::from) {
            // What was shown last stays until the queue answers again.
            Err(error) if error.is_passing() => continue,
            depths => depths?,
        };
        let states = [State::Available, State::Executing, State::Scheduled, State::Retryable];
        let left: usize = depths.iter().flat_map(|depth| states.map(|state| depth.count(state))).sum();
        let paused: Vec<&str> =
            depths.iter().filter(|depth| depth.paused).map(|depth| depth.queue.as_str()).collect();
        progress.say(&match paused[..] {
            [] => format!("imported; its orders move on, {} jobs to do", grouped(left as i64)),
            _ => format!("imported; paused queues: {} (`ordermill queue continue`)", paused.join(", ")),
        });
    }
}

/// Jobs of a state that are counted at most, so that looking stays cheap.
const COUNTED: usize = 100_000;
