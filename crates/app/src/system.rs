//! How everything stands, and what a person should look at.

use std::time::Duration;

use domain::NotificationStatus;
use jiff::Timestamp;
use queue::{FailureGroup, Filter, PageRequest, State, SupervisorRecord};
use schemars::JsonSchema;
use serde::Serialize;
use sql::Tx;
use store::imports::ImportStatus;

use crate::queues::{self, Monitor, QueueStanding, Trouble};
use crate::words::{count, spoken};
use crate::{App, Result, imports, notifications};

/// How everything stands.
#[derive(Debug, Serialize, JsonSchema)]
pub struct System {
    /// The version of this program.
    pub version: &'static str,
    /// The ledger's database.
    pub database: Database,
    /// Redis, where it is used.
    pub redis: Option<Redis>,
    /// The queues with what they hold.
    pub queues: Vec<QueueStanding>,
    /// Who works.
    pub supervisors: Vec<SupervisorRecord>,
    /// The last imports.
    pub imports: Vec<imports::Status>,
    /// Whether some payment is open.
    pub payments_open: bool,
    /// When the next open payment ends unless it is decided.
    pub next_payment_deadline: Option<Timestamp>,
    /// How many of the newest 2,000 notifications stand how.
    pub notifications: Vec<(NotificationStatus, i64)>,
    /// What fails, grouped by error.
    pub failures: Vec<FailureGroup>,
    /// What a person should look at, in sentences.
    pub attention: Vec<String>,
}

/// The ledger's database.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Database {
    /// Its name and version.
    pub engine: String,
    /// Where it is.
    pub location: String,
    /// Its size.
    pub bytes: u64,
}

/// Redis, and what of the outbox has not come to it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Redis {
    /// Its name and version.
    pub engine: String,
    /// Where it is.
    pub location: String,
    /// Bytes that it uses.
    pub memory: u64,
    /// Who is connected.
    pub clients: u64,
    /// How busy it is.
    pub commands_per_second: u64,
    /// How it keeps its data.
    pub persistence: &'static str,
    /// Jobs that the ledger expects; none is counted beyond 10,000.
    pub outbox: usize,
    /// How many of the oldest and newest of them Redis has not heard of.
    pub outbox_missing: usize,
    /// For how long it has not, in seconds.
    pub outbox_lag: f64,
}

impl Redis {
    async fn read(app: &App) -> Result<Option<Self>> {
        let Some(redis) = app.redis() else { return Ok(None) };
        let info = redis.info().await?;
        let lag = app.queue().outbox_lag().await?.unwrap_or_default();
        let late = |since: Timestamp| app.now().duration_since(since).as_secs_f64().max(0.0);
        Ok(Some(Redis {
            engine: info.engine,
            location: redis.address().shown().to_owned(),
            memory: info.used_memory,
            clients: info.clients,
            commands_per_second: info.commands_per_second,
            persistence: info.persistence,
            outbox: lag.rows,
            outbox_missing: lag.missing,
            outbox_lag: lag.oldest_missing.map(late).unwrap_or_default(),
        }))
    }
}

/// An outbox that lags for so long is not only between two sweeps.
const LONG_LAG: f64 = 30.0;
const IMPORTS: u32 = 5;

/// How everything stands now.
pub async fn read(app: &App) -> Result<System> {
    System::read(app).await
}

impl System {
    async fn read(app: &App) -> Result<System> {
        let info = app.database().info().await?;
        let database = Database { engine: info.engine, location: info.location, bytes: info.size };
        let Monitor { queues, supervisors, troubles, .. } = queues::monitor(app).await?;
        let read = |tx: &mut Tx<'_>| -> Result<_> {
            let deadline = store::payments::next_deadline(tx)?;
            Ok((deadline, store::notifications::count_by_status(tx, notifications::RATED)?))
        };
        let (deadline, notifications) = app.read("status", read).await?;
        let mut system = System {
            version: env!("CARGO_PKG_VERSION"),
            database,
            redis: Redis::read(app).await?,
            queues,
            supervisors,
            imports: imports::list(app, None, IMPORTS).await?,
            payments_open: deadline.is_some(),
            next_payment_deadline: deadline,
            notifications,
            failures: app.queue().failure_groups().await?,
            attention: Vec::new(),
        };
        system.attention = system.attention(app, &troubles).await?;
        Ok(system)
    }

    /// What a person should look at.
    async fn attention(&self, app: &App, troubles: &[Trouble]) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let request = PageRequest { after: None, limit: 1 };
        if !app.queue().list(Filter::state(State::Discarded), request).await?.jobs.is_empty() {
            let failed: usize = self.queues.iter().map(|queue| queue.depth.count(State::Discarded)).sum();
            let failed = count(failed as i64, "job", "jobs");
            found.push(format!("{failed} failed for good: `ordermill queue failed` shows why"));
        }
        // Whoever has only just begun to wait needs nobody yet.
        let lasting = troubles.iter().filter(|trouble| !matches!(trouble, Trouble::Unattended { .. }));
        found.extend(lasting.map(|trouble| format!("{}: {}", trouble.told(), trouble.remedy())));
        if let Some(redis) = self.redis.as_ref().filter(|redis| redis.outbox_lag > LONG_LAG) {
            let lag = spoken(Duration::from_secs_f64(redis.outbox_lag));
            found.push(format!(
                "jobs have waited in the outbox for {lag}: `ordermill work` or `ordermill serve` brings them to Redis"
            ));
        }
        for import in &self.imports {
            let id = import.import.id;
            match import.import.status {
                ImportStatus::Failed => {
                    let reason = import.import.error.as_deref().unwrap_or("its error was not kept");
                    found.push(format!("import {id} failed: {reason}"));
                }
                ImportStatus::Paused => {
                    found.push(format!("import {id} is paused: `ordermill imports continue {id}`"));
                }
                _ => {}
            }
        }
        if let Some(receiver) = notifications::receiver(app).await?
            && let Some(since) = receiver.disabled_at
        {
            found.push(format!(
                "the receiver of webhooks is switched off since {since}: `ordermill notifications webhook --enable`"
            ));
        }
        let rates = notifications::success_rate(app).await?;
        for rate in rates.iter().filter(|rate| rate.rate.is_some_and(|rate| rate < 0.9)) {
            let share = rate.rate.unwrap_or_default() * 100.0;
            found.push(format!(
                "only {share:.0} % of the last notifications over {} arrived: `ordermill notifications list --troubled`",
                rate.channel
            ));
        }
        Ok(found)
    }
}
