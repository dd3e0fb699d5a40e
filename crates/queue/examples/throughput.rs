//! No-op jobs per second, enqueued and run, beside a bare loop of prepared statements that leaves the same rows.
//!
//! `cargo run --release -p ordermill-queue --example throughput -- [JOBS] [BATCH] [WAITING] [ROUNDS] [--redis URL]`
//!
//! With `--redis` the jobs are kept there, and the database is their ledger.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use queue::{
    Batch, BoxError, Handler, NewJob, Outcome, PoolSettings, Queue, Registry, Settings, Supervisor,
    SupervisorSettings, SystemClock,
};
use redis_link::Redis;
use rusqlite::Connection;
use sql::Database;

const ARGS: &str = r#"{"order":1234567,"note":"a payload of an ordinary length"}"#;

struct NoOp(Arc<AtomicUsize>);

#[async_trait]
impl Handler for NoOp {
    fn kind(&self) -> &'static str {
        "no_op"
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        self.0.fetch_add(batch.jobs().len(), Ordering::Relaxed);
        Ok(batch.all_done())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words: Vec<String> = std::env::args().collect();
    let redis = match words.iter().position(|word| word == "--redis") {
        Some(at) => {
            Some(Redis::open(redis_link::Settings::new(words.drain(at..).nth(1).unwrap_or_default())).await?)
        }
        None => None,
    };
    let number =
        |at: usize, default: usize| words.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (jobs, batch, waiting, rounds) = (number(1, 100_000), number(2, 500), number(3, 0), number(4, 5));
    println!("{jobs} jobs in batches of {batch}, {waiting} others waiting, synchronous=FULL");
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let folder = tempfile::tempdir()?;
        let engine =
            run_engine(&folder.path().join("engine.db"), redis.as_ref(), [jobs, batch, waiting]).await?;
        let bare = run_bare(&folder.path().join("bare.db"), jobs, batch).await?;
        let ratio = engine.per_second / bare.per_second;
        println!("engine {engine}   bare {bare}   ratio {ratio:.2}");
        ratios.push(ratio);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ratios.len() / 2]);
    let mut waits = idle_waits(tempfile::tempdir()?.path(), redis.as_ref()).await?;
    waits.sort_unstable();
    println!(
        "from push to start, idle: p50 {:?}, p99 {:?}",
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100]
    );
    Ok(())
}

/// How long single jobs take from their push to the start of their run, on an idle system.
async fn idle_waits(folder: &Path, redis: Option<&Redis>) -> Result<Vec<Duration>, Box<dyn Error>> {
    let queue = engine(&folder.join("idle.db"), redis, Settings::default()).await?;
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let handlers: [Arc<dyn Handler>; 1] = [Arc::new(Tells(started))];
    let supervisor = Supervisor::start(queue.clone(), Registry::new(handlers, queue.settings())?).await?;
    let mut waits = Vec::new();
    for _ in 0..500 {
        tokio::time::sleep(Duration::from_millis(4)).await;
        let pushed = Instant::now();
        queue.push(vec![NewJob::new("default", "tells", ARGS)]).await?;
        waits.push(starts.recv().await.ok_or("the handler is gone")?.saturating_duration_since(pushed));
    }
    supervisor.stop();
    supervisor.wait().await;
    Ok(waits)
}

struct Tells(tokio::sync::mpsc::UnboundedSender<Instant>);

#[async_trait]
impl Handler for Tells {
    fn kind(&self) -> &'static str {
        "tells"
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        self.0.send(Instant::now())?;
        Ok(batch.all_done())
    }
}

/// How fast jobs went, and what they cost: the cost moves less on a busy machine.
struct Figure {
    per_second: f64,
    cpu_micros: f64,
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>8.0} jobs/s {:>5.1} CPU-µs", self.per_second, self.cpu_micros)
    }
}

struct Stopwatch {
    began: Instant,
    cpu: f64,
}

impl Stopwatch {
    fn start() -> Self {
        Stopwatch { began: Instant::now(), cpu: cpu_seconds() }
    }

    fn stop(&self, jobs: usize) -> Figure {
        let jobs = jobs as f64;
        Figure {
            per_second: jobs / self.began.elapsed().as_secs_f64(),
            cpu_micros: (cpu_seconds() - self.cpu) * 1e6 / jobs,
        }
    }
}

/// What this process has used of the processors so far, in seconds; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.split_whitespace().skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

static HISTORIES: [&sql::Migrations; 1] = [&queue::MIGRATIONS];

async fn database(path: &Path) -> Result<Database, Box<dyn Error>> {
    let db = Database::open(&sql::Settings::new(path.display().to_string()))?;
    db.migrate(&HISTORIES, queue::Clock::now(&SystemClock)).await?;
    Ok(db)
}

/// An engine without jobs.
async fn engine(path: &Path, redis: Option<&Redis>, settings: Settings) -> Result<Queue, Box<dyn Error>> {
    let (db, clock) = (database(path).await?, Arc::new(SystemClock));
    Ok(match redis {
        Some(redis) => Queue::redis(db, redis.clone(), &format!("bench{}", path.display()), clock, settings)?,
        None => Queue::sql(db, clock, settings)?,
    })
}

async fn run_engine(
    path: &Path,
    redis: Option<&Redis>,
    [jobs, batch, waiting]: [usize; 3],
) -> Result<Figure, Box<dyn Error>> {
    let settings = Settings {
        supervisor: SupervisorSettings {
            pools: vec![PoolSettings { batch, ..PoolSettings::new("default") }],
            ..SupervisorSettings::default()
        },
        ..Settings::default()
    };
    let queue = engine(path, redis, settings).await?;
    for _ in 0..waiting / 1000 {
        // Last in line, so that they are waiting all the time.
        queue.push(vec![NewJob::new("default", "other", ARGS).priority(255); 1000]).await?;
    }
    let done = Arc::new(AtomicUsize::new(0));
    let handlers: [Arc<dyn Handler>; 1] = [Arc::new(NoOp(Arc::clone(&done)))];
    let registry = Registry::new(handlers, queue.settings())?;
    let stopwatch = Stopwatch::start();
    let supervisor = Supervisor::start(queue.clone(), registry).await?;
    for _ in 0..jobs / batch {
        queue.push(vec![NewJob::new("default", "no_op", ARGS); batch]).await?;
    }
    while done.load(Ordering::Relaxed) < jobs / batch * batch {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let figure = stopwatch.stop(jobs);
    supervisor.stop();
    supervisor.wait().await;
    Ok(figure)
}

async fn run_bare(path: &Path, jobs: usize, batch: usize) -> Result<Figure, Box<dyn Error>> {
    database(path).await?.close();
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let stopwatch = Stopwatch::start();
    for round in 0..jobs / batch {
        let first = i64::try_from(round * batch)?;
        let tx = connection.transaction()?;
        for id in first..first + i64::try_from(batch)? {
            tx.prepare_cached(
                "INSERT INTO jobs (id, queue, state, due, kind, priority, max_attempts, enqueued_at, args) \
                 VALUES (?, 'default', 1, ?, 'no_op', 100, NULL, 0, ?)",
            )?
            .execute((id, id, ARGS))?;
        }
        tx.commit()?;
        let tx = connection.transaction()?;
        let claimed = {
            let mut select = tx.prepare_cached(
                "SELECT id, kind, args, attempt FROM jobs WHERE queue = 'default' AND state = 1 ORDER BY due LIMIT ?",
            )?;
            let rows = select.query_map([i64::try_from(batch)?], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(2)?))
            })?;
            rows.collect::<Result<Vec<_>, _>>()?
        };
        for (id, _) in &claimed {
            tx.prepare_cached(
                "UPDATE jobs SET state = 2, due = ?, attempt = attempt + 1, worker = 1 WHERE id = ?",
            )?
            .execute((1, id))?;
        }
        tx.commit()?;
        let tx = connection.transaction()?;
        for (id, _) in &claimed {
            tx.prepare_cached("DELETE FROM jobs WHERE id = ? AND attempt = 1")?.execute([id])?;
        }
        tx.commit()?;
    }
    Ok(stopwatch.stop(jobs))
}
