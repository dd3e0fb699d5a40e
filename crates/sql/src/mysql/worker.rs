use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use mysql::{Conn, Error as Fault};
use tokio::sync::watch;

use super::connect::Connector;
use super::fault;
use super::statements::Statements;
use crate::ids::{IdBlocks, Wanted};
use crate::measures::{self, Outcome};
use crate::work::{Queue, Unit, Verdict};
use crate::{Dialect, Error, Result, Tx};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Write,
    Read,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Write => "write",
            Kind::Read => "read",
        }
    }
}

/// A thread with a connection of its own, made when there is work, and made again when it is lost.
pub(super) struct Worker {
    pub(super) kind: Kind,
    pub(super) connector: Arc<Connector>,
    pub(super) queue: Arc<Queue>,
    pub(super) ids: Arc<IdBlocks>,
    pub(super) changed: Arc<watch::Sender<u64>>,
    pub(super) storage: watch::Sender<Option<Error>>,
    pub(super) dialect: Dialect,
    /// For how long a transaction is run again, and a server is looked for.
    pub(super) patience: Duration,
    pub(super) connection: Option<Conn>,
}

/// How one run of a transaction ended.
enum Run {
    /// It was committed; what is to be done then.
    Committed(Vec<Box<dyn FnOnce() + Send>>),
    /// Its function failed, for good.
    Failed,
    /// It needs ids, and runs again.
    Ids(Wanted),
    /// It gave way to another and runs again. What is to be told when it has been run often enough; nothing where its
    /// function has said so itself.
    Again(Option<Error>),
    /// It lost its connection before the commit, or its server takes no writes any more, and runs again on another
    /// connection. What is to be told when none is found in time.
    Elsewhere(Option<Error>),
    /// It cannot be run.
    Refused(Error),
}

/// How often a transaction is run again that does not wait for a server: one whose key is taken is told then.
const RUNS: u32 = 12;

impl Worker {
    pub(super) fn start(mut self) -> JoinHandle<()> {
        let name = match self.kind {
            Kind::Write => "sql-writer",
            Kind::Read => "sql-reader",
        };
        let run = move || {
            while let Some(unit) = self.queue.pop() {
                self.serve(unit);
            }
        };
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .expect("the system refuses to start a thread")
    }

    /// Runs a transaction until it is committed, fails for good, or has been run often enough.
    fn serve(&mut self, mut unit: Box<dyn Unit>) {
        let begun = Instant::now();
        let (mut runs, mut lost) = (0, 0);
        loop {
            match self.run(&mut *unit) {
                Run::Committed(hooks) => {
                    // Whoever hears of the commit finds done what hangs on it.
                    for hook in hooks {
                        hook();
                    }
                    self.tell();
                    measures::ended(self.kind.name(), Outcome::Committed, 1);
                    return unit.answer(None);
                }
                Run::Failed => {
                    measures::ended(self.kind.name(), Outcome::RolledBack, 1);
                    return unit.answer(None);
                }
                Run::Refused(error) => {
                    measures::ended(self.kind.name(), Outcome::RolledBack, 1);
                    return unit.answer(Some(error));
                }
                Run::Ids(wanted) => {
                    if let Err(error) = self.reserve_ids(wanted, begun) {
                        return unit.answer(Some(error));
                    }
                }
                Run::Again(error) => {
                    runs += 1;
                    measures::run_again(1);
                    if self.is_spent(begun) || (runs >= RUNS && error.is_none()) {
                        return unit.answer(error);
                    }
                    std::thread::sleep(pause(runs, false));
                }
                Run::Elsewhere(error) => {
                    lost += 1;
                    measures::run_again(1);
                    if self.is_spent(begun) {
                        return unit.answer(error);
                    }
                    std::thread::sleep(pause(lost, true));
                }
            }
        }
    }

    /// Whether what began then is not to be tried again.
    fn is_spent(&self, begun: Instant) -> bool {
        begun.elapsed() >= self.patience || self.queue.is_closed()
    }

    fn tell(&self) {
        if self.kind == Kind::Write {
            self.storage.send_if_modified(|failed| failed.take().is_some());
            self.changed.send_modify(|count| *count += 1);
        }
    }

    fn run(&mut self, unit: &mut dyn Unit) -> Run {
        if let Err(again) = self.begin() {
            return again;
        }
        let Some(mut connection) = self.connection.take() else { return Run::Elsewhere(None) };
        let mut statements = Statements::new(&mut connection, &self.connector, self.dialect);
        let mut tx = Tx::new(&mut statements, &self.ids);
        let verdict = unit.run(&mut tx);
        if verdict != Verdict::Commit {
            tx.give_back_ids();
        }
        let (hooks, wanted_ids, lost) = (tx.take_after_commit(), tx.wanted_ids(), tx.saw_lost());
        match verdict {
            Verdict::Commit => return self.commit(connection, unit, hooks),
            Verdict::Again if lost && wanted_ids.is_none() => {
                self.connector.look_elsewhere();
                return Run::Elsewhere(None);
            }
            _ => self.keep_after_rollback(connection),
        }
        match wanted_ids {
            _ if verdict != Verdict::Again => Run::Failed,
            Some(wanted) => Run::Ids(wanted),
            None => Run::Again(None),
        }
    }

    /// Opens a transaction, on a fresh connection where there is none or it has gone.
    fn begin(&mut self) -> std::result::Result<(), Run> {
        let begin = match self.kind {
            Kind::Write => "START TRANSACTION",
            Kind::Read => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        };
        let begun = match &mut self.connection {
            Some(connection) => connection.query_drop(begin).and_then(|()| match self.kind {
                Kind::Write => Ok(()),
                // After the snapshot was taken: it is one of a server that took writes then.
                Kind::Read => self.connector.still_takes_writes(connection),
            }),
            None => self.connector.connect(self.kind).and_then(|mut connection| {
                connection.query_drop(begin)?;
                self.connection = Some(connection);
                Ok(())
            }),
        };
        begun.map_err(|fault| {
            self.connection = None;
            let error = self.connector.error(&fault, begin);
            let passes = fault::breaks_connection(&fault);
            if passes { Run::Elsewhere(Some(error)) } else { Run::Refused(error) }
        })
    }

    fn commit(&mut self, mut connection: Conn, unit: &dyn Unit, hooks: Vec<Box<dyn FnOnce() + Send>>) -> Run {
        let ready = Instant::now();
        let committed = connection.query_drop("COMMIT");
        if self.kind == Kind::Write {
            measures::committed_within(ready.elapsed());
        }
        let Err(fault) = committed else {
            self.connection = Some(connection);
            return Run::Committed(hooks);
        };
        match &fault {
            // The server says that it was not kept.
            Fault::MySqlError(_) if !fault::leaves_a_commit_open(&fault) => {
                let error = self.connector.error(&fault, "COMMIT");
                self.told_of_storage(&error, unit);
                if fault::breaks_connection(&fault) {
                    self.connector.look_elsewhere();
                    return Run::Elsewhere(Some(error));
                }
                self.keep_after_rollback(connection);
                if error.is_transient() { Run::Again(Some(error)) } else { Run::Refused(error) }
            }
            // Nobody knows. A read has nothing to lose.
            _ if self.kind == Kind::Read => Run::Committed(hooks),
            _ => Run::Refused(Error::Uncertain { reason: fault.to_string() }),
        }
    }

    fn told_of_storage(&self, error: &Error, unit: &dyn Unit) {
        tracing::error!(%error, transaction = unit.name(), "a commit failed; its transaction is undone");
        if error.is_storage() {
            self.storage.send_replace(Some(error.again()));
        }
    }

    /// Undoes what was begun; a connection that cannot is given up, which undoes it too.
    fn keep_after_rollback(&mut self, mut connection: Conn) {
        self.connection = connection.query_drop("ROLLBACK").is_ok().then_some(connection);
    }

    fn reserve_ids(&mut self, wanted: Wanted, begun: Instant) -> Result<()> {
        let ids = Arc::clone(&self.ids);
        let Some(_turn) = ids.turn(wanted) else { return Ok(()) };
        let (sequence, size) = (wanted.sequence, ids.block_size(wanted));
        let mut runs = 0;
        loop {
            let error = match self.take_block(sequence, size.cast_signed()) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            runs += 1;
            if !error.is_transient() || self.is_spent(begun) {
                return Err(error);
            }
            std::thread::sleep(pause(runs, true));
        }
    }

    fn take_block(&mut self, sequence: &'static str, size: i64) -> Result<()> {
        if let Err(Run::Elsewhere(Some(error)) | Run::Refused(error)) = self.begin() {
            return Err(error);
        }
        let Some(mut connection) = self.connection.take() else { return Err(Error::Closed) };
        let reserve = |connection: &mut Conn| {
            connection.exec_drop(
                "INSERT INTO id_sequences (name, next) VALUES (?, 1 + ?) ON DUPLICATE KEY UPDATE next = next + ?",
                (sequence, size, size),
            )?;
            let next = "SELECT next FROM id_sequences WHERE name = ?";
            let end: Option<i64> = connection.exec_first(next, (sequence,))?;
            connection.query_drop("COMMIT")?;
            Ok::<_, Fault>(end)
        };
        match reserve(&mut connection) {
            Ok(Some(end)) => {
                self.connection = Some(connection);
                self.ids.put(sequence, end - size..end);
                Ok(())
            }
            Ok(None) => Err(Error::Missing),
            // Ids that were reserved all the same are never given out.
            Err(fault) => {
                let error = self.connector.error(&fault, "reserving ids");
                if !fault::breaks_connection(&fault) {
                    self.keep_after_rollback(connection);
                }
                Err(error)
            }
        }
    }
}

/// How long to wait before another run: longer each time, and never in step with others.
fn pause(runs: u32, for_a_server: bool) -> Duration {
    let (first, longest) = if for_a_server { (20, 500) } else { (2, 50) };
    let base = (first << runs.min(8)).min(longest);
    let jitter = RandomState::new().hash_one(runs) % (base / 2 + 1);
    Duration::from_millis(base / 2 + jitter)
}
