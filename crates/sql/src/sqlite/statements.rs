use std::ops::ControlFlow;

use rusqlite::{CachedStatement, Connection};

use crate::dialect::replace_new;
use crate::engine::{Answer, Engine};
use crate::row::Row;
use crate::tx::{Insert, Update};
use crate::value::ValueRef;
use crate::{Dialect, Error, Result, Value};

/// Statements on a connection: prepared once, and kept.
pub(crate) struct Statements<'c> {
    connection: &'c Connection,
    wrote: bool,
}

impl<'c> Statements<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Statements { connection, wrote: false }
    }

    fn prepare(&mut self, sql: &str) -> Result<CachedStatement<'c>> {
        let statement =
            self.connection.prepare_cached(sql).map_err(|error| Error::from_sqlite(&error, sql))?;
        self.wrote |= !statement.readonly();
        Ok(statement)
    }
}

impl Engine for Statements<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn wrote(&self) -> bool {
        self.wrote
    }

    fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let mut statement = self.prepare(sql)?;
        let done = bind(&mut statement, params).and_then(|()| statement.raw_execute());
        done.map(|rows| rows as u64).map_err(|error| Error::from_sqlite(&error, sql))
    }

    fn execute_each(&mut self, sql: &str, width: usize, values: &[Value<'_>]) -> Result<u64> {
        let mut statement = self.prepare(sql)?;
        let mut changed = 0;
        for row in values.chunks_exact(width) {
            let rows = bind(&mut statement, row).and_then(|()| statement.raw_execute());
            changed += rows.map_err(|error| Error::from_sqlite(&error, sql))? as u64;
        }
        Ok(changed)
    }

    fn insert(&mut self, insert: &Insert<'_>, values: &[Value<'_>]) -> Result<()> {
        let width = insert.columns.len();
        let whole = values.len() / (width * ROWS_PER_STATEMENT) * (width * ROWS_PER_STATEMENT);
        let (whole, rest) = values.split_at(whole);
        for (values, rows) in [(whole, ROWS_PER_STATEMENT), (rest, 1)] {
            if !values.is_empty() {
                self.execute_each(&self.dialect().insert(insert, rows), width * rows, values)?;
            }
        }
        Ok(())
    }

    fn update(&mut self, update: &Update<'_>, values: &[Value<'_>], _: Answer) -> Result<u64> {
        let Update { table, columns, key, only_if, set } = update;
        let number =
            |name: &str| columns.iter().position(|column| *column == name).map_or(0, |index| index + 1);
        let set = replace_new(&set.join(", "), |column| format!("?{}", number(column)));
        let mut key: Vec<String> =
            key.iter().map(|column| format!("{column} = ?{}", number(column))).collect();
        key.extend((!only_if.is_empty()).then(|| (*only_if).to_owned()));
        let sql = format!("UPDATE {table} SET {set} WHERE {}", key.join(" AND "));
        self.execute_each(&sql, columns.len(), values)
    }

    fn delete(&mut self, table: &str, key: &[&str], values: &[Value<'_>]) -> Result<()> {
        let condition: Vec<String> = key.iter().map(|column| format!("{column} = ?")).collect();
        let sql = format!("DELETE FROM {table} WHERE {}", condition.join(" AND "));
        self.execute_each(&sql, key.len(), values).map(drop)
    }

    fn for_each(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        row: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let failed = |error: rusqlite::Error| Error::from_sqlite(&error, sql);
        let mut statement = self.prepare(sql)?;
        bind(&mut statement, params).map_err(failed)?;
        let mut rows = statement.raw_query();
        while let Some(found) = rows.next().map_err(failed)? {
            if row(&Row::of_sqlite(found))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Rows a multi-row statement carries: enough to spread its cost, few enough that its text stays small.
const ROWS_PER_STATEMENT: usize = 32;

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

/// The value at `column` of a row.
pub(crate) fn value<'r>(row: &'r rusqlite::Row<'_>, column: usize) -> Result<ValueRef<'r>> {
    use rusqlite::types::ValueRef as Found;
    let found = row.get_ref(column).map_err(|error| Error::from_sqlite(&error, "reading a row"))?;
    Ok(match found {
        Found::Null => ValueRef::Null,
        Found::Integer(value) => ValueRef::Int(value),
        Found::Real(value) => ValueRef::Real(value),
        Found::Text(value) => ValueRef::Text(value),
        Found::Blob(value) => ValueRef::Blob(value),
    })
}
