use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::migrate::{self, OWN};
use crate::mysql::Mysql;
use crate::sqlite::Sqlite;
use crate::{Dialect, Error, Migrations, Result, Tx};

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A path, `sqlite:PATH`, or `mysql://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]…]/DATABASE`.
    pub url: String,
    /// When a commit to SQLite counts as durable.
    pub synchronous: Synchronous,
    /// Connections that read, each on a thread of its own.
    pub readers: usize,
    /// Connections to MySQL that write, each on a thread of its own. SQLite takes one writer.
    pub writers: usize,
    /// How long to wait for another process's lock, or for a server that takes writes, before saying so.
    pub lock_timeout: Duration,
}

/// When a commit on SQLite counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Once the disk has it: survives a power cut.
    #[default]
    Full,
    /// Once the system has it: survives a killed process; a power cut may undo the last commits, whole.
    Normal,
}

impl Settings {
    /// The defaults for a database at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Settings {
            url: url.into(),
            synchronous: Synchronous::Full,
            readers: 4,
            writers: 8,
            lock_timeout: Duration::from_secs(30),
        }
    }

    /// Whether the database is a server's, rather than a file.
    pub fn is_on_server(&self) -> bool {
        self.url.starts_with("mysql:") || self.url.starts_with("mariadb:")
    }
}

/// A database: a cheap handle to its pool of threads.
#[derive(Clone, Debug)]
pub struct Database {
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Engine {
    Sqlite(Sqlite),
    Mysql(Mysql),
}

/// What a status page shows of a database.
#[derive(Debug, Clone)]
pub struct DatabaseInfo {
    /// Engine and version.
    pub engine: String,
    /// Where it is, without secrets.
    pub location: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A figure of those that read and those that write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerKind {
    /// Of those that read.
    pub read: usize,
    /// Of those that write.
    pub write: usize,
}

impl Database {
    /// Opens the database. A file is created where it is not there; on a server, the database must be.
    pub fn open(settings: &Settings) -> Result<Self> {
        let engine = if settings.is_on_server() {
            Engine::Mysql(Mysql::open(settings)?)
        } else {
            Engine::Sqlite(Sqlite::open(&sqlite_path(&settings.url)?, settings)?)
        };
        Ok(Database { engine })
    }

    /// The engine's dialect.
    pub fn dialect(&self) -> Dialect {
        match &self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Mysql(mysql) => mysql.dialect(),
        }
    }

    /// Applies the missing steps of each history, one process at a time. Returns the names of the steps applied.
    pub async fn migrate(
        &self,
        histories: &'static [&'static Migrations],
        now: Timestamp,
    ) -> Result<Vec<String>> {
        self.write("migrate", move |tx| {
            migrate::one_at_a_time(tx, |tx| {
                let mut applied = OWN.apply(tx, now)?;
                for history in histories {
                    applied.extend(history.apply(tx, now)?);
                }
                Ok(applied)
            })
        })
        .await
    }

    /// Fails, naming them, when steps are missing.
    pub async fn require_migrated(&self, histories: &'static [&'static Migrations]) -> Result<()> {
        self.read("check_schema", move |tx| {
            let missing = |tx: &mut Tx<'_>| -> Result<Vec<String>> {
                let mut names = Vec::new();
                for history in std::iter::once(&OWN).chain(histories.iter().copied()) {
                    names.extend(
                        history
                            .missing(tx)?
                            .iter()
                            .map(|step| format!("{}/{:03}_{}", history.history, step.version, step.name)),
                    );
                }
                Ok(names)
            };
            match missing(tx) {
                Ok(names) if names.is_empty() => Ok(()),
                Ok(names) => Err(Error::Schema(format!(
                    "the database lacks the schema steps {}; run `ordermill migrate`",
                    names.join(", ")
                ))),
                Err(Error::Statement { .. }) => {
                    Err(Error::Schema("the database has no schema yet; run `ordermill migrate`".to_owned()))
                }
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Runs `f` as one write transaction and returns what it returns, after the commit. `f` may run again from its
    /// start; it must do nothing outside the database.
    pub async fn write<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit_write(name, f).await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// Runs `f` over one consistent snapshot. It cannot write.
    pub async fn read<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit_read(name, f).await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// [`read`](Self::read) of a few hundred rows at most, by their keys. On SQLite it runs on the caller's own thread, as long
    /// as it need not wait for anybody: that is over before another thread would have begun.
    pub async fn look_up<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let answer = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.look_up(name, f),
            Engine::Mysql(mysql) => mysql.read(name, f),
        };
        answer.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// [`write`](Self::write) for a thread that has no runtime.
    pub fn write_blocking<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit_write(name, f).blocking_recv().unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// [`read`](Self::read) for a thread that has no runtime.
    pub fn read_blocking<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit_read(name, f).blocking_recv().unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    fn submit_write<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, E>>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(name, f),
            Engine::Mysql(mysql) => mysql.write(name, f),
        }
    }

    fn submit_read<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, E>>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(name, f),
            Engine::Mysql(mysql) => mysql.read(name, f),
        }
    }

    /// A counter that moves whenever some process may have committed a write, this one included: on SQLite within 25
    /// ms of it, on MySQL also every 100 ms, because nothing tells of other processes there.
    pub fn changes(&self) -> watch::Receiver<u64> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.changes(),
            Engine::Mysql(mysql) => mysql.changes(),
        }
    }

    /// Waits for the next commit of some process.
    pub async fn changed(&self) {
        let mut changes = self.changes();
        changes.mark_unchanged();
        if changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until a commit fails because the disk is full or broken, and returns that error. At once where the last
    /// commit has failed so.
    pub async fn storage_failed(&self) -> Error {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.storage_failed().await,
            Engine::Mysql(mysql) => mysql.storage_failed().await,
        }
    }

    /// What a status page shows.
    pub async fn info(&self) -> Result<DatabaseInfo> {
        match &self.engine {
            Engine::Sqlite(sqlite) => Ok(sqlite.info()),
            Engine::Mysql(mysql) => {
                let size = |tx: &mut Tx<'_>| {
                    let sql = "SELECT COALESCE(SUM(data_length + index_length), 0) FROM information_schema.tables \
                               WHERE table_schema = DATABASE()";
                    tx.query_one(sql, &[], |row| row.get::<u64>(0))
                };
                let size = self.read::<_, Error>("database_size", size).await?;
                Ok(DatabaseInfo { size, ..mysql.info() })
            }
        }
    }

    /// Connections that this process may have at once.
    pub fn connections(&self) -> PerKind {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.connections(),
            Engine::Mysql(mysql) => mysql.connections(),
        }
    }

    /// Transactions of this process that wait for a connection.
    pub fn waiting(&self) -> PerKind {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.waiting(),
            Engine::Mysql(mysql) => mysql.waiting(),
        }
    }

    /// The folder that the database lives in, where it is a file.
    pub fn folder(&self) -> Option<&Path> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.path().parent(),
            Engine::Mysql(_) => None,
        }
    }

    /// Finishes what was begun, moves the log into the database file, and stops the threads. Later calls answer
    /// [`Error::Closed`].
    pub fn close(&self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close(),
            Engine::Mysql(mysql) => mysql.close(),
        }
    }
}

pub(crate) fn sqlite_path(url: &str) -> Result<PathBuf> {
    let path = match url.split_once(':') {
        Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
        Some((scheme, _)) if scheme.len() > 1 && !scheme.contains(['/', '.']) => {
            return Err(Error::Address(url.to_owned()));
        }
        _ => url,
    };
    if path.is_empty() { Err(Error::Address(url.to_owned())) } else { Ok(PathBuf::from(path)) }
}
