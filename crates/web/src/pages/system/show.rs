//! How everything does: what is asked now, and what went wrong of late.

use std::time::Duration;

use app::App;
use app::recent::{self, Trouble};
use app::system::System;
use app::vitals::{self, Database, Dependency, Disk, Redis, Told, Vitals};
use app::words::spoken;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use queue::SupervisorRecord;

use crate::ApiError;
use crate::access::SignedIn;
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, When};
use crate::pages::words::{bytes, number, percent, since};
use crate::pages::{SYSTEM, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "system/show.html")]
struct SystemPage<'p> {
    frame: Frame<'p>,
    version: &'static str,
    attention: Told<Vec<String>>,
    dependencies: Vec<Asked>,
    database: Told<Vec<Fact>>,
    slowest: Option<Vec<Slow>>,
    redis: Option<Told<Vec<Fact>>>,
    disks: Vec<Room>,
    supervisors: Vec<Supervisor>,
    verified: Told<Option<When>>,
    kept_since: When,
    troubles: Vec<Row>,
}

/// Something that was asked, and how long it took.
struct Asked {
    name: &'static str,
    asked: String,
    state: Badge,
    told: String,
}

/// A figure by its name.
struct Fact {
    name: String,
    value: String,
}

struct Slow {
    text: String,
    count: String,
    average: String,
    longest: String,
}

struct Room {
    holds: &'static str,
    folder: String,
    told: Told<(String, String, String)>,
}

struct Supervisor {
    name: String,
    host: String,
    pid: u32,
    started: When,
    seen: When,
    workers: usize,
    busy: usize,
}

/// A warning or an error.
struct Row {
    at: When,
    level: Badge,
    from: String,
    text: String,
}

/// `GET /system`
pub(in crate::pages) async fn show(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
) -> Result<Response, ApiError> {
    let app = &web.app;
    let Vitals { dependencies, database, redis, disks, system, verified } = Box::pin(vitals::look(app)).await;
    let (since, troubles) = recent::troubles();
    let lag = system.as_ref().ok().and_then(outbox);
    let (attention, supervisors) = match system {
        Ok(System { attention, supervisors, .. }) => (Ok(attention), supervisors),
        Err(error) => (Err(error), Vec::new()),
    };
    page(
        StatusCode::OK,
        &SystemPage {
            frame: Frame::new(app, &session, SYSTEM),
            version: env!("CARGO_PKG_VERSION"),
            attention,
            dependencies: dependencies.into_iter().map(Asked::new).collect(),
            slowest: database.as_ref().ok().and_then(slowest),
            database: database.map(|database| database_facts(&database)),
            redis: redis.map(|redis| redis.map(|redis| redis_facts(&redis, lag))),
            disks: disks.into_iter().map(Room::new).collect(),
            supervisors: supervisors.into_iter().map(|one| Supervisor::new(app, one)).collect(),
            verified: verified.map(|at| at.map(|at| When::new(app, at))),
            kept_since: When::new(app, since),
            troubles: troubles.into_iter().map(|one| Row::new(app, one)).collect(),
        },
    )
}

fn fact(name: &str, value: impl Into<String>) -> Fact {
    Fact { name: name.to_owned(), value: value.into() }
}

fn count(figure: u64) -> String {
    number(i64::try_from(figure).unwrap_or(i64::MAX))
}

fn database_facts(database: &Database) -> Vec<Fact> {
    let Database { info, vitals, connections, waiting } = database;
    let pair = |one: &sql::PerKind| format!("{} reading, {} writing", one.read, one.write);
    let mut facts = vec![
        fact("Engine", info.engine.as_str()),
        fact("Place", info.location.as_str()),
        fact("Size", bytes(info.size)),
        fact("Connections of this process", pair(connections)),
        fact("Transactions that wait for one", pair(waiting)),
    ];
    facts.extend(vitals.figures.iter().map(|(name, figure)| fact(name, number(*figure))));
    facts
}

fn slowest(database: &Database) -> Option<Vec<Slow>> {
    let micros = |count: i64| spoken(Duration::from_micros(count.max(0).unsigned_abs()));
    let slow = |one: &sql::SlowStatement| Slow {
        text: one.text.clone(),
        count: number(one.count),
        average: micros(one.average),
        longest: micros(one.longest),
    };
    Some(database.vitals.slowest.as_ref()?.iter().map(slow).collect())
}

/// What of the outbox has not come to Redis.
fn outbox(system: &System) -> Option<String> {
    let redis = system.redis.as_ref()?;
    Some(match redis.outbox_missing {
        0 => format!("none; {} jobs are to be done", count(redis.outbox as u64)),
        missing => format!("{} jobs, for {}", count(missing as u64), since(redis.outbox_lag)),
    })
}

fn redis_facts(redis: &Redis, outbox: Option<String>) -> Vec<Fact> {
    let Redis { info, cluster } = redis;
    let memory = match info.memory_limit {
        0 => bytes(info.used_memory),
        limit => format!("{} of {}", bytes(info.used_memory), bytes(limit)),
    };
    let mut facts = vec![
        fact("Engine", info.engine.as_str()),
        fact("Memory", memory),
        fact("Commands a second", count(info.commands_per_second)),
        fact("Clients", count(info.clients)),
        fact("Keys", count(info.keys)),
        fact("Keys thrown away for want of memory", count(info.evicted_keys)),
        fact("Kept by", info.persistence),
        fact("Replication", format!("{}, {} replicas", info.role, info.replicas)),
        fact("Runs for", spoken(Duration::from_secs(info.uptime))),
    ];
    if let Some(cluster) = cluster {
        let slots =
            format!("{} assigned, {} reached", count(cluster.slots_assigned), count(cluster.slots_ok));
        facts.push(fact("Cluster", format!("{}, {} nodes", cluster.state, cluster.nodes)));
        facts.push(fact("Slots of 16,384", slots));
    }
    facts.extend(outbox.map(|told| fact("Jobs that have not come to it", told)));
    facts
}

impl Asked {
    fn new(Dependency { name, asked, took }: Dependency) -> Self {
        let (state, told) = match took {
            Ok(took) if took.is_zero() => ("up", String::new()),
            Ok(took) => ("up", spoken(took)),
            Err(error) => ("down", error),
        };
        Asked { name, asked, state: Badge::new(state), told }
    }
}

impl Room {
    fn new(Disk { holds, folder, room }: Disk) -> Self {
        let told = room.map(|(free, all)| {
            let share = if all == 0 { 0.0 } else { free as f64 / all as f64 };
            (bytes(free), bytes(all), percent(share))
        });
        Room { holds, folder: folder.display().to_string(), told }
    }
}

impl Supervisor {
    fn new(app: &App, one: SupervisorRecord) -> Self {
        Supervisor {
            workers: one.pools.iter().map(|pool| pool.workers).sum(),
            busy: one.pools.iter().map(|pool| pool.busy.len()).sum(),
            name: one.name,
            host: one.host,
            pid: one.pid,
            started: When::new(app, one.started_at),
            seen: When::new(app, one.seen_at),
        }
    }
}

impl Row {
    fn new(app: &App, one: Trouble) -> Self {
        Row {
            at: When::new(app, one.at),
            level: Badge::new(if one.is_error { "error" } else { "warning" }),
            from: one.from,
            text: one.text,
        }
    }
}
