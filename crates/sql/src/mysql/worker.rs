use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use mysql::{Conn, Error as Fault};
use tokio::sync::watch;

use super::connect::{Connector, Rest};
use super::fault;
use super::reserving::Reserver;
use super::statements::Statements;
use crate::ids::IdBlocks;
use crate::measures::{self, Outcome};
use crate::tx::{Hook, Hooks};
use crate::work::{Next, Queue, Unit, Verdict};
use crate::{Dialect, Error, Tx};

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
    pub(super) reserver: Arc<Reserver>,
    pub(super) changed: Arc<watch::Sender<u64>>,
    pub(super) storage: watch::Sender<Option<Error>>,
    pub(super) dialect: Dialect,
    /// For how long a transaction is run again, and a server is looked for.
    pub(super) patience: Duration,
    pub(super) connection: Rest,
}

/// How one run of a transaction ended.
enum Run {
    /// It was committed; what is to be done then.
    Committed(Vec<Hook>),
    /// Its function failed, for good.
    Failed,
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
            loop {
                match self.queue.pop_within(self.connector.sign_of_life()) {
                    Next::Unit(unit) => self.serve(unit),
                    Next::Nothing => self.connection.stir(),
                    Next::Closed => return,
                }
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
                    // One that lost its connection on the way runs once more, however long this process was stopped. Who
                    // asked while no server was there has waited since then, not since its turn came.
                    let runs_once_more = lost == 1 && error.is_none();
                    if !runs_once_more && self.is_spent(unit.asked_at()) {
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
        let mut connection = match self.begin() {
            Ok(connection) => connection,
            Err(again) => return again,
        };
        let mut statements = Statements::new(&mut connection, &self.connector, &self.reserver, self.dialect);
        let mut tx = Tx::new(&mut statements, &self.ids);
        let verdict = unit.run(&mut tx);
        if verdict != Verdict::Commit {
            tx.give_back_ids();
        }
        let (hooks, lost, has_begun) = (tx.take_hooks(), tx.saw_lost(), tx.wrote());
        match verdict {
            Verdict::Commit if has_begun => self.commit(connection, unit, hooks),
            Verdict::Commit => {
                self.connection.put(connection);
                Run::Committed(hooks.committed)
            }
            Verdict::Again if lost => {
                self.connector.look_elsewhere();
                Run::Elsewhere(None)
            }
            Verdict::Again | Verdict::Rollback => {
                self.keep_after_rollback(connection);
                if verdict == Verdict::Again { Run::Again(None) } else { Run::Failed }
            }
        }
    }

    /// Makes a connection where there is none or it has gone. The transaction is opened by its first statement, which spares
    /// the way to the server.
    fn begin(&mut self) -> std::result::Result<Conn, Run> {
        let begun = match self.connection.take() {
            Some(mut connection) if self.kind == Kind::Read => {
                self.connector.begin_read(&mut connection).map(|()| connection)
            }
            Some(connection) => Ok(connection),
            None => self.connector.connect(self.kind),
        };
        begun.map_err(|fault| {
            let error = self.connector.error(&fault, "beginning a transaction");
            let passes = fault::breaks_connection(&fault);
            if passes { Run::Elsewhere(Some(error)) } else { Run::Refused(error) }
        })
    }

    fn commit(&mut self, mut connection: Conn, unit: &dyn Unit, hooks: Hooks) -> Run {
        let ready = Instant::now();
        let committed = connection.query_drop("COMMIT");
        if self.kind == Kind::Write {
            measures::committed_within(ready.elapsed());
        }
        let Err(fault) = committed else {
            self.connection.put(connection);
            return Run::Committed(hooks.committed);
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
            _ if self.kind == Kind::Read => Run::Committed(hooks.committed),
            _ => {
                for hook in hooks.uncertain {
                    hook();
                }
                Run::Refused(Error::Uncertain { reason: fault.to_string() })
            }
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
        if connection.query_drop("ROLLBACK").is_ok() {
            self.connection.put(connection);
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
