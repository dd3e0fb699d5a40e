use std::time::Duration;

use ::queue::{FailureGroup, Filter, PageRequest, QueueDepth, State, SupervisorRecord};
use anyhow::Result;
use app::{App, imports, notifications};
use clap::Args;
use domain::NotificationStatus;
use jiff::Timestamp;
use serde::Serialize;
use sql::Tx;
use store::imports::ImportStatus;

use crate::output::{Out, cell, maybe, second, status, time};
use crate::session::{Exit, Session};
use crate::words::{count, grouped, spoken};

/// Show how everything stands: database, queues, workers, imports, payments, mails, errors
///
/// The exit code is 1 when something needs attention; what, is listed at the end.
#[derive(Debug, Args)]
pub struct Status {}

/// How everything stands.
#[derive(Debug, Serialize)]
struct System {
    version: &'static str,
    database: DatabaseShown,
    redis: Option<RedisShown>,
    queues: Vec<QueueShown>,
    supervisors: Vec<SupervisorRecord>,
    imports: Vec<imports::Status>,
    payments_open: bool,
    next_payment_deadline: Option<Timestamp>,
    notifications: Vec<(NotificationStatus, i64)>,
    failures: Vec<FailureGroup>,
    attention: Vec<String>,
}

#[derive(Debug, Serialize)]
struct DatabaseShown {
    engine: String,
    location: String,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct RedisShown {
    engine: String,
    location: String,
    memory: u64,
    clients: u64,
    commands_per_second: u64,
    persistence: &'static str,
    /// Jobs that the ledger expects; none is counted beyond 10,000.
    outbox: usize,
    /// How many of the oldest and newest of them Redis has not heard of.
    outbox_missing: usize,
    /// For how long it has not, in seconds.
    outbox_lag: f64,
}

impl RedisShown {
    async fn read(app: &App) -> Result<Option<Self>> {
        let Some(redis) = app.redis() else { return Ok(None) };
        let info = redis.info().await?;
        let lag = app.queue().outbox_lag().await?.unwrap_or_default();
        let late = |since: Timestamp| app.now().duration_since(since).as_secs_f64().max(0.0);
        Ok(Some(RedisShown {
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

#[derive(Debug, Serialize)]
struct QueueShown {
    #[serde(flatten)]
    depth: QueueDepth,
    /// How long the oldest job that could run has waited, in seconds.
    wait: Option<f64>,
}

/// Jobs of a state that are counted; beyond it, "more" is said.
const COUNTED: usize = 100_000;
/// A wait that needs attention where nobody works.
const LONG_WAIT: f64 = 60.0;
/// An outbox that lags for so long is not only between two sweeps.
const LONG_LAG: f64 = 30.0;
const IMPORTS: u32 = 5;

impl Status {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let app = session.open().await?;
        let system = System::read(&app).await?;
        if session.out.is_json() {
            session.out.json(&system)?;
        } else {
            print(session.out, &system)?;
        }
        Ok(if system.attention.is_empty() { Exit::Done } else { Exit::Failed })
    }
}

impl System {
    async fn read(app: &App) -> Result<System> {
        let now = app.now();
        let info = app.database().info().await?;
        let database = DatabaseShown { engine: info.engine, location: info.location, bytes: info.size };
        let wait = |since: Timestamp| now.duration_since(since).as_secs_f64().max(0.0);
        let queues = app.queue().depths(Some(COUNTED)).await?;
        let queues = queues
            .into_iter()
            .map(|depth| QueueShown { wait: depth.oldest_waiting.map(wait), depth })
            .collect();
        let read = |tx: &mut Tx<'_>| -> app::Result<_> {
            let deadline = store::payments::next_deadline(tx)?;
            Ok((deadline, store::notifications::count_by_status(tx)?))
        };
        let (deadline, notifications) = app.read("status", read).await?;
        let mut system = System {
            version: env!("CARGO_PKG_VERSION"),
            database,
            redis: RedisShown::read(app).await?,
            queues,
            supervisors: app.queue().supervisors().await?,
            imports: imports::list(app, None, IMPORTS).await?,
            payments_open: deadline.is_some(),
            next_payment_deadline: deadline,
            notifications,
            failures: app.queue().failure_groups().await?,
            attention: Vec::new(),
        };
        system.attention = system.attention(app).await?;
        Ok(system)
    }

    /// What a person should look at.
    async fn attention(&self, app: &App) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let request = PageRequest { after: None, limit: 1 };
        if !app.queue().list(Filter::state(State::Discarded), request).await?.jobs.is_empty() {
            let failed: usize = self.queues.iter().map(|queue| queue.depth.count(State::Discarded)).sum();
            let failed = count(failed as i64, "job", "jobs");
            found.push(format!("{failed} failed for good: `ordermill queue failed` shows why"));
        }
        for QueueShown { depth, wait } in &self.queues {
            let name = &depth.queue;
            if depth.paused {
                found.push(format!("queue {name} is paused: `ordermill queue continue {name}`"));
            } else if wait.is_some_and(|wait| wait > LONG_WAIT) {
                let waits = spoken(Duration::from_secs_f64(wait.unwrap_or_default()));
                let who = if self.supervisors.is_empty() {
                    "nobody works: start `ordermill work`"
                } else {
                    "add workers"
                };
                found.push(format!("queue {name} has waited for {waits}: {who}"));
            }
        }
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

fn print(out: Out, system: &System) -> Result<()> {
    let DatabaseShown { engine, location, bytes } = &system.database;
    let size = *bytes as f64 / f64::from(1 << 20);
    out.line(format_args!(
        "{} {location}, {engine}, {size:.1} MiB, schema up to date",
        out.bold("Database")
    ))?;
    if let Some(redis) = &system.redis {
        print_redis(out, redis)?;
    }
    print_queues(out, system)?;
    out.heading("Workers")?;
    let columns = ["supervisor", "host", "process", "since", "workers", "busy"];
    let mut listing = out.listing(&columns).right(&[2, 4, 5]);
    for one in &system.supervisors {
        // A supervisor tells of its pools with its first heartbeat.
        let is_known = !one.pools.is_empty();
        let workers = is_known.then(|| one.pools.iter().map(|pool| pool.workers).sum::<usize>());
        let busy = is_known.then(|| one.pools.iter().map(|pool| pool.busy.len()).sum::<usize>());
        let (name, host) = (cell(&one.name), cell(&one.host));
        listing.row([name, host, cell(one.pid), time(one.started_at), maybe(workers), maybe(busy)]);
    }
    out.table(&listing, "none run; `ordermill work` or `ordermill serve` starts some")?;
    print_imports(out, system)?;
    out.heading("Payments and mails")?;
    match system.next_payment_deadline {
        Some(deadline) => {
            out.line(format_args!("payments are open; the next deadline is {}", second(deadline)))?;
        }
        None => out.line("no payment is open")?,
    }
    let mails = system.notifications.iter().map(|(status, number)| format!("{status} {}", grouped(*number)));
    let mails = mails.collect::<Vec<_>>().join(", ");
    out.line(format_args!("notifications: {}", if mails.is_empty() { "none" } else { &mails }))?;
    if !system.failures.is_empty() {
        out.heading("Last errors")?;
        let mut listing = out.listing(&["jobs", "kind", "error", "last"]).right(&[0]);
        for group in system.failures.iter().take(5) {
            let last = time(group.last_at);
            listing.row([cell(group.count), cell(&group.kind), cell(&group.message), last]);
        }
        out.table(&listing, "")?;
    }
    out.gap()?;
    if system.attention.is_empty() {
        return Ok(out.line(out.good("nothing needs attention"))?);
    }
    for what in &system.attention {
        out.line(format_args!("{} {what}", out.bad("!")))?;
    }
    Ok(())
}

fn print_redis(out: Out, redis: &RedisShown) -> Result<()> {
    let memory = redis.memory as f64 / f64::from(1 << 20);
    out.line(format_args!(
        "{}    {}, {}, {memory:.1} MiB, {}, {} commands/s, {}",
        out.bold("Redis"),
        redis.location,
        redis.engine,
        count(redis.clients.cast_signed(), "client", "clients"),
        grouped(redis.commands_per_second.cast_signed()),
        redis.persistence
    ))?;
    let lag = match redis.outbox_missing {
        0 => "all of them known to Redis".to_owned(),
        missing => format!(
            "{} not known to Redis, for {}",
            grouped(missing as i64),
            spoken(Duration::from_secs_f64(redis.outbox_lag))
        ),
    };
    let jobs = count(redis.outbox as i64, "job is", "jobs are");
    Ok(out.line(format_args!("{}   {jobs} to be done, {lag}", out.bold("Outbox")))?)
}

fn print_queues(out: Out, system: &System) -> Result<()> {
    out.heading("Queues")?;
    let states = [State::Available, State::Executing, State::Scheduled, State::Retryable, State::Discarded];
    let mut columns = vec!["queue"];
    columns.extend(states.map(State::name));
    columns.extend(["wait", ""]);
    let mut listing = out.listing(&columns).right(&[1, 2, 3, 4, 5, 6]);
    for QueueShown { depth, wait } in &system.queues {
        let number = |state| match depth.count(state) {
            many if many >= COUNTED => format!("{}+", grouped(COUNTED as i64)),
            few => grouped(few as i64),
        };
        let mut cells = vec![cell(&depth.queue)];
        cells.extend(states.map(|state| cell(number(state))));
        cells.push(maybe(wait.map(|wait| spoken(Duration::from_secs_f64(wait)))));
        cells.push(if depth.paused { status("paused") } else { cell("") });
        listing.row(cells);
    }
    Ok(out.table(&listing, "no queue holds a job")?)
}

fn print_imports(out: Out, system: &System) -> Result<()> {
    out.heading("Last imports")?;
    let listing = super::imports::listing(out, &system.imports);
    Ok(out.table(&listing, "there were none")?)
}
