//! A database read past the program: an outside check, the same on every engine.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use mysql::prelude::Queryable as _;
use mysql::{Conn, Value};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::mysql::connect;

/// A connection that only reads.
pub struct Look(Engine);

enum Engine {
    Sqlite(Connection),
    Mysql(Box<Conn>),
}

/// What a row has in a column. Sums, which MySQL gives as decimals, are numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
}

impl Look {
    /// Looks into a database file.
    pub fn into_file(path: &Path) -> Self {
        let database = Connection::open(path).expect("the database opens");
        database.busy_timeout(Duration::from_secs(30)).expect("a busy timeout");
        database.pragma_update(None, "query_only", true).expect("a connection that only reads");
        Look(Engine::Sqlite(database))
    }

    /// Looks into a database of a server.
    pub fn into_server(url: &str) -> Self {
        let mut connection = connect(url).unwrap_or_else(|error| panic!("cannot look into {url}: {error}"));
        connection.query_drop("SET SESSION TRANSACTION READ ONLY").expect("a connection that only reads");
        Look(Engine::Mysql(Box::new(connection)))
    }

    /// The rows that a query finds.
    pub fn rows(&mut self, sql: &str) -> Vec<Vec<Cell>> {
        self.find(sql).unwrap_or_else(|error| panic!("{error} (in: {sql})"))
    }

    /// The whole numbers that a query finds, row by row.
    pub fn numbers<const N: usize>(&mut self, sql: &str) -> Vec<[i64; N]> {
        let number =
            |cell: &Cell| cell.number().unwrap_or_else(|| panic!("{cell:?} is no number (in: {sql})"));
        let row = |row: Vec<Cell>| {
            let row: Vec<i64> = row.iter().map(number).collect();
            row.try_into().unwrap_or_else(|row| panic!("{row:?} are not {N} numbers (in: {sql})"))
        };
        self.rows(sql).into_iter().map(row).collect()
    }

    /// One number; 0 where it is null, or its tables are not there yet.
    pub fn count(&mut self, sql: &str) -> i64 {
        match self.find(sql) {
            Ok(rows) => rows.first().and_then(|row| row[0].number()).unwrap_or(0),
            Err(error) if error.contains("no such table") || error.contains("doesn't exist") => 0,
            Err(error) => panic!("{error} (in: {sql})"),
        }
    }

    /// The names of its tables.
    pub fn tables(&mut self) -> Vec<String> {
        self.names(match self.0 {
            Engine::Sqlite(_) => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
            }
            Engine::Mysql(_) => {
                "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name"
            }
        })
    }

    /// How many rows a table has, and sums over each of its columns that change when they do.
    pub fn checksum(&mut self, table: &str) -> String {
        let columns = self.names(&match self.0 {
            Engine::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}')"),
            Engine::Mysql(_) => format!(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() \
                 AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        });
        let sums = columns.iter().map(|column| {
            format!(
                "COALESCE(SUM(LENGTH({column})), 0), COALESCE(SUM(CAST({column} AS SIGNED) % 1000003), 0)"
            )
        });
        let sums = sums.collect::<Vec<_>>().join(", ");
        let found = self.rows(&format!("SELECT COUNT(*), {sums} FROM {table}"));
        let cells = found[0].iter().map(Cell::to_string).collect::<Vec<_>>();
        format!("{table} {} rows {}", cells[0], cells[1..].join(" "))
    }

    /// Whether nobody is in the middle of writing, as far as the engine tells; SQLite does not.
    pub fn nobody_writes(&mut self) -> bool {
        match self.0 {
            Engine::Sqlite(_) => true,
            Engine::Mysql(_) => {
                let open = "SELECT COUNT(*) FROM information_schema.innodb_trx t \
                    JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
                    WHERE p.db = DATABASE() AND t.trx_rows_locked + t.trx_rows_modified > 0";
                self.count(open) == 0
            }
        }
    }

    fn names(&mut self, sql: &str) -> Vec<String> {
        self.rows(sql).into_iter().map(|row| row[0].to_string()).collect()
    }

    fn find(&mut self, sql: &str) -> Result<Vec<Vec<Cell>>, String> {
        match &mut self.0 {
            Engine::Sqlite(database) => in_file(database, sql).map_err(|error| error.to_string()),
            Engine::Mysql(connection) => {
                let rows = connection.query::<mysql::Row, _>(sql).map_err(|error| error.to_string())?;
                Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(Cell::from).collect()).collect())
            }
        }
    }
}

fn in_file(database: &Connection, sql: &str) -> rusqlite::Result<Vec<Vec<Cell>>> {
    let mut statement = database.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| (0..columns).map(|column| row.get_ref(column).map(Cell::from)).collect())?;
    rows.collect()
}

impl Cell {
    /// The number, also of a text that is one.
    pub fn number(&self) -> Option<i64> {
        match self {
            Cell::Number(number) => Some(*number),
            Cell::Text(text) => text.parse().ok(),
            Cell::Null | Cell::Bytes(_) => None,
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => write!(f, "NULL"),
            Cell::Number(number) => write!(f, "{number}"),
            Cell::Text(text) => write!(f, "{text}"),
            Cell::Bytes(bytes) => write!(f, "{bytes:?}"),
        }
    }
}

impl From<Vec<u8>> for Cell {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Cell::Bytes(error.into_bytes()), Cell::Text)
    }
}

impl From<ValueRef<'_>> for Cell {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Number(number),
            ValueRef::Real(number) => Cell::Text(number.to_string()),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec().into(),
        }
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::NULL => Cell::Null,
            Value::Int(number) => Cell::Number(number),
            Value::Bytes(bytes) => bytes.into(),
            other => Cell::Text(other.as_sql(true)),
        }
    }
}
