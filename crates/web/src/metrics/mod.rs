//! What Prometheus is told: counted as it happens in this process, and read from the ledger when it is asked for.

mod list;
mod scrape;

use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tokio::time::Instant;

pub use list::{Kind, METRICS, Metric};
pub(crate) use scrape::{scrape, scraped};

use crate::{Error, Result};

/// Upper ends of the buckets of durations, in seconds.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];
/// How often samples are put into their buckets. Until then each is kept for itself.
const UPKEEP: Duration = Duration::from_secs(5);

/// What this process counts. There is one for all its servers.
struct Recorder {
    handle: PrometheusHandle,
    process: Collector,
}

static RECORDER: OnceLock<Option<Recorder>> = OnceLock::new();

/// Begins to count. What happens before is not counted.
pub(crate) fn start() -> Result<()> {
    if RECORDER.get_or_init(install).is_some() { Ok(()) } else { Err(Error::Metrics) }
}

fn install() -> Option<Recorder> {
    let recorder = PrometheusBuilder::new().set_buckets(&SECONDS).ok()?.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).ok()?;
    list::describe();
    let process = Collector::default();
    process.describe();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    Some(Recorder { handle, process })
}

/// Counts requests by where they went, never by what exactly they asked for: whoever makes addresses up makes no
/// metrics up.
pub(crate) async fn count_requests(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = known(request.method());
    let began = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::histogram!("ordermill_http_request_seconds", "route" => route.clone(), "method" => method)
        .record(began.elapsed());
    metrics::counter!("ordermill_http_requests_total", "route" => route, "method" => method, "status" => status)
        .increment(1);
    response
}

/// The method's name, if it is one that is known: clients can send any word.
pub(crate) fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
