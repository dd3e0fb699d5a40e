//! SQLite: one thread writes, several read, processes take turns.

mod lookups;
mod reader;
mod statements;
mod turn;
mod watcher;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, available_parallelism};
use std::time::Instant;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{oneshot, watch};

use crate::ids::IdBlocks;
use crate::sqlite::lookups::Lookups;
use crate::sqlite::turn::Turn;
use crate::work::{Queue, in_work, submit};
use crate::{DatabaseInfo, Error, PerKind, Result, Settings, Synchronous, Tx};

pub(crate) use statements::{Statements, value};

#[derive(Clone)]
pub(crate) struct Sqlite {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    connections: PerKind,
    writes: Arc<Queue>,
    reads: Arc<Queue>,
    lookups: Lookups,
    changes: watch::Receiver<u64>,
    storage: watch::Receiver<Option<Error>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.shared.path).finish()
    }
}

impl Sqlite {
    pub(crate) fn open(path: &Path, settings: &Settings) -> Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|source| Error::File {
                action: "cannot create the folder",
                path: folder.to_owned(),
                source,
            })?;
        }
        let turn = Turn::open(path, settings.lock_timeout)?;
        let connect = |cache_kib| connect(path, settings, cache_kib);
        let writer = {
            // Whoever creates the file switches it to WAL, which needs it alone.
            let _held = turn.take()?;
            connect(WRITER_CACHE_KIB)?
        };
        let (writes, reads, ids) =
            (Arc::<Queue>::default(), Arc::<Queue>::default(), Arc::<IdBlocks>::default());
        let (storage, failed) = watch::channel(None);
        let mut threads = vec![writer::start(writer, turn, writes.clone(), ids.clone(), storage)];
        let readers = settings.readers.max(1);
        let connect_reader = || {
            let connection = connect(READER_CACHE_KIB)?;
            let limited = connection.pragma_update(None, "query_only", true);
            limited.map_err(|error| unavailable(path, &error)).map(|()| connection)
        };
        for _ in 0..readers {
            threads.push(reader::start(connect_reader()?, reads.clone(), ids.clone()));
        }
        // More than there are processors never look anything up at the same time.
        let at_once = available_parallelism().map_or(1, usize::from).min(readers);
        let lookups = (0..at_once).map(|_| connect_reader()).collect::<Result<Vec<_>>>()?;
        let lookups = Lookups::new(lookups, reads.clone(), ids)?;
        let changes = watcher::start(connect(64)?);
        let threads = Mutex::new(threads);
        Ok(Sqlite {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                connections: PerKind { read: readers + at_once, write: 1 },
                writes,
                reads,
                lookups,
                changes,
                storage: failed,
                threads,
            }),
        })
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

    pub(crate) fn look_up<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, E>>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        in_work(name, f, |unit| self.shared.lookups.run(unit))
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.clone()
    }

    pub(crate) async fn storage_failed(&self) -> Error {
        let mut storage = self.shared.storage.clone();
        match storage.wait_for(Option::is_some).await {
            Ok(failed) => failed.as_ref().map_or(Error::Full, Error::again),
            // The writer has ended; no commit will fail any more.
            Err(_) => std::future::pending().await,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.shared.path
    }

    pub(crate) fn info(&self) -> DatabaseInfo {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
        let log = beside(&self.shared.path, "-wal");
        DatabaseInfo {
            engine: format!("SQLite {}", rusqlite::version()),
            location: self.shared.path.display().to_string(),
            size: size(&self.shared.path) + size(&log),
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
        self.lookups.close();
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

const WRITER_CACHE_KIB: i64 = 16 * 1024;
const READER_CACHE_KIB: i64 = 2 * 1024;
/// Pages of the log after which a commit moves them into the database file.
const CHECKPOINT_PAGES: i64 = 4_000;

fn connect(path: &Path, settings: &Settings, cache_kib: i64) -> Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let configure = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(settings.lock_timeout)?;
        // Otherwise each execution with a bound LIMIT plans its statement anew.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "page_size", 4096)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let synchronous = match settings.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "cache_size", -cache_kib)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "foreign_keys", false)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        connection.set_prepared_statement_cache_capacity(512);
        Ok(connection)
    };
    let asked = Instant::now();
    configure().map_err(|error| unavailable(path, &error).waited(asked.elapsed()))
}

pub(crate) fn unavailable(path: &Path, error: &rusqlite::Error) -> Error {
    match Error::from_sqlite(error, "opening") {
        known @ (Error::Busy { .. } | Error::Full | Error::Storage { .. }) => known,
        _ => Error::Unavailable { target: path.display().to_string(), reason: error.to_string() },
    }
}

/// The file beside `database` whose name goes on with `suffix`.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.to_owned().into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}
