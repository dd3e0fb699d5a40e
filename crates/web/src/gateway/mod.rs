//! The payment simulator as a server of its own: charges over HTTP, called back over HTTP.
//!
//! Its rules are `app::gateways::InProcess` over a database file of its own. Charges and due callbacks are rows of
//! that file, so a killed server that is started again goes on where it stopped.

mod callbacks;
mod charges;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use app::config::{DatabaseSettings, GatewaySettings};
use app::gateways::{CALLBACKS, InProcess};
use axum::Router;
use axum::routing::{get, post};
use queue::{Balance, Clock, PoolSettings, Queue, Registry, Supervisor, SupervisorSettings};
use sql::{Database, Migrations};
use tokio::net::TcpListener;

use crate::observe::observed;
use crate::server::GRACE;
use crate::{Result, connections, health};
use callbacks::SendCallbacks;

/// The settings of the payment simulator.
#[derive(Debug, Clone)]
pub struct GatewayServer {
    /// Where it keeps its charges: a file of its own, not the ledger.
    pub database: DatabaseSettings,
    /// How it behaves, whom it calls back, and what it signs with.
    pub gateway: GatewaySettings,
}

static MIGRATIONS: &[&Migrations] = &[&store::MIGRATIONS, &queue::MIGRATIONS];
/// Batches of callbacks under way at once.
const WORKERS: usize = 4;
/// A killed server's unfinished callbacks are sent again after this time.
const LEASE: Duration = Duration::from_secs(5);

/// What handlers share: a cheap handle.
#[derive(Clone)]
struct Simulator {
    charges: InProcess,
    clock: Arc<dyn Clock>,
}

/// Runs the payment simulator on `listener` until `shutdown` resolves.
pub async fn run(
    settings: GatewayServer,
    listener: TcpListener,
    clock: Arc<dyn Clock>,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let database = Database::open(&settings.database.open_settings())?;
    database.migrate(MIGRATIONS, clock.now()).await?;
    let queue = Queue::sql(database.clone(), Arc::clone(&clock), queue_settings())?;
    let gateway = Arc::new(settings.gateway);
    let charges = InProcess::new(database.clone(), queue.clone(), Arc::clone(&clock), Arc::clone(&gateway));
    let sender = SendCallbacks::new(charges.clone(), Arc::clone(&clock), &gateway)?;
    let registry = Registry::new([Arc::new(sender) as Arc<dyn queue::Handler>], queue.settings())?;
    let supervisor = Supervisor::start(queue, registry).await?;
    connections::serve(listener, router(Simulator { charges, clock }), shutdown, GRACE).await;
    supervisor.stop();
    supervisor.wait().await;
    // Closing waits for the database's threads.
    if tokio::task::spawn_blocking(move || database.close()).await.is_err() {
        tracing::error!("the gateway's database was not closed in good order");
    }
    Ok(())
}

fn queue_settings() -> queue::Settings {
    let pool = PoolSettings {
        min: WORKERS,
        max: WORKERS,
        batch: callbacks::BATCH,
        ..PoolSettings::new(CALLBACKS.0)
    };
    let supervisor = SupervisorSettings {
        name: "gateway".to_owned(),
        pools: vec![pool],
        balance: Balance::Off,
        stop_within: callbacks::ANSWERED_WITHIN + Duration::from_secs(5),
        ..SupervisorSettings::default()
    };
    queue::Settings { lease: LEASE, supervisor, ..queue::Settings::default() }
}

fn router(simulator: Simulator) -> Router {
    let routes = Router::new()
        .route("/charges", post(charges::charge))
        .route("/charges/{key}", get(charges::show))
        .route("/voids", post(charges::void))
        .route("/refunds", post(charges::refund))
        .route("/healthz", get(health::alive))
        .with_state(simulator);
    observed(routes)
}
