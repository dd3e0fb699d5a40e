//! Whether the process lives, and whether it can work.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use app::App;
use app::config::GatewayMode;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::server::Web;

const READY: &str = "ready";
const NOT_STORED: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];
/// Probes within this time share one look, so that strangers who probe cost nothing.
const SHARED_FOR: Duration = Duration::from_secs(1);
/// A dependency that does not answer within this time is not ready.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Whether the process can work.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Readiness {
    status: Cow<'static, str>,
    dependencies: Vec<Dependency>,
}

impl Readiness {
    fn of(dependencies: Vec<Dependency>) -> Self {
        let is_ready = dependencies.iter().all(|dependency| dependency.ready);
        let status = if is_ready { READY } else { "not_ready" };
        Readiness { status: status.into(), dependencies }
    }

    /// What is not ready, and why.
    pub(crate) fn lacking(&self) -> String {
        let lacking = self.dependencies.iter().filter(|dependency| !dependency.ready);
        lacking.map(|one| format!("{}: {}", one.name, one.detail)).collect::<Vec<_>>().join("; ")
    }

    fn is_ready(&self) -> bool {
        self.status == READY
    }
}

/// One thing that the process needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Dependency {
    name: Cow<'static, str>,
    ready: bool,
    detail: String,
}

/// The last look at the dependencies.
#[derive(Default)]
pub(crate) struct Probe(Mutex<Option<(Instant, Readiness)>>);

/// `GET /healthz`
pub(crate) async fn alive() -> Response {
    (NOT_STORED, Json(serde_json::json!({ "status": "alive" }))).into_response()
}

/// `GET /readyz`
pub(crate) async fn ready(State(web): State<Web>) -> Response {
    let readiness = web.probe.look(&web.app).await;
    let status = if readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, NOT_STORED, Json(readiness)).into_response()
}

impl Probe {
    async fn look(&self, app: &App) -> Readiness {
        let mut last = self.0.lock().await;
        match &*last {
            Some((at, readiness)) if at.elapsed() < SHARED_FOR => readiness.clone(),
            _ => {
                let readiness = look(app).await;
                *last = Some((Instant::now(), readiness.clone()));
                readiness
            }
        }
    }
}

async fn look(app: &App) -> Readiness {
    let (readable, writable, queue) = tokio::join!(
        dependency("database_readable", read(app)),
        dependency("database_writable", write(app)),
        dependency("queue", workers(app)),
    );
    Readiness::of(vec![readable, writable, queue, gateway(app)])
}

async fn dependency(name: &'static str, answer: impl Future<Output = app::Result<String>>) -> Dependency {
    let detail = match tokio::time::timeout(ANSWERS_WITHIN, answer).await {
        Ok(Ok(detail)) => return Dependency { name: name.into(), ready: true, detail },
        // What exactly failed is for the log: anybody may ask here.
        Ok(Err(error)) => {
            tracing::error!(
                dependency = name,
                error = queue::with_causes(&error),
                "a dependency is not ready"
            );
            "failed; the log tells why".to_owned()
        }
        Err(_) => format!("no answer within {} s", ANSWERS_WITHIN.as_secs()),
    };
    Dependency { name: name.into(), ready: false, detail }
}

async fn read(app: &App) -> app::Result<String> {
    app.read("readiness", |tx| store::instance::find(tx, "instance")).await?;
    Ok("read".to_owned())
}

/// Writes for real: an empty transaction would succeed on a full disk.
async fn write(app: &App) -> app::Result<String> {
    let now = app.now().to_string();
    app.transaction("readiness", move |tx| store::instance::put(tx, "readiness_checked_at", &now)).await?;
    Ok("written".to_owned())
}

async fn workers(app: &App) -> app::Result<String> {
    let supervisors = app.queue().supervisors().await?;
    let workers: usize = supervisors.iter().flat_map(|one| &one.pools).map(|pool| pool.workers).sum();
    Ok(format!("{workers} workers of {} supervisors", supervisors.len()))
}

/// The gateway need not answer: orders wait for one that is down.
fn gateway(app: &App) -> Dependency {
    let detail = match app.config().gateway.mode {
        GatewayMode::InProcess => "in_process",
        GatewayMode::Http => "http",
    };
    Dependency { name: "gateway".into(), ready: true, detail: detail.to_owned() }
}
