use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use app::App;
use axum::Router;
use axum::extract::FromRef;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::health::{self, Probe};
use crate::limits::Limits;
use crate::live::Hub;
use crate::observe::observed;
use crate::visitor::{self, Front};
use crate::{Error, Result, api, connections, docs, metrics, pages, unread};

/// How long requests that are under way may take to finish after the shutdown.
pub(crate) const GRACE: Duration = Duration::from_secs(20);

/// What handlers share: a cheap handle.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) app: App,
    pub(crate) forgeries: Arc<api::webhooks::Forgeries>,
    pub(crate) probe: Arc<Probe>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) front: Arc<Front>,
    pub(crate) limits: Arc<Limits>,
}

/// Listens on `address`; port 0 takes any that is free.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })
}

/// Everything that `ordermill serve` answers.
pub fn router(app: App) -> Router {
    routes(Web::new(app))
}

impl Web {
    fn new(app: App) -> Self {
        let hub = Hub::new(app.clone());
        let front = Arc::new(Front::new(&app.config().web));
        let limits = Arc::new(Limits::new(&app.config().web, app.clock()));
        Web { app, forgeries: Arc::default(), probe: Arc::default(), hub, front, limits }
    }
}

fn routes(web: Web) -> Router {
    let front = Arc::clone(&web.front);
    let routes = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .nest("/api", api::routes(&web))
        .merge(pages::routes(&web))
        .merge(pages::for_people(&web, api::about(&web)))
        .merge(docs::files())
        .with_state(web);
    observed(routes).layer(from_fn_with_state(front, visitor::receive)).layer(from_fn(unread::read_on))
}

impl FromRef<Web> for App {
    fn from_ref(web: &Web) -> Self {
        web.app.clone()
    }
}

/// How often old answers and sessions are forgotten, and files that were left behind.
const UPKEEP: Duration = Duration::from_hours(1);

async fn keep_up(app: App) {
    loop {
        if let Err(error) = app::imports::remove_left_behind(&app).await {
            tracing::warn!(
                error = queue::with_causes(&error),
                "files that never came to their end could not be removed"
            );
        }
        if let Err(error) = app::orders::news::forget_old_news(&app).await {
            tracing::warn!(
                error = queue::with_causes(&error),
                "old news of orders could not be deleted; it is tried again later"
            );
        }
        if let Err(error) = app::idempotency::forget_old(&app).await {
            tracing::warn!(
                error = queue::with_causes(&error),
                "old answers could not be forgotten; it is tried again later"
            );
        }
        if let Err(error) = app::access::sessions::forget_ended(&app).await {
            tracing::warn!(
                error = queue::with_causes(&error),
                "sessions that have ended could not be forgotten; it is tried again later"
            );
        }
        tokio::time::sleep(UPKEEP).await;
    }
}

/// Serves until `shutdown` resolves; requests that are under way then may finish, within 20 seconds.
pub async fn serve(app: App, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<()> {
    metrics::start()?;
    let upkeep = tokio::spawn(keep_up(app.clone()));
    let web = Web::new(app);
    let hub = Arc::clone(&web.hub);
    let shutdown = async {
        shutdown.await;
        // Whoever listens would never finish.
        hub.close();
    };
    connections::serve(listener, routes(web), shutdown, GRACE).await;
    upkeep.abort();
    Ok(())
}

/// Answers `/metrics` alone, to everybody who can reach it, until `shutdown` resolves.
pub async fn serve_metrics(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    metrics::start()?;
    let routes = Router::new().route("/metrics", get(metrics::scrape)).with_state(app);
    connections::serve(listener, observed(routes), shutdown, Duration::ZERO).await;
    Ok(())
}
