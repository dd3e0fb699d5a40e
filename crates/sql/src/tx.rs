use std::ops::{ControlFlow, Range};

use crate::engine::{Answer, Engine};
use crate::ids::{IdBlocks, Wanted};
use crate::lists::{any_between, for_each_piece};
use crate::{Dialect, Error, Result, Row, Value};

/// An open transaction: the one type that the ledger, the queue and the analytics share.
pub struct Tx<'c> {
    engine: &'c mut dyn Engine,
    ids: &'c IdBlocks,
    hooks: Hooks,
    taken_ids: Vec<(&'static str, Range<i64>)>,
    wanted_ids: Option<Wanted>,
    transient: bool,
    lost: bool,
    /// Whether a statement stopped after some of its rows.
    half_done: bool,
}

/// What is done once it is known how the commit went.
#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) committed: Vec<Hook>,
    /// For a commit of which nobody knows.
    pub(crate) uncertain: Vec<Hook>,
}

pub(crate) type Hook = Box<dyn FnOnce() + Send>;

/// Where rows go and what happens to those whose key is taken.
#[derive(Debug, Clone, Copy)]
pub struct Insert<'a> {
    /// The table.
    pub table: &'a str,
    /// The columns, in the order of the values.
    pub columns: &'a [&'a str],
    /// What to do with a row whose key exists.
    pub conflict: Conflict<'a>,
}

/// What an insert does with a row whose key exists.
#[derive(Debug, Clone, Copy)]
pub enum Conflict<'a> {
    /// Fails with [`Error::Duplicate`].
    Error,
    /// Leaves the row that is there.
    Ignore,
    /// Changes the row that is there.
    Update {
        /// The columns of the key that is met.
        key: &'a [&'a str],
        /// Assignments, such as `net = net + new.net`; `new.` names the row that was to be inserted.
        set: &'a [&'a str],
    },
}

/// Which rows change, each to values of its own.
#[derive(Debug, Clone, Copy)]
pub struct Update<'a> {
    /// The table.
    pub table: &'a str,
    /// The names of the values, in their order.
    pub columns: &'a [&'a str],
    /// The columns that a row must share with its values to be changed: those of the primary key, then any others.
    pub key: &'a [&'a str],
    /// What must also hold of a row as it is; empty where nothing must.
    pub only_if: &'a str,
    /// Assignments, such as `captured = captured + new.captured`; `new.` names the values. None may read a column that
    /// one before it assigns: engines differ in what is found there.
    pub set: &'a [&'a str],
}

impl<'c> Tx<'c> {
    pub(crate) fn new(engine: &'c mut dyn Engine, ids: &'c IdBlocks) -> Self {
        Tx {
            engine,
            ids,
            hooks: Hooks::default(),
            taken_ids: Vec::new(),
            wanted_ids: None,
            transient: false,
            lost: false,
            half_done: false,
        }
    }

    /// The engine's dialect.
    pub fn dialect(&self) -> Dialect {
        self.engine.dialect()
    }

    /// A number that moves with every connection that this process makes. What was committed in one era is still there for
    /// a transaction of the same one: behind a new connection there may be another server, which took over without it.
    pub fn era(&self) -> u64 {
        self.engine.era()
    }

    /// Runs a statement; returns how many rows it matched.
    pub fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.send_waiting()?;
        let done = self.engine.execute(sql, params);
        self.note(done)
    }

    /// All rows of a query.
    pub fn query<T>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.for_each(sql, params, |found| {
            all.push(row(found)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// The first row of a query, if there is one.
    pub fn query_opt<T>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        row: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.send_waiting()?;
        let (mut row, mut first) = (Some(row), None);
        let done = self.engine.for_each(sql, params, &mut |found| {
            first = row.take().map(|row| row(found)).transpose()?;
            Ok(ControlFlow::Break(()))
        });
        self.note(done)?;
        Ok(first)
    }

    /// The first row of a query; [`Error::Missing`] if there is none.
    pub fn query_one<T>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        row: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.query_opt(sql, params, row)?.ok_or(Error::Missing)
    }

    /// Streams the rows of a query.
    pub fn for_each(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.send_waiting()?;
        let done =
            self.engine.for_each(sql, params, &mut |found| row(found).map(|()| ControlFlow::Continue(())));
        self.note(done)
    }

    /// Inserts rows in sets. `values` is flat, row after row. On a server they go with the next statement, which then tells
    /// of their errors, or before the commit.
    pub fn insert_rows(&mut self, insert: &Insert<'_>, values: &[Value<'_>]) -> Result<()> {
        debug_assert_eq!(
            values.len() % insert.columns.len(),
            0,
            "values of {} do not fill whole rows",
            insert.table
        );
        if values.is_empty() {
            return Ok(());
        }
        self.check()?;
        let done = self.engine.insert(insert, values);
        self.half_done |= done.is_err();
        self.note(done)
    }

    /// Changes rows, each to values of its own. `values` is flat, row after row. No row may be changed twice: on a server
    /// all of them find the table as it was before. There they go with the next statement, as inserts do.
    pub fn update_rows(&mut self, update: &Update<'_>, values: &[Value<'_>]) -> Result<()> {
        self.update(update, values, Answer::Unasked).map(drop)
    }

    /// [`update_rows`](Self::update_rows), at once; returns how many matched.
    pub fn update_and_count_rows(&mut self, update: &Update<'_>, values: &[Value<'_>]) -> Result<u64> {
        self.update(update, values, Answer::Wanted)
    }

    fn update(&mut self, update: &Update<'_>, values: &[Value<'_>], answer: Answer) -> Result<u64> {
        debug_assert_eq!(
            values.len() % update.columns.len(),
            0,
            "values for {} do not fill whole rows",
            update.table
        );
        if values.is_empty() {
            return Ok(0);
        }
        self.check()?;
        let done = self.engine.update(update, values, answer);
        self.half_done |= done.is_err();
        self.note(done)
    }

    /// Deletes the rows whose `key` columns hold these values. `values` is flat, key after key. On a server they go with the
    /// next statement, as inserts do.
    pub fn delete_rows(&mut self, table: &str, key: &[&str], values: &[Value<'_>]) -> Result<()> {
        debug_assert_eq!(values.len() % key.len(), 0, "values for {table} do not fill whole keys");
        if values.is_empty() {
            return Ok(());
        }
        self.check()?;
        let done = self.engine.delete(table, key, values);
        self.half_done |= done.is_err();
        self.note(done)
    }

    /// Runs the same statement once for each `width` values; returns the rows matched in all. Where a set of rows is
    /// changed alike, [`update_rows`](Self::update_rows) and [`delete_rows`](Self::delete_rows) cost a server less.
    pub fn execute_each(&mut self, sql: &str, width: usize, values: &[Value<'_>]) -> Result<u64> {
        debug_assert_eq!(values.len() % width, 0, "values do not fill whole rows: {sql}");
        if values.is_empty() {
            return Ok(0);
        }
        self.check()?;
        let done = self.engine.execute_each(sql, width, values);
        self.half_done |= done.is_err();
        self.note(done)
    }

    /// Queries with a bound list: `{in}` in the text stands for `keys`. Long lists are run in pieces, whose results
    /// follow each other. Parameters: `before`, then the keys.
    pub fn query_in<T>(
        &mut self,
        sql: &str,
        before: &[Value<'_>],
        keys: &[Value<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        for_each_piece(self.dialect(), sql, before, keys, |sql, params| {
            self.for_each(sql, params, |found| {
                all.push(row(found)?);
                Ok(())
            })
        })?;
        Ok(all)
    }

    /// [`query_in`](Self::query_in) for keys of which most likely none is there, in their order and without repetition: a
    /// list that comes from elsewhere, such as the orders of a file, mostly lies where nothing is yet, which one look tells.
    pub fn query_unlikely_in<T>(
        &mut self,
        sql: &str,
        before: &[Value<'_>],
        keys: &[Value<'_>],
        row: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let [first, .., last] = keys else { return self.query_in(sql, before, keys, row) };
        let bounds = [before, &[first.clone(), last.clone()]].concat();
        match self.query_opt(&any_between(sql), &bounds, |row| row.get::<i64>(0))? {
            Some(_) => self.query_in(sql, before, keys, row),
            None => Ok(Vec::new()),
        }
    }

    /// Executes with a bound list: `{in}` in the text stands for `keys`, which must not repeat. Returns the rows
    /// matched in all.
    pub fn execute_in(&mut self, sql: &str, before: &[Value<'_>], keys: &[Value<'_>]) -> Result<u64> {
        let mut changed = 0;
        for_each_piece(self.dialect(), sql, before, keys, |sql, params| {
            changed += self.execute(sql, params)?;
            Ok(())
        })?;
        Ok(changed)
    }

    /// The next `n` ids of a sequence, from a block that this process has reserved.
    pub fn next_ids(&mut self, sequence: &'static str, n: u64) -> Result<Range<i64>> {
        loop {
            if let Some(ids) = self.ids.take(sequence, n) {
                self.taken_ids.push((sequence, ids.clone()));
                return Ok(ids);
            }
            let wanted = self.ids.want(sequence, n);
            let reserved = self.engine.reserve_ids(wanted);
            if matches!(reserved, Err(Error::IdsExhausted { .. })) {
                self.wanted_ids = Some(wanted);
            }
            self.note(reserved)?;
        }
    }

    /// Passes over the next `n` ids of every sequence, also of those named that are not begun, but not those that
    /// processes have reserved. Returns after which id each goes on.
    pub fn pass_over_ids(&mut self, named: &[&str], n: u64) -> Result<Vec<(String, i64)>> {
        let insert = Insert { table: "id_sequences", columns: &["name", "next"], conflict: Conflict::Ignore };
        let values: Vec<Value<'_>> = named.iter().flat_map(|name| [(*name).into(), Value::Int(1)]).collect();
        self.insert_rows(&insert, &values)?;
        self.execute("UPDATE id_sequences SET next = next + ?", &[n.cast_signed().into()])?;
        self.query("SELECT name, next - 1 FROM id_sequences ORDER BY name", &[], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    /// Runs `f` once the transaction is durable, before whoever asked for it hears so; never if it is rolled back.
    pub fn after_commit(&mut self, f: impl FnOnce() + Send + 'static) {
        self.hooks.committed.push(Box::new(f));
    }

    /// Runs `f` if the connection is lost at the commit, so that nobody knows whether it was kept
    /// ([`Error::Uncertain`]).
    pub fn if_uncertain(&mut self, f: impl FnOnce() + Send + 'static) {
        self.hooks.uncertain.push(Box::new(f));
    }

    pub(crate) fn take_hooks(&mut self) -> Hooks {
        std::mem::take(&mut self.hooks)
    }

    /// Gives back the ids of a transaction that is rolled back.
    pub(crate) fn give_back_ids(&mut self) {
        for (sequence, ids) in self.taken_ids.drain(..).rev() {
            self.ids.give_back(sequence, &ids);
        }
    }

    pub(crate) fn wanted_ids(&self) -> Option<Wanted> {
        self.wanted_ids
    }

    /// Whether a statement failed in a way that running the whole transaction again may mend.
    pub(crate) fn saw_transient(&self) -> bool {
        self.transient
    }

    /// Whether a statement found its connection lost, or at a server that takes no writes any more.
    pub(crate) fn saw_lost(&self) -> bool {
        self.lost
    }

    /// Whether some statement could write. A transaction that has written nothing leaves nothing to undo.
    pub(crate) fn wrote(&self) -> bool {
        self.engine.wrote()
    }

    /// Sends what waits to go with another statement.
    pub(crate) fn send_waiting(&mut self) -> Result<()> {
        self.check()?;
        let done = self.engine.send_waiting();
        self.half_done |= done.is_err();
        self.note(done)
    }

    /// Refuses to go on after an error that leaves nothing to be kept: where the server has undone the transaction, it
    /// would keep each statement that came by itself.
    fn check(&self) -> Result<()> {
        if self.transient || self.half_done { Err(Error::HalfDone) } else { Ok(()) }
    }

    fn note<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.transient |= error.asks_for_another_run(self.engine.dialect());
            self.lost |= matches!(error, Error::Lost { .. });
        }
        result
    }
}
