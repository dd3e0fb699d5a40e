use app::App;
use app::jobs::QUEUES;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use metrics::gauge;
use queue::metrics::{Figures, Measure, Span};
use queue::{QueueDepth, State, SupervisorRecord};
use serde_json::json;
use store::imports::ImportStatus;

use super::RECORDER;
use crate::ApiError;
use crate::openapi::Operation;

/// Jobs of a state that are counted.
const COUNTED: usize = 100_000;
const FORMAT: &str = "text/plain; version=0.0.4";

/// `GET /metrics`
pub(crate) async fn scrape(Shared(app): Shared<App>) -> Result<Response, ApiError> {
    let recorder = RECORDER.get().and_then(Option::as_ref);
    let recorder = recorder.ok_or_else(|| app::Error::Internal("nothing is counted".to_owned()))?;
    recorder.process.collect();
    let looked = look(&app).await;
    gauge!("ordermill_ledger_up").set(f64::from(u8::from(looked.is_ok())));
    if let Err(error) = looked {
        tracing::warn!(
            error = queue::with_causes(&error),
            "what metrics tell of the ledger could not be read"
        );
    }
    let text = recorder.handle.render();
    Ok(([(header::CONTENT_TYPE, FORMAT)], text).into_response())
}

/// Says what `GET /metrics` answers.
pub(crate) fn scraped(operation: &mut Operation<'_>) {
    let text = json!({ "type": "string" });
    operation.answers_as(StatusCode::OK, FORMAT, "Figures in Prometheus' text format.", text);
}

async fn look(app: &App) -> app::Result<()> {
    look_at_ledger(app).await?;
    let now = app.now();
    let since = |at: Timestamp| now.duration_since(at).as_secs_f64().max(0.0);
    look_at_queues(&app.queue().depths(Some(COUNTED)).await?, since);
    look_at_workers(&app.queue().supervisors().await?);
    look_at_last_minute(app, now).await?;
    if let Some(lag) = app.queue().outbox_lag().await? {
        gauge!("ordermill_outbox_jobs").set(lag.rows as f64);
        gauge!("ordermill_outbox_missing").set(lag.missing as f64);
        gauge!("ordermill_outbox_lag_seconds").set(lag.oldest_missing.map_or(0.0, since));
    }
    look_at_imports(app).await
}

async fn look_at_ledger(app: &App) -> app::Result<()> {
    let (connections, waiting) = (app.database().connections(), app.database().waiting());
    for (kind, connections, waiting) in
        [("read", connections.read, waiting.read), ("write", connections.write, waiting.write)]
    {
        gauge!("ordermill_ledger_connections", "kind" => kind).set(connections as f64);
        gauge!("ordermill_ledger_waiting", "kind" => kind).set(waiting as f64);
    }
    let info = app.database().info().await?;
    gauge!("ordermill_ledger_bytes").set(info.size as f64);
    Ok(())
}

fn look_at_queues(depths: &[QueueDepth], since: impl Fn(Timestamp) -> f64) {
    // A queue that is empty by now was not when it was asked for before.
    let empty = QUEUES.into_iter().filter(|name| !depths.iter().any(|depth| depth.queue == *name));
    let empty: Vec<_> =
        empty.map(|name| QueueDepth { queue: name.to_owned(), ..QueueDepth::default() }).collect();
    for depth in depths.iter().chain(&empty) {
        let queue = || depth.queue.clone();
        for state in State::ALL {
            gauge!("ordermill_queue_jobs", "queue" => queue(), "state" => state.name())
                .set(depth.count(state) as f64);
        }
        gauge!("ordermill_queue_paused", "queue" => queue()).set(f64::from(u8::from(depth.paused)));
        gauge!("ordermill_queue_oldest_seconds", "queue" => queue())
            .set(depth.oldest_waiting.map_or(0.0, &since));
    }
}

fn look_at_workers(supervisors: &[SupervisorRecord]) {
    for queue in QUEUES {
        let pools = supervisors.iter().flat_map(|one| &one.pools).filter(|pool| pool.queue == queue);
        let (busy, all) =
            pools.fold((0, 0), |(busy, all), pool| (busy + pool.busy.len(), all + pool.workers));
        gauge!("ordermill_queue_workers", "queue" => queue, "state" => "busy").set(busy as f64);
        gauge!("ordermill_queue_workers", "queue" => queue, "state" => "idle")
            .set(all.saturating_sub(busy) as f64);
    }
}

async fn look_at_last_minute(app: &App, now: Timestamp) -> app::Result<()> {
    let end = Span::Minute.start(now);
    let begin = end.checked_sub(SignedDuration::from_mins(1)).unwrap_or(end);
    let found = app.queue().figures(Span::Minute, begin, end).await?;
    for queue in QUEUES {
        let mut figures = Figures::default();
        found.iter().filter(|(subject, _)| subject.queue == queue).for_each(|(_, one)| figures.merge(one));
        for (event, measure) in [
            ("enqueued", Measure::Enqueued),
            ("completed", Measure::Completed),
            ("failed", Measure::Failed),
            ("retried", Measure::Retried),
        ] {
            gauge!("ordermill_queue_last_minute", "queue" => queue, "event" => event)
                .set(figures.count(measure) as f64);
        }
    }
    Ok(())
}

async fn look_at_imports(app: &App) -> app::Result<()> {
    let unfinished =
        app.read("unfinished_imports", |tx| -> app::Result<_> { Ok(store::imports::list_unfinished(tx)?) });
    let unfinished = unfinished.await?;
    let open = [ImportStatus::Fetching, ImportStatus::Planning, ImportStatus::Running, ImportStatus::Paused];
    for status in open {
        let count = unfinished.iter().filter(|import| import.status == status).count();
        gauge!("ordermill_imports_unfinished", "status" => status.as_str()).set(count as f64);
    }
    Ok(())
}
