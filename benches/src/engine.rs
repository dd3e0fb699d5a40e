//! The job engine alone, without a shop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use queue::{
    Batch, BoxError, Handler, NewJob, Outcome, PoolSettings, Queue, Registry, Settings, Supervisor,
    SupervisorSettings, SystemClock,
};
use redis_link::Redis;
use sql::Database;

use crate::bare;

/// What a job of the bench carries.
pub const ARGS: &str = r#"{"order":1234567,"note":"a payload of an ordinary length"}"#;

static HISTORIES: [&sql::Migrations; 1] = [&queue::MIGRATIONS];

pub struct Engine {
    pub queue: Queue,
    database: Database,
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

impl Engine {
    /// Over a database, and over Redis where it has an address.
    pub async fn open(url: &str, redis: Option<&str>) -> anyhow::Result<Self> {
        let database = Database::open(&sql::Settings::new(url))?;
        database.migrate(&HISTORIES, queue::Clock::now(&SystemClock)).await?;
        let pool = PoolSettings { batch: bare::BATCH, ..PoolSettings::new("default") };
        let supervisor = SupervisorSettings { pools: vec![pool], ..SupervisorSettings::default() };
        let settings = Settings { supervisor, ..Settings::default() };
        let clock = Arc::new(SystemClock);
        let queue = match redis {
            None => Queue::sql(database.clone(), clock, settings)?,
            Some(redis) => {
                let redis = Redis::open(redis_link::Settings::new(redis)).await?;
                Queue::redis(database.clone(), redis, "bench", clock, settings)?
            }
        };
        Ok(Engine { queue, database })
    }

    /// Pushes jobs that do nothing.
    pub async fn fill(&self, queue: &str, jobs: usize) -> anyhow::Result<()> {
        for first in (0..jobs).step_by(1000) {
            let job = NewJob::new(queue, "no_op", ARGS);
            self.queue.push(vec![job; (jobs - first).min(1000)]).await?;
        }
        Ok(())
    }

    /// Starts workers with one handler.
    pub async fn work(&self, handler: impl Handler + 'static) -> anyhow::Result<Supervisor> {
        let handlers: [Arc<dyn Handler>; 1] = [Arc::new(handler)];
        let registry = Registry::new(handlers, self.queue.settings())?;
        Ok(Supervisor::start(self.queue.clone(), registry).await?)
    }

    /// Pushes jobs that do nothing, a batch after the other, until none is left. Two at once push as the bare loops do.
    async fn push_no_ops(&self, left: &AtomicUsize) -> anyhow::Result<()> {
        let one_less = |left: usize| left.checked_sub(1);
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            self.queue.push(vec![NewJob::new("default", "no_op", ARGS); bare::BATCH]).await?;
        }
        Ok(())
    }

    /// Pushes jobs that do nothing while workers run as many, those first that wait already. Returns the seconds that
    /// it took, and leaves as many waiting as it found.
    pub async fn run_no_ops(&self, jobs: usize) -> anyhow::Result<f64> {
        let done = Arc::new(AtomicUsize::new(0));
        let began = Instant::now();
        let supervisor = self.work(NoOp(Arc::clone(&done))).await?;
        let left = AtomicUsize::new(jobs / bare::BATCH);
        tokio::try_join!(self.push_no_ops(&left), self.push_no_ops(&left))?;
        while done.load(Ordering::Relaxed) < jobs / bare::BATCH * bare::BATCH {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let took = began.elapsed().as_secs_f64();
        supervisor.stop();
        supervisor.wait().await;
        self.fill("default", done.load(Ordering::Relaxed) - jobs / bare::BATCH * bare::BATCH).await?;
        Ok(took)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.database.close();
    }
}
