use crate::value::{ValueRef, text};
use crate::{FromValue, Result, mysql, sqlite};

/// A row of a result.
pub struct Row<'r>(Source<'r>);

enum Source<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Mysql(&'r ::mysql::Row),
}

impl<'r> Row<'r> {
    pub(crate) fn of_sqlite(row: &'r rusqlite::Row<'r>) -> Self {
        Row(Source::Sqlite(row))
    }

    pub(crate) fn of_mysql(row: &'r ::mysql::Row) -> Self {
        Row(Source::Mysql(row))
    }

    /// The value at `column`, from 0.
    pub fn get<T: FromValue>(&self, column: usize) -> Result<T> {
        T::from_value(self.value(column)?, column)
    }

    /// The text at `column`, without a copy.
    pub fn text(&self, column: usize) -> Result<&str> {
        text(self.value(column)?, column)
    }

    fn value(&self, column: usize) -> Result<ValueRef<'_>> {
        match self.0 {
            Source::Sqlite(row) => sqlite::value(row, column),
            Source::Mysql(row) => mysql::value(row, column),
        }
    }
}
