use std::ops::Range;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection};

use crate::ids::IdBlocks;
use crate::value::text;
use crate::{Dialect, Error, FromValue, Result, Value};

/// An open transaction: the one type that the ledger, the queue and the analytics share.
pub struct Tx<'c> {
    connection: &'c Connection,
    ids: &'c IdBlocks,
    after_commit: Vec<Box<dyn FnOnce() + Send>>,
    taken_ids: Vec<(&'static str, Range<i64>)>,
    wanted_ids: Option<(&'static str, u64)>,
    transient: bool,
    wrote: bool,
    half_done: bool,
}

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
    /// Leaves the row that is there; it is not counted.
    Ignore,
    /// Changes the row that is there.
    Update {
        /// The columns of the key that is met.
        key: &'a [&'a str],
        /// Assignments, such as `net = net + new.net`; `new.` names the row that was to be inserted.
        set: &'a [&'a str],
    },
}

/// A row of a result.
pub struct Row<'r> {
    row: &'r rusqlite::Row<'r>,
}

impl Row<'_> {
    /// The value at `column`, from 0.
    pub fn get<T: FromValue>(&self, column: usize) -> Result<T> {
        T::from_value(self.value(column)?, column)
    }

    /// The text at `column`, without a copy.
    pub fn text(&self, column: usize) -> Result<&str> {
        text(self.value(column)?, column)
    }

    fn value(&self, column: usize) -> Result<ValueRef<'_>> {
        self.row.get_ref(column).map_err(|error| Error::from_sqlite(&error, "reading a row"))
    }
}

/// Lengths that a bound list is padded to, so that few texts of a statement exist and stay prepared.
const LIST_LENGTHS: [usize; 4] = [1, 8, 64, 512];

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: &'c Connection, ids: &'c IdBlocks) -> Self {
        let (after_commit, taken_ids) = (Vec::new(), Vec::new());
        Tx {
            connection,
            ids,
            after_commit,
            taken_ids,
            wanted_ids: None,
            transient: false,
            wrote: false,
            half_done: false,
        }
    }

    /// The engine's dialect.
    pub fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    /// Runs a statement; returns how many rows it matched.
    pub fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let mut statement = self.prepare(sql)?;
        let done = bind(&mut statement, params).and_then(|()| statement.raw_execute());
        drop(statement);
        self.check(done, sql).map(|rows| rows as u64)
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
        let mut statement = self.prepare(sql)?;
        let bound = bind(&mut statement, params);
        if let Err(error) = bound {
            drop(statement);
            return Err(self.note(&error, sql));
        }
        let mut rows = statement.raw_query();
        match rows.next() {
            Ok(Some(found)) => row(&Row { row: found }).map(Some),
            Ok(None) => Ok(None),
            Err(error) => {
                drop(rows);
                drop(statement);
                Err(self.note(&error, sql))
            }
        }
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
        let mut statement = self.prepare(sql)?;
        let mut failed = bind(&mut statement, params).err();
        if failed.is_none() {
            let mut rows = statement.raw_query();
            loop {
                match rows.next() {
                    Ok(Some(found)) => row(&Row { row: found })?,
                    Ok(None) => break,
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
        }
        drop(statement);
        failed.map_or(Ok(()), |error| Err(self.note(&error, sql)))
    }

    /// Inserts rows in sets. `values` is flat, row after row. Returns how many rows were inserted or changed.
    pub fn insert_rows(&mut self, insert: &Insert<'_>, values: &[Value<'_>]) -> Result<u64> {
        let width = insert.columns.len();
        debug_assert_eq!(values.len() % width, 0, "values of {} do not fill whole rows", insert.table);
        let per_statement = self.dialect().rows_per_statement();
        let whole = values.len() / (width * per_statement) * (width * per_statement);
        let (whole, rest) = values.split_at(whole);
        let mut changed = 0;
        if !whole.is_empty() {
            let sql = self.dialect().insert(insert, per_statement);
            changed += self.execute_each(&sql, width * per_statement, whole)?;
        }
        if !rest.is_empty() {
            let sql = self.dialect().insert(insert, 1);
            changed += self.execute_each(&sql, width, rest)?;
        }
        Ok(changed)
    }

    /// Runs the same statement once for each `width` values; returns the rows matched in all.
    pub fn execute_each(&mut self, sql: &str, width: usize, values: &[Value<'_>]) -> Result<u64> {
        debug_assert_eq!(values.len() % width, 0, "values do not fill whole rows: {sql}");
        if values.is_empty() {
            return Ok(0);
        }
        let mut statement = self.prepare(sql)?;
        let mut changed = 0;
        let mut failed = None;
        for row in values.chunks_exact(width) {
            match bind(&mut statement, row).and_then(|()| statement.raw_execute()) {
                Ok(rows) => changed += rows as u64,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        drop(statement);
        self.half_done |= failed.is_some();
        failed.map_or(Ok(changed), |error| Err(self.note(&error, sql)))
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
        for_each_list(sql, before, keys, |sql, params| {
            self.for_each(sql, params, |found| {
                all.push(row(found)?);
                Ok(())
            })
        })?;
        Ok(all)
    }

    /// Executes with a bound list: `{in}` in the text stands for `keys`, which must not repeat. Returns the rows
    /// matched in all.
    pub fn execute_in(&mut self, sql: &str, before: &[Value<'_>], keys: &[Value<'_>]) -> Result<u64> {
        let mut changed = 0;
        for_each_list(sql, before, keys, |sql, params| {
            changed += self.execute(sql, params)?;
            Ok(())
        })?;
        Ok(changed)
    }

    /// The next `n` ids of a sequence, from a block that this process has reserved.
    pub fn next_ids(&mut self, sequence: &'static str, n: u64) -> Result<Range<i64>> {
        let Some(ids) = self.ids.take(sequence, n) else {
            self.wanted_ids = Some((sequence, n));
            return Err(Error::IdsExhausted { sequence });
        };
        self.taken_ids.push((sequence, ids.clone()));
        Ok(ids)
    }

    /// Runs `f` once the transaction is durable, before whoever asked for it hears so; never if it is rolled back.
    pub fn after_commit(&mut self, f: impl FnOnce() + Send + 'static) {
        self.after_commit.push(Box::new(f));
    }

    pub(crate) fn take_after_commit(&mut self) -> Vec<Box<dyn FnOnce() + Send>> {
        std::mem::take(&mut self.after_commit)
    }

    /// Gives back the ids of a transaction that is rolled back.
    pub(crate) fn give_back_ids(&mut self) {
        for (sequence, ids) in self.taken_ids.drain(..).rev() {
            self.ids.give_back(sequence, &ids);
        }
    }

    pub(crate) fn wanted_ids(&self) -> Option<(&'static str, u64)> {
        self.wanted_ids
    }

    /// Whether a statement failed in a way that running the whole transaction again may mend.
    pub(crate) fn saw_transient(&self) -> bool {
        self.transient
    }

    /// Whether some statement could write. A transaction that has written nothing leaves nothing to undo.
    pub(crate) fn wrote(&self) -> bool {
        self.wrote
    }

    /// Whether a statement stopped after some of its rows, so that nothing of this transaction may be kept.
    pub(crate) fn is_half_done(&self) -> bool {
        self.half_done
    }

    fn prepare(&mut self, sql: &str) -> Result<CachedStatement<'c>> {
        let prepared = self.connection.prepare_cached(sql);
        let statement = self.check(prepared, sql)?;
        self.wrote |= !statement.readonly();
        Ok(statement)
    }

    fn check<T>(&mut self, result: rusqlite::Result<T>, sql: &str) -> Result<T> {
        result.map_err(|error| self.note(&error, sql))
    }

    fn note(&mut self, error: &rusqlite::Error, sql: &str) -> Error {
        let error = Error::from_sqlite(error, sql);
        self.transient |= error.is_transient();
        error
    }
}

fn bind(statement: &mut CachedStatement<'_>, params: &[Value<'_>]) -> rusqlite::Result<()> {
    let expected = statement.parameter_count();
    if expected != params.len() {
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), expected));
    }
    for (index, value) in params.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, value)?;
    }
    Ok(())
}

/// Runs `run` for each piece of `keys` with the text and parameters that fit it.
fn for_each_list(
    sql: &str,
    before: &[Value<'_>],
    keys: &[Value<'_>],
    mut run: impl FnMut(&str, &[Value<'_>]) -> Result<()>,
) -> Result<()> {
    let longest = LIST_LENGTHS[LIST_LENGTHS.len() - 1];
    for piece in keys.chunks(longest) {
        let length = LIST_LENGTHS.into_iter().find(|length| *length >= piece.len()).unwrap_or(longest);
        let list = vec!["?"; length].join(",");
        let mut params = Vec::with_capacity(before.len() + length);
        params.extend_from_slice(before);
        params.extend_from_slice(piece);
        params.resize(before.len() + length, piece[piece.len() - 1].clone());
        run(&sql.replace("{in}", &list), &params)?;
    }
    Ok(())
}
