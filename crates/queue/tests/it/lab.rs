//! A place to keep jobs, a clock that stands still, and short words for what tests do.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use queue::backend::Change;
use queue::{
    Batch, BoxError, Clock, Handler, Job, JobId, JobRecord, Limits, ManualClock, NewJob, Outcome, Pushed,
    Queue, Registry, Settings, State, SupervisorId,
};
use redis_link::Redis;
use sql::{Database, Migrations, Tx};
use testkit::Space;

/// A kind of place that jobs can be kept in. Each value is a fresh, empty one.
pub trait Store: Sized + Send + Sync + 'static {
    /// An empty place.
    fn open() -> impl Future<Output = Self> + Send;

    /// The engine over it, as another process would have it.
    fn queue(&self, clock: Arc<dyn Clock>, settings: Settings) -> Queue;

    /// The ledger that handlers write to.
    fn ledger(&self) -> &Database;
}

static HISTORIES: [&Migrations; 2] = [&queue::MIGRATIONS, &LEDGER];
/// A ledger whose effects can be counted.
static LEDGER: Migrations = Migrations {
    history: "ledger",
    steps: &[sql::Migration::new(
        1,
        "effects",
        "CREATE TABLE effects (job {int} NOT NULL, attempt {int} NOT NULL, PRIMARY KEY (job, attempt)) {clustered};\n",
    )],
};

/// A database, and Redis where jobs are kept there.
pub struct Place {
    db: Database,
    pub redis: Option<Redis>,
    pub space: Space,
}

impl Place {
    pub async fn at(space: Space) -> Self {
        let url = space.redis_url().map(str::to_owned);
        Place::with_redis_at(space, url.as_deref()).await
    }

    /// With jobs in the Redis at an address, whatever the run uses.
    pub async fn with_redis_at(space: Space, url: Option<&str>) -> Self {
        let mut settings = sql::Settings::new(space.database_url());
        settings.synchronous = sql::Synchronous::Normal;
        let db = Database::open(&settings).unwrap();
        db.migrate(&HISTORIES, ManualClock::default().now()).await.unwrap();
        let redis = match url {
            Some(url) => Some(Redis::open(redis_link::Settings::new(url)).await.unwrap()),
            None => None,
        };
        Place { db, redis, space }
    }

    /// The engine over it, as another process would have it.
    pub fn queue(&self, clock: Arc<dyn Clock>, settings: Settings) -> Queue {
        let db = self.db.clone();
        match &self.redis {
            Some(redis) => Queue::redis(db, redis.clone(), self.space.redis_prefix(), clock, settings),
            None => Queue::sql(db, clock, settings),
        }
        .unwrap()
    }

    pub fn ledger(&self) -> &Database {
        &self.db
    }
}

macro_rules! store {
    ($(#[$doc:meta])* $name:ident: $space:expr) => {
        $(#[$doc])*
        pub struct $name(pub Place);

        impl Store for $name {
            async fn open() -> Self {
                $name(Place::at($space).await)
            }

            fn queue(&self, clock: Arc<dyn Clock>, settings: Settings) -> Queue {
                self.0.queue(clock, settings)
            }

            fn ledger(&self) -> &Database {
                self.0.ledger()
            }
        }
    };
}

store!(
    /// The engines that this run of the tests uses.
    Engines: Space::new()
);
store!(
    /// Jobs in a SQLite file.
    Sqlite: Space::on(false, false)
);
store!(
    /// Jobs in Redis, and a ledger in a SQLite file.
    WithRedis: Space::on(false, true)
);

/// A store with an engine over it.
pub struct Lab<S> {
    pub store: S,
    pub clock: Arc<ManualClock>,
    pub queue: Queue,
}

pub const LEASE: Duration = Duration::from_secs(30);
pub const WORKER: SupervisorId = SupervisorId(1);

impl<S: Store> Lab<S> {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        Self::over(S::open().await, settings)
    }

    pub fn over(store: S, settings: Settings) -> Self {
        let clock = Arc::new(ManualClock::default());
        let queue = store.queue(clock.clone(), settings);
        Lab { store, clock, queue }
    }

    pub async fn push(&self, job: NewJob) -> JobId {
        match self.queue.push(vec![job]).await.unwrap()[0] {
            Pushed::New(id) => id,
            Pushed::Exists(id) => panic!("job {id} exists already"),
        }
    }

    pub async fn claim(&self, max: usize) -> Vec<Job> {
        self.queue.claim(&Arc::from("default"), max, WORKER, LEASE).await.unwrap()
    }

    pub async fn claim_one(&self) -> Job {
        let mut jobs = self.claim(1).await;
        assert_eq!(jobs.len(), 1, "nothing to claim");
        jobs.remove(0)
    }

    /// Settles one job; tells whether the result was taken.
    pub async fn settle(&self, job: &Job, change: Change) -> bool {
        let settled = self.queue.settle(Arc::from([job.clone()]), Arc::from([Some(change)])).await.unwrap();
        settled.stale == 0
    }

    pub async fn job(&self, id: JobId) -> JobRecord {
        self.queue.get(id).await.unwrap()
    }

    pub async fn state(&self, id: JobId) -> State {
        self.job(id).await.state
    }

    pub async fn is_gone(&self, id: JobId) -> bool {
        self.queue.find(id).await.unwrap().is_none()
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn in_seconds(&self, seconds: u64) -> jiff::Timestamp {
        self.clock.now().checked_add(Duration::from_secs(seconds)).unwrap()
    }

    pub fn registry(&self, handlers: impl IntoIterator<Item = Arc<dyn Handler>>) -> Registry {
        Registry::new(handlers, self.queue.settings()).unwrap()
    }

    pub async fn drain(&self, handler: impl Handler) -> usize {
        let registry = self.registry([Arc::new(handler) as Arc<dyn Handler>]);
        queue::drain(&self.queue, &registry).await.unwrap()
    }

    /// Applies the effects of jobs in one transaction, as handlers should. Returns how many landed.
    pub async fn land(&self, jobs: &[Job]) -> queue::Result<usize> {
        land(self.store.ledger(), &self.queue, jobs).await
    }

    /// The jobs whose effects landed, sorted.
    pub async fn effects(&self) -> Vec<i64> {
        let read = |tx: &mut Tx<'_>| tx.query("SELECT job FROM effects ORDER BY job", &[], |row| row.get(0));
        self.store.ledger().read::<Vec<i64>, sql::Error>("effects", read).await.unwrap()
    }
}

/// Keeps what is still this worker's, writes its effects and completes it.
pub async fn land(ledger: &Database, queue: &Queue, jobs: &[Job]) -> queue::Result<usize> {
    let (queue, jobs): (Queue, Arc<[Job]>) = (queue.clone(), Arc::from(jobs));
    ledger
        .write("land", move |tx| {
            let kept = queue.keep_in(tx, &jobs)?;
            for job in &kept.jobs {
                let row = [job.id.into(), job.attempt.into()];
                tx.execute("INSERT INTO effects (job, attempt) VALUES (?, ?)", &row)?;
            }
            queue.complete_in(tx, &kept.jobs)?;
            Ok(kept.jobs.len())
        })
        .await
}

pub fn job(kind: &str) -> NewJob {
    NewJob::new("default", kind, "{}")
}

pub fn retry(error: &str, at: jiff::Timestamp) -> Change {
    Change::Retry { error: error.to_owned(), at }
}

pub fn discard(error: &str) -> Change {
    Change::Discard { error: error.to_owned() }
}

/// A handler made of a function.
pub struct Does<F> {
    pub kind: &'static str,
    pub limits: Limits,
    pub run: F,
}

pub fn does<F, R>(kind: &'static str, run: F) -> Does<F>
where
    F: Fn(Batch) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<Outcome>, BoxError>> + Send,
{
    Does { kind, limits: Limits::default(), run }
}

impl<F> Does<F> {
    pub fn limits(self, limits: Limits) -> Self {
        Does { limits, ..self }
    }
}

#[async_trait]
impl<F, R> Handler for Does<F>
where
    F: Fn(Batch) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<Outcome>, BoxError>> + Send,
{
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        (self.run)(batch.clone()).await
    }
}
