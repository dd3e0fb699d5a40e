use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::watch;

use crate::ids::{IdBlocks, Wanted};
use crate::measures::{self, Outcome};
use crate::sqlite::Statements;
use crate::sqlite::turn::Turn;
use crate::tx::Hook;
use crate::work::{Queue, Unit, Verdict};
use crate::{Error, Result, Tx};

/// How long transactions that wait together may share one commit. A long one commits alone.
const GROUP_TIME: Duration = Duration::from_millis(20);
const GROUP_SIZE: usize = 256;
/// How often a transaction is run again before its caller is told.
const RUNS: u32 = 8;

/// The thread that owns the writing connection.
pub(super) fn start(
    connection: Connection,
    turn: Turn,
    queue: Arc<Queue>,
    ids: Arc<IdBlocks>,
    storage: watch::Sender<Option<Error>>,
) -> JoinHandle<()> {
    let run = move || {
        let writer = Writer { connection, turn, queue, ids, storage };
        while let Some(first) = writer.queue.pop() {
            writer.run_group(first);
        }
        // Nobody waits for statistics.
        let optimized = writer.connection.busy_timeout(Duration::ZERO);
        let optimized = optimized.and_then(|()| writer.connection.execute_batch("PRAGMA optimize"));
        if let Err(error) = optimized {
            tracing::debug!(%error, "statistics were not refreshed on closing");
        }
    };
    std::thread::Builder::new()
        .name("sql-writer".to_owned())
        .spawn(run)
        .expect("the system refuses to start a thread")
}

struct Writer {
    connection: Connection,
    turn: Turn,
    queue: Arc<Queue>,
    ids: Arc<IdBlocks>,
    /// Why the last commit failed, where the disk was at fault.
    storage: watch::Sender<Option<Error>>,
}

/// A transaction that ran and waits for the commit.
struct Ran {
    unit: Box<dyn Unit>,
    after_commit: Vec<Hook>,
}

/// A transaction that must run again.
struct Again {
    unit: Box<dyn Unit>,
    wanted_ids: Option<Wanted>,
}

/// The transactions of one commit.
///
/// They run without savepoints, for which SQLite copies each page that it touches. Only when one fails that has
/// written, all of them run again, `guarded` by savepoints, so that what fails then is undone alone.
#[derive(Default)]
struct Group {
    ran: Vec<Ran>,
    failed: Vec<Box<dyn Unit>>,
    again: Vec<Again>,
    /// To be run before others are taken in.
    pending: VecDeque<Box<dyn Unit>>,
    guarded: bool,
}

impl Writer {
    /// Runs one transaction and those that wait behind it under one commit; then those that must run again, alone.
    fn run_group(&self, first: Box<dyn Unit>) {
        let mut again = self.commit_group(first, true);
        let mut runs = 1;
        while let Some(Again { unit, wanted_ids }) = again.pop() {
            let reserved = wanted_ids.map_or(Ok(()), |wanted| self.reserve_ids(wanted));
            runs += u32::from(wanted_ids.is_none());
            match reserved {
                Err(error) => unit.answer(Some(error)),
                Ok(()) if runs > RUNS => unit.answer(None),
                Ok(()) => again.extend(self.commit_group(unit, false)),
            }
        }
    }

    fn commit_group(&self, first: Box<dyn Unit>, with_others: bool) -> Vec<Again> {
        let _turn = match self.turn.take() {
            Ok(held) => held,
            Err(error) => {
                first.answer(Some(error));
                return Vec::new();
            }
        };
        let asked = Instant::now();
        if let Err(error) = self.batch("BEGIN IMMEDIATE") {
            first.answer(Some(error.waited(asked.elapsed())));
            return Vec::new();
        }
        let started = Instant::now();
        let mut group = Group::default();
        let mut next = Some(first);
        while let Some(unit) = next.take() {
            if let Err(error) = self.run_unit(unit, &mut group) {
                self.give_up(group, &error);
                return Vec::new();
            }
            next = group.pending.pop_front();
            if next.is_none() && with_others && group.ran.len() < GROUP_SIZE && started.elapsed() < GROUP_TIME
            {
                next = self.queue.try_pop();
            }
        }
        self.finish_group(group.ran, started);
        measures::ended("write", Outcome::RolledBack, group.failed.len());
        measures::run_again(group.again.iter().filter(|again| again.wanted_ids.is_none()).count());
        for unit in group.failed {
            unit.answer(None);
        }
        group.again
    }

    /// Runs a transaction as one of a group. An error means that the group cannot go on.
    fn run_unit(&self, mut unit: Box<dyn Unit>, group: &mut Group) -> Result<()> {
        let guard = group.guarded && !group.ran.is_empty();
        let mut statements = Statements::new(&self.connection);
        let mut tx = Tx::new(&mut statements, &self.ids);
        let guarded = if guard { self.batch("SAVEPOINT unit") } else { Ok(()) };
        let verdict = if guarded.is_ok() { unit.run(&mut tx) } else { Verdict::Rollback };
        let ended = guarded.and_then(|()| match verdict {
            Verdict::Commit if guard => self.batch("RELEASE unit"),
            Verdict::Commit => Ok(()),
            _ if guard => self.batch("ROLLBACK TO unit; RELEASE unit"),
            _ if tx.wrote() => self.begin_anew(),
            _ => Ok(()),
        });
        if verdict != Verdict::Commit {
            tx.give_back_ids();
        }
        let (after_commit, wanted_ids) = (tx.take_hooks().committed, tx.wanted_ids());
        match verdict {
            _ if ended.is_err() => group.pending.push_front(unit),
            Verdict::Commit => group.ran.push(Ran { unit, after_commit }),
            _ if !guard && tx.wrote() && !group.ran.is_empty() => {
                // The others were undone with it.
                group.guarded = true;
                group.pending.extend(group.ran.drain(..).map(|ran| ran.unit));
                group.pending.push_back(unit);
            }
            Verdict::Rollback => group.failed.push(unit),
            Verdict::Again => group.again.push(Again { unit, wanted_ids }),
        }
        ended
    }

    /// Undoes everything since `BEGIN`. After some errors SQLite has done so already.
    fn begin_anew(&self) -> Result<()> {
        if !self.connection.is_autocommit() {
            self.batch("ROLLBACK")?;
        }
        self.batch("BEGIN IMMEDIATE")
    }

    /// Undoes a group and tells everybody in it why.
    fn give_up(&self, group: Group, error: &Error) {
        tracing::error!(%error, "a group of transactions could not be ended; it is undone");
        if !self.connection.is_autocommit() {
            let _ = self.batch("ROLLBACK");
        }
        let units = group.ran.into_iter().map(|ran| ran.unit);
        let units = units
            .chain(group.pending)
            .chain(group.failed)
            .chain(group.again.into_iter().map(|again| again.unit));
        for unit in units {
            unit.answer(Some(error.again()));
        }
    }

    fn finish_group(&self, ran: Vec<Ran>, started: Instant) {
        let names = || ran.iter().map(|done| done.unit.name()).collect::<Vec<_>>();
        let ready = Instant::now();
        let committed = self.batch("COMMIT");
        measures::committed_within(ready.elapsed());
        let took = started.elapsed();
        if took > Duration::from_millis(200) {
            tracing::debug!(took_ms = took.as_millis(), transactions = ?names(), "a slow write transaction");
        }
        if let Err(error) = committed {
            self.tell_of_failure(&error, &names());
            let _ = self.batch("ROLLBACK");
            measures::ended("write", Outcome::RolledBack, ran.len());
            for done in ran {
                done.unit.answer(Some(error.again()));
            }
            return;
        }
        self.storage.send_if_modified(|failed| failed.take().is_some());
        measures::ended("write", Outcome::Committed, ran.len());
        for done in ran {
            done.after_commit.into_iter().for_each(|hook| hook());
            done.unit.answer(None);
        }
    }

    /// A disk that is full fails every commit; the first one is news.
    fn tell_of_failure(&self, error: &Error, transactions: &[&str]) {
        let is_known = self.storage.borrow().is_some();
        if is_known && error.is_storage() {
            tracing::debug!(%error, ?transactions, "a commit failed again; its transactions are undone");
        } else {
            tracing::error!(%error, ?transactions, "a commit failed; its transactions are undone");
        }
        if error.is_storage() {
            self.storage.send_replace(Some(error.again()));
        }
    }

    fn reserve_ids(&self, wanted: Wanted) -> Result<()> {
        if !self.ids.still_lacks(wanted) {
            return Ok(());
        }
        let (sequence, size) = (wanted.sequence, self.ids.block_size(wanted));
        let _turn = self.turn.take()?;
        let asked = Instant::now();
        self.batch("BEGIN IMMEDIATE").map_err(|error| error.waited(asked.elapsed()))?;
        let reserve = |sql: &str| self.connection.execute(sql, (sequence, size.cast_signed()));
        let reserved = reserve(
            "INSERT INTO id_sequences (name, next) VALUES (?1, 1 + ?2) \
             ON CONFLICT (name) DO UPDATE SET next = next + ?2",
        )
        .and_then(|_| {
            let sql = "SELECT next FROM id_sequences WHERE name = ?";
            self.connection.query_row(sql, [sequence], |row| row.get::<_, i64>(0))
        });
        let end = match reserved {
            Ok(end) => end,
            Err(error) => {
                let _ = self.batch("ROLLBACK");
                return Err(Error::from_sqlite(&error, "reserving ids"));
            }
        };
        self.batch("COMMIT")?;
        self.ids.put(sequence, end - size.cast_signed()..end);
        Ok(())
    }

    fn batch(&self, sql: &str) -> Result<()> {
        for statement in sql.split("; ").filter(|statement| !statement.is_empty()) {
            self.connection
                .prepare_cached(statement)
                .and_then(|mut statement| statement.execute([]).map(|_| ()))
                .map_err(|error| Error::from_sqlite(&error, statement))?;
        }
        Ok(())
    }
}
