use std::path::PathBuf;
use std::time::Duration;

use crate::Dialect;

/// What a database call can answer besides its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A query that must find a row found none.
    #[error("the row that was asked for is not there")]
    Missing,
    /// A row with the same key exists already.
    #[error("a row with the same key exists already ({constraint})")]
    Duplicate {
        /// The engine's name for the key.
        constraint: String,
    },
    /// The schema refuses the values: a CHECK, NOT NULL or foreign key.
    #[error("the database refused the values ({constraint})")]
    Check {
        /// The engine's name for the rule.
        constraint: String,
    },
    /// Somebody else holds the database or a row for longer than we wait.
    #[error(
        "the database stayed locked for {waited_secs} s; another process holds it (is a backup or a shell open on it?)"
    )]
    Busy {
        /// How long we waited, in seconds.
        waited_secs: u64,
    },
    /// Transactions held each other up, and this one was chosen to give way, again and again.
    #[error(
        "other transactions kept getting in the way of this one ({reason}); nothing of it was kept, repeat it"
    )]
    Deadlock {
        /// What the engine said.
        reason: String,
    },
    /// The connection was lost before anything was committed, or no server that takes writes could be reached.
    #[error(
        "the database server {target} cannot be reached ({reason}); nothing of this step was kept, repeat it"
    )]
    Lost {
        /// The server.
        target: String,
        /// What happened.
        reason: String,
    },
    /// The connection was lost while a transaction was being committed.
    #[error(
        "the connection to the database was lost while a step was being committed ({reason}); it may or may not have \
         been kept: look before you repeat it, or repeat it under the same key"
    )]
    Uncertain {
        /// What happened.
        reason: String,
    },
    /// The disk, or the database's own limit, is full.
    #[error(
        "the disk that holds the database is full; nothing of this step was kept, free some space and repeat it"
    )]
    Full,
    /// The disk that holds the database cannot be read or written.
    #[error(
        "the disk that holds the database fails ({reason}); nothing of this step was kept: see whether it is full or \
         broken, then repeat it"
    )]
    Storage {
        /// What the engine said.
        reason: String,
    },
    /// The database's file is not what it should be.
    #[error("the database is damaged ({reason}); put a backup in its place, or name another database")]
    Damaged {
        /// What the engine said.
        reason: String,
    },
    /// The database cannot be reached or opened.
    #[error("cannot open the database {target}: {reason}")]
    Unavailable {
        /// The file or the server.
        target: String,
        /// What the engine said.
        reason: String,
    },
    /// The address names no engine that we know.
    #[error("`{0}` is not a database address; use a path, `sqlite:PATH` or `mysql://USER@HOST/NAME`")]
    Address(String),
    /// What was asked for can be done to files only.
    #[error("the database is a server's; it is backed up and put back with the server's own tools")]
    OnServer,
    /// A file is where one is to be made.
    #[error("there is a file {0} already")]
    Exists(PathBuf),
    /// The file system refused something.
    #[error("{action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A column did not hold what the code expects there.
    #[error("column {column} holds {found}, expected {expected}")]
    Column {
        /// Its position in the row, from 0.
        column: usize,
        /// What it should hold.
        expected: &'static str,
        /// What it holds.
        found: String,
    },
    /// The schema is not the one that this program knows.
    #[error("{0}")]
    Schema(String),
    /// A block of ids is used up; the transaction is run again with a larger one. Never seen by callers.
    #[error("no ids left in the block of `{sequence}`")]
    IdsExhausted {
        /// Which sequence.
        sequence: &'static str,
    },
    /// A statement failed, the transaction's function passed over it, and went on.
    #[error("a statement failed before in a way that leaves nothing of this transaction to be kept")]
    HalfDone,
    /// The transaction's function panicked; it was rolled back.
    #[error("a transaction stopped with a defect in the program: {0}")]
    Panicked(String),
    /// The database was closed while the call waited.
    #[error("the database is closed")]
    Closed,
    /// Anything else that the engine answered.
    #[error("{message} (while running: {statement})")]
    Statement {
        /// What the engine said.
        message: String,
        /// The start of the statement.
        statement: String,
    },
}

/// The result of a database call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether running the whole transaction again may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::Busy { .. } | Error::Deadlock { .. } | Error::Lost { .. })
    }

    /// Whether the transaction that met it is to be run again here. Where several write at once, a key that is taken
    /// may have been taken by a neighbour in this very moment: the next run finds the row and goes another way.
    pub(crate) fn asks_for_another_run(&self, dialect: Dialect) -> bool {
        let raced = matches!(self, Error::Duplicate { .. }) && matches!(dialect, Dialect::Mysql(_));
        self.is_transient() || raced
    }

    pub(crate) fn from_sqlite(error: &rusqlite::Error, statement: &str) -> Self {
        use rusqlite::ErrorCode as Code;
        use rusqlite::ffi;
        let message = error.to_string();
        let Some(cause) = error.sqlite_error() else { return Self::statement(message, statement) };
        match (cause.code, cause.extended_code) {
            (
                Code::ConstraintViolation,
                ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_ROWID,
            ) => Self::Duplicate { constraint: message },
            (Code::ConstraintViolation, _) => Self::Check { constraint: message },
            (Code::DatabaseBusy | Code::DatabaseLocked, _) => Self::Busy { waited_secs: 0 },
            (Code::DiskFull, _) => Self::Full,
            (Code::SystemIoFailure, _) => Self::Storage { reason: message },
            (Code::DatabaseCorrupt | Code::NotADatabase, _) => Self::Damaged { reason: message },
            _ => Self::statement(message, statement),
        }
    }

    /// Whether the disk is at fault: whatever is written next will most likely fail too.
    pub fn is_storage(&self) -> bool {
        matches!(self, Error::Full | Error::Storage { .. })
    }

    /// The same for another caller, of an error that a commit met.
    pub(crate) fn again(&self) -> Self {
        match self {
            Error::Full => Error::Full,
            Error::Busy { waited_secs } => Error::Busy { waited_secs: *waited_secs },
            Error::Deadlock { reason } => Error::Deadlock { reason: reason.clone() },
            Error::Lost { target, reason } => Error::Lost { target: target.clone(), reason: reason.clone() },
            Error::Storage { reason } => Error::Storage { reason: reason.clone() },
            Error::Damaged { reason } => Error::Damaged { reason: reason.clone() },
            Error::Statement { message, statement } => Self::statement(message.clone(), statement),
            other => Self::statement(other.to_string(), "COMMIT"),
        }
    }

    /// With the time that a lock was waited for.
    pub(crate) fn waited(self, time: Duration) -> Self {
        match self {
            Error::Busy { .. } => Error::Busy { waited_secs: time.as_secs() },
            other => other,
        }
    }

    pub(crate) fn statement(message: String, statement: &str) -> Self {
        Self::Statement { message, statement: statement.chars().take(160).collect() }
    }
}
