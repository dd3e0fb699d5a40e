//! MySQL and MariaDB: several connections that write, several that read, each with a thread of its own.

mod address;
mod connect;
mod fault;
mod literals;
mod reserving;
mod rows;
mod statements;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::ids::IdBlocks;
use crate::work::{Queue, submit};
use crate::{DatabaseInfo, Dialect, Error, PerKind, Result, Settings, Tx};
use connect::{Connector, Rest};
use reserving::Reserver;
use worker::{Kind, Worker};

pub(crate) use statements::value;

#[derive(Clone)]
pub(crate) struct Mysql {
    shared: Arc<Shared>,
}

struct Shared {
    connector: Arc<Connector>,
    dialect: Dialect,
    version: String,
    connections: PerKind,
    writes: Arc<Queue>,
    reads: Arc<Queue>,
    changes: watch::Receiver<u64>,
    storage: watch::Receiver<Option<Error>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for Mysql {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mysql").field("at", &self.shared.connector.shown()).finish()
    }
}

/// How often whoever waits for other processes is told to look. Nothing tells of their commits.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Mysql {
    pub(crate) fn open(settings: &Settings) -> Result<Self> {
        let connector = Arc::new(Connector::new(settings)?);
        let (dialect, version) = connector.greet()?;
        let (writes, reads, ids) =
            (Arc::<Queue>::default(), Arc::<Queue>::default(), Arc::<IdBlocks>::default());
        let (changed, changes) = watch::channel(0);
        let (failed, storage) = watch::channel(None);
        let changed = Arc::new(changed);
        let reserver = Arc::new(Reserver::new(Arc::clone(&connector), Arc::clone(&ids)));
        let start = |kind, queue: &Arc<Queue>| {
            let worker = Worker {
                kind,
                connector: Arc::clone(&connector),
                queue: Arc::clone(queue),
                ids: Arc::clone(&ids),
                reserver: Arc::clone(&reserver),
                changed: Arc::clone(&changed),
                storage: failed.clone(),
                dialect,
                patience: settings.lock_timeout,
                connection: Rest::of(&connector),
            };
            worker.start()
        };
        let mut threads = Vec::new();
        threads.extend((0..settings.writers.max(1)).map(|_| start(Kind::Write, &writes)));
        threads.extend((0..settings.readers.max(1)).map(|_| start(Kind::Read, &reads)));
        tick(Arc::downgrade(&changed));
        let threads = Mutex::new(threads);
        let connections = PerKind { read: settings.readers.max(1), write: settings.writers.max(1) };
        let shared =
            Shared { connector, dialect, version, connections, writes, reads, changes, storage, threads };
        Ok(Mysql { shared: Arc::new(shared) })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.shared.dialect
    }

    pub(crate) fn write<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, E>>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        submit(&self.shared.writes, name, f)
    }

    pub(crate) fn read<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, E>>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        submit(&self.shared.reads, name, f)
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.clone()
    }

    pub(crate) async fn storage_failed(&self) -> Error {
        let mut storage = self.shared.storage.clone();
        match storage.wait_for(Option::is_some).await {
            Ok(failed) => failed.as_ref().map_or(Error::Full, Error::again),
            Err(_) => std::future::pending().await,
        }
    }

    /// What is known without asking; the size comes with a query.
    pub(crate) fn info(&self) -> DatabaseInfo {
        DatabaseInfo {
            engine: self.shared.version.clone(),
            location: self.shared.connector.shown().to_owned(),
            size: 0,
        }
    }

    pub(crate) fn connections(&self) -> PerKind {
        self.shared.connections
    }

    pub(crate) fn waiting(&self) -> PerKind {
        PerKind { read: self.shared.reads.len(), write: self.shared.writes.len() }
    }

    pub(crate) fn close(&self) {
        self.shared.close();
    }
}

impl Shared {
    fn close(&self) {
        self.writes.close();
        self.reads.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let me = std::thread::current().id();
        for thread in threads.into_iter().filter(|thread| thread.thread().id() != me) {
            if thread.join().is_err() {
                tracing::error!("a database thread ended with a panic");
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

/// Moves the counter every so often, for as long as there is a database behind it.
fn tick(changed: std::sync::Weak<watch::Sender<u64>>) {
    let run = move || {
        while let Some(changed) = changed.upgrade() {
            changed.send_modify(|count| *count += 1);
            drop(changed);
            std::thread::sleep(LOOK_EVERY);
        }
    };
    std::thread::Builder::new()
        .name("sql-ticker".to_owned())
        .spawn(run)
        .expect("the system refuses to start a thread");
}
