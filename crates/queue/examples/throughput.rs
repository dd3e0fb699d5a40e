//! No-op jobs per second, enqueued and run, beside a bare loop of prepared statements that leaves the same rows.
//!
//! `cargo run --release -p ordermill-queue --example throughput -- [JOBS] [BATCH] [WAITING] [ROUNDS]`

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
    let number = |at: usize, default: usize| {
        std::env::args().nth(at).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (jobs, batch, waiting, rounds) = (number(1, 100_000), number(2, 500), number(3, 0), number(4, 5));
    println!("{jobs} jobs in batches of {batch}, {waiting} others waiting, synchronous=FULL");
    let (mut engine, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let folder = tempfile::tempdir()?;
        engine.push(run_engine(&folder.path().join("engine.db"), jobs, batch, waiting).await?);
        bare.push(run_bare(&folder.path().join("bare.db"), jobs, batch).await?);
        let (engine, bare) = (engine[engine.len() - 1], bare[bare.len() - 1]);
        println!("engine {engine:>8.0} jobs/s   bare {bare:>8.0} jobs/s   ratio {:.2}", engine / bare);
    }
    println!("median ratio {:.2}", median(&mut engine) / median(&mut bare));
    Ok(())
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

static HISTORIES: [&sql::Migrations; 1] = [&queue::MIGRATIONS];

async fn database(path: &Path) -> Result<Database, Box<dyn Error>> {
    let db = Database::open(&sql::Settings::new(path.display().to_string()))?;
    db.migrate(&HISTORIES, queue::Clock::now(&SystemClock)).await?;
    Ok(db)
}

async fn run_engine(path: &Path, jobs: usize, batch: usize, waiting: usize) -> Result<f64, Box<dyn Error>> {
    let settings = Settings {
        supervisor: SupervisorSettings {
            pools: vec![PoolSettings { batch, ..PoolSettings::new("default") }],
            ..SupervisorSettings::default()
        },
        ..Settings::default()
    };
    let queue = Queue::sql(database(path).await?, Arc::new(SystemClock), settings)?;
    for _ in 0..waiting / 1000 {
        // Last in line, so that they are waiting all the time.
        queue.push(vec![NewJob::new("default", "other", ARGS).priority(255); 1000]).await?;
    }
    let done = Arc::new(AtomicUsize::new(0));
    let handlers: [Arc<dyn Handler>; 1] = [Arc::new(NoOp(Arc::clone(&done)))];
    let registry = Registry::new(handlers, queue.settings())?;
    let began = Instant::now();
    let supervisor = Supervisor::start(queue.clone(), registry).await?;
    for _ in 0..jobs / batch {
        queue.push(vec![NewJob::new("default", "no_op", ARGS); batch]).await?;
    }
    while done.load(Ordering::Relaxed) < jobs / batch * batch {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = began.elapsed();
    supervisor.stop();
    supervisor.wait().await;
    Ok(jobs as f64 / took.as_secs_f64())
}

async fn run_bare(path: &Path, jobs: usize, batch: usize) -> Result<f64, Box<dyn Error>> {
    database(path).await?.close();
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let began = Instant::now();
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
    Ok(jobs as f64 / began.elapsed().as_secs_f64())
}
