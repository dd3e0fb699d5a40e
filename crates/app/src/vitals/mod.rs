//! How everything that this program depends on does. Each part is asked in bounded time, and what is down takes nothing from
//! the others.

mod dependencies;
mod disks;

pub use dependencies::Dependency;
pub use disks::Disk;

use std::time::Duration;

use jiff::Timestamp;
use queue::with_causes;
use redis_link::{ClusterInfo, ServerInfo};
use sql::{DatabaseInfo, PerKind, Vitals as DatabaseVitals};

use crate::system::System;
use crate::{App, Result, system, verify};

/// A part that does not answer within this time is told to be down.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// What a part answered, or why it did not.
pub type Told<T> = std::result::Result<T, String>;

/// How everything does.
#[derive(Debug)]
pub struct Vitals {
    /// What this program talks to, each with how long it took to answer.
    pub dependencies: Vec<Dependency>,
    /// The ledger's database.
    pub database: Told<Database>,
    /// Redis, where it is used.
    pub redis: Option<Told<Redis>>,
    /// The file systems that are written to.
    pub disks: Vec<Disk>,
    /// The work, and what a person should look at.
    pub system: Told<System>,
    /// When the last proof began that found nothing wrong.
    pub verified: Told<Option<Timestamp>>,
}

/// The ledger's database.
#[derive(Debug)]
pub struct Database {
    /// What it is, where, and how large.
    pub info: DatabaseInfo,
    /// What it tells of itself.
    pub vitals: DatabaseVitals,
    /// Connections that this process may have at once.
    pub connections: PerKind,
    /// Transactions of this process that wait for one.
    pub waiting: PerKind,
}

/// Redis.
#[derive(Debug)]
pub struct Redis {
    /// What it tells of itself.
    pub info: ServerInfo,
    /// How its cluster stands, where it is one.
    pub cluster: Option<ClusterInfo>,
}

/// Looks at everything at once.
pub async fn look(app: &App) -> Vitals {
    let (dependencies, database, redis, system, verified) = tokio::join!(
        Box::pin(dependencies::ask(app)),
        in_time(database(app)),
        in_time(redis(app)),
        in_time(Box::pin(system::read(app))),
        in_time(verify::last_sound(app)),
    );
    Vitals {
        dependencies,
        database,
        redis: redis.transpose(),
        disks: disks::look(app).await,
        system,
        verified,
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T>>) -> Told<T> {
    match tokio::time::timeout(ANSWERS_WITHIN, answer).await {
        Ok(Ok(told)) => Ok(told),
        Ok(Err(error)) => Err(with_causes(&error)),
        Err(_) => Err(format!("no answer within {} s", ANSWERS_WITHIN.as_secs())),
    }
}

async fn database(app: &App) -> Result<Database> {
    let database = app.database();
    Ok(Database {
        info: database.info().await?,
        vitals: database.vitals().await?,
        connections: database.connections(),
        waiting: database.waiting(),
    })
}

async fn redis(app: &App) -> Result<Option<Redis>> {
    let Some(redis) = app.redis() else { return Ok(None) };
    Ok(Some(Redis { info: redis.info().await?, cluster: redis.cluster_info().await? }))
}
