//! Copies of what a test keeps, for those that break it.

use std::path::{Path, PathBuf};

use mysql::Conn;
use mysql::prelude::Queryable as _;

/// Copies a file of SQLite that nobody writes to, with the log that is not in it yet.
pub(crate) fn file(from: &Path, to: &Path) {
    std::fs::copy(from, to).expect("a copy of the database's file");
    let log = |file: &Path| PathBuf::from(format!("{}-wal", file.display()));
    if log(from).exists() {
        std::fs::copy(log(from), log(to)).expect("a copy of the database's log");
    }
}

/// Copies every table of one database of a server into another, empty one. All statements go as one text, because
/// there are many and each is small.
pub(crate) fn database(connection: &mut Conn, from: &str, to: &str) {
    let tables = format!("SELECT table_name FROM information_schema.tables WHERE table_schema = '{from}'");
    let tables: Vec<String> = connection.query(tables).expect("the tables of a database");
    let copy = |table: &String| {
        format!(
            "CREATE TABLE {to}.{table} LIKE {from}.{table}; INSERT INTO {to}.{table} SELECT * FROM {from}.{table}"
        )
    };
    let text = tables.iter().map(copy).collect::<Vec<_>>().join(";");
    run(connection, &text);
}

/// Copies the keys of one test in a Redis that is a single server.
pub(crate) fn keys(url: &str, from: &str, to: &str) {
    let client = redis::Client::open(url).expect("the address of Redis");
    let mut connection = client.get_connection().expect("a connection to Redis");
    let found = redis::Commands::scan_match::<_, Vec<u8>>(&mut connection, format!("*{from}*"));
    let keys: Vec<Vec<u8>> = found.and_then(Iterator::collect).expect("the keys of a test");
    for key in keys {
        let copy = String::from_utf8(key.clone()).expect("keys are text").replacen(from, to, 1);
        let mut read = redis::pipe();
        read.cmd("DUMP").arg(&key).cmd("PTTL").arg(&key);
        let (value, left): (Option<Vec<u8>>, i64) = read.query(&mut connection).expect("a key's value");
        // A key that ended in between is no longer there to be copied.
        let Some(value) = value else { continue };
        let mut write = redis::cmd("RESTORE");
        write.arg(copy).arg(left.max(0)).arg(value);
        write.exec(&mut connection).expect("a copy of a key");
    }
}

/// Runs a text of several statements to its end.
pub(crate) fn run(connection: &mut Conn, text: &str) {
    let run = |connection: &mut Conn| {
        let mut results = connection.query_iter(text)?;
        while let Some(mut set) = results.iter() {
            set.try_for_each(|row| row.map(drop))?;
        }
        Ok::<_, mysql::Error>(())
    };
    run(connection).unwrap_or_else(|error| panic!("{error}: {text}"));
}
