use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::migrate::OWN;
use crate::sqlite::Sqlite;
use crate::{Dialect, Error, Migrations, Result, Tx};

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A path, or `sqlite:PATH`.
    pub url: String,
    /// When a commit counts as durable.
    pub synchronous: Synchronous,
    /// Connections that read, each on a thread of its own.
    pub readers: usize,
    /// How long to wait for another process's lock before saying so.
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
            lock_timeout: Duration::from_secs(30),
        }
    }
}

/// A database: a cheap handle to its pool of threads.
#[derive(Clone, Debug)]
pub struct Database {
    engine: Sqlite,
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

impl Database {
    /// Opens the database, creating it where it is not there.
    pub fn open(settings: &Settings) -> Result<Self> {
        let path = sqlite_path(&settings.url)?;
        Ok(Database { engine: Sqlite::open(&path, settings)? })
    }

    /// The engine's dialect.
    pub fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    /// Applies the missing steps of each history, one process at a time. Returns the names of the steps applied.
    pub async fn migrate(
        &self,
        histories: &'static [&'static Migrations],
        now: Timestamp,
    ) -> Result<Vec<String>> {
        self.write("migrate", move |tx| {
            let mut applied = OWN.apply(tx, now)?;
            for history in histories {
                applied.extend(history.apply(tx, now)?);
            }
            Ok(applied)
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
        self.engine.write(name, f).await.unwrap_or_else(|_| Err(Error::Closed.into()))
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
        self.engine.read(name, f).await.unwrap_or_else(|_| Err(Error::Closed.into()))
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
        self.engine.write(name, f).blocking_recv().unwrap_or_else(|_| Err(Error::Closed.into()))
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
        self.engine.read(name, f).blocking_recv().unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// A counter that moves, within 25 ms, whenever some process commits a write, this one included.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.engine.changes()
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
        self.engine.storage_failed().await
    }

    /// What a status page shows.
    pub fn info(&self) -> DatabaseInfo {
        self.engine.info()
    }

    /// The folder that the database lives in, where it is a file.
    pub fn folder(&self) -> Option<&Path> {
        self.engine.path().parent()
    }

    /// Finishes what was begun, moves the log into the database file, and stops the threads. Later calls answer
    /// [`Error::Closed`].
    pub fn close(&self) {
        self.engine.close();
    }
}

fn sqlite_path(url: &str) -> Result<PathBuf> {
    let path = match url.split_once(':') {
        Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
        Some((scheme, _)) if scheme.len() > 1 && !scheme.contains(['/', '.']) => {
            return Err(Error::Address(url.to_owned()));
        }
        _ => url,
    };
    if path.is_empty() { Err(Error::Address(url.to_owned())) } else { Ok(PathBuf::from(path)) }
}
