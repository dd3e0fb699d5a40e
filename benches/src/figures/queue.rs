//! Jobs a second that do nothing, enqueued and run.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use queue::{
    Batch, BoxError, Handler, NewJob, Outcome, PoolSettings, Queue, Registry, Settings, Supervisor,
    SupervisorSettings, SystemClock,
};
use sql::Database;
use tempfile::TempDir;

use super::Size;
use crate::bare;
use crate::report::{Figure, Goal};

const ARGS: &str = r#"{"order":1234567,"note":"a payload of an ordinary length"}"#;
const WAITING: usize = 1_000_000;

pub async fn measure(size: Size) -> anyhow::Result<Vec<Figure>> {
    let jobs = (size.orders as usize * 4).next_multiple_of(bare::BATCH);
    Ok(vec![
        beside("no-op jobs, enqueue + run", Waiting::None, jobs, size.runs).await?,
        beside("no-op jobs, 1,000,000 waiting in the same queue", Waiting::Here, jobs, size.runs).await?,
        beside("no-op jobs, 1,000,000 waiting in another queue", Waiting::Elsewhere, jobs, size.runs).await?,
    ])
}

#[derive(Clone, Copy)]
enum Waiting {
    None,
    Here,
    Elsewhere,
}

async fn beside(name: &str, waiting: Waiting, jobs: usize, runs: usize) -> anyhow::Result<Figure> {
    let engine = Engine::open(waiting).await?;
    engine.run(jobs).await?;
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(jobs as f64 / engine.run(jobs).await?);
        limit.push(jobs as f64 / run_bare(jobs).await?);
    }
    let what = "bare statements in batches of 500, nothing waiting";
    Ok(Figure::beside(name, "jobs/s", &ours, what, &limit).goal(Goal::RatioAtLeast(0.6)))
}

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

static HISTORIES: [&sql::Migrations; 1] = [&queue::MIGRATIONS];

async fn database(path: &Path) -> anyhow::Result<Database> {
    let database = Database::open(&sql::Settings::new(path.display().to_string()))?;
    database.migrate(&HISTORIES, queue::Clock::now(&SystemClock)).await?;
    Ok(database)
}

struct Engine {
    queue: Queue,
    database: Database,
    _folder: TempDir,
}

impl Engine {
    async fn open(waiting: Waiting) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = database(&folder.path().join("queue.db")).await?;
        let pool = PoolSettings { batch: bare::BATCH, ..PoolSettings::new("default") };
        let supervisor = SupervisorSettings { pools: vec![pool], ..SupervisorSettings::default() };
        let settings = Settings { supervisor, ..Settings::default() };
        let queue = Queue::sql(database.clone(), Arc::new(SystemClock), settings)?;
        let others = match waiting {
            Waiting::None => None,
            Waiting::Here => Some("default"),
            Waiting::Elsewhere => Some("other"),
        };
        for _ in 0..others.map_or(0, |_| WAITING / 1000) {
            // Last in line, so that they wait all the time.
            let job = NewJob::new(others.unwrap_or_default(), "other", ARGS).priority(255);
            queue.push(vec![job; 1000]).await?;
        }
        Ok(Engine { queue, database, _folder: folder })
    }

    /// Pushes jobs while workers run them; returns the seconds until the last has run.
    async fn run(&self, jobs: usize) -> anyhow::Result<f64> {
        let done = Arc::new(AtomicUsize::new(0));
        let handlers: [Arc<dyn Handler>; 1] = [Arc::new(NoOp(Arc::clone(&done)))];
        let registry = Registry::new(handlers, self.queue.settings())?;
        let began = Instant::now();
        let supervisor = Supervisor::start(self.queue.clone(), registry).await?;
        for _ in 0..jobs / bare::BATCH {
            self.queue.push(vec![NewJob::new("default", "no_op", ARGS); bare::BATCH]).await?;
        }
        while done.load(Ordering::Relaxed) < jobs {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let took = began.elapsed().as_secs_f64();
        supervisor.stop();
        supervisor.wait().await;
        Ok(took)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.database.close();
    }
}

async fn run_bare(jobs: usize) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bare.db");
    database(&path).await?.close();
    let connection = bare::open(&path)?;
    let began = Instant::now();
    for round in 0..jobs / bare::BATCH {
        let first = i64::try_from(round * bare::BATCH)?;
        in_transaction(&connection, || bare::jobs::insert(&connection, "default", first, bare::BATCH, ARGS))?;
        let claimed = in_transaction(&connection, || bare::jobs::claim(&connection, "default", bare::BATCH))?;
        in_transaction(&connection, || bare::jobs::complete(&connection, &claimed))?;
    }
    Ok(began.elapsed().as_secs_f64())
}

fn in_transaction<T>(
    connection: &rusqlite::Connection,
    run: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let value = run()?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(value)
}
