//! The bare loops on MySQL and Redis: as many connections as the machine has use for, statements and commands made before.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::ensure;
use mysql::prelude::Queryable as _;
use mysql::{Conn, Opts};
use redis_link::{Pipeline, redis};
use rusqlite::types::Value;

use super::sqlite::with_new;
use super::statement::{Change, Statement};
use super::{BATCH, Script, Step, redis_jobs};

/// Loops side by side; more are no faster on two cores.
pub const LOOPS: usize = 2;
/// Rows of a statement with its values written out.
const ROWS: usize = 1_000;
/// Rows of an insert that is prepared; a set that is smaller is written out. More are no faster.
const PREPARED_ROWS: usize = 250;

/// Runs a script on an empty database with the schema; returns the seconds it took.
pub fn run(script: &Script, database: &str, redis: &str) -> anyhow::Result<f64> {
    let mut batches = (0..script.batches)
        .map(|batch| script.transactions.iter().map(|steps| Transaction::of(steps, batch)).collect())
        .collect::<Vec<Vec<Transaction>>>()
        .into_iter();
    let mut connections =
        (0..LOOPS).map(|_| Connections::open(database, redis)).collect::<anyhow::Result<Vec<_>>>()?;
    let began = Instant::now();
    // The first batch makes the products that all others change.
    if let Some(batch) = batches.next() {
        connections[0].run(batch)?;
    }
    let batches = Mutex::new(batches);
    let next = || batches.lock().unwrap_or_else(PoisonError::into_inner).next();
    in_parallel(&mut connections, |connections| {
        while let Some(batch) = next() {
            connections.run(batch)?;
        }
        Ok(())
    })?;
    Ok(began.elapsed().as_secs_f64())
}

/// Runs one loop on each set of connections.
pub fn in_parallel(
    connections: &mut [Connections],
    run: impl Fn(&mut Connections) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let run = &run;
        let loops: Vec<_> = connections.iter_mut().map(|one| scope.spawn(move || run(one))).collect();
        loops.into_iter().try_for_each(|one| one.join().expect("a loop does not panic"))
    })
}

/// What one loop talks to.
pub struct Connections {
    pub mysql: Conn,
    pub redis: redis::Connection,
    pub claim: redis::Script,
}

impl Connections {
    pub fn open(database: &str, redis: &str) -> anyhow::Result<Self> {
        let mut mysql = Conn::new(Opts::from_url(database)?)?;
        mysql.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")?;
        mysql.query_drop("SET NAMES utf8mb4")?;
        let redis = redis::Client::open(redis)?.get_connection()?;
        Ok(Connections { mysql, redis, claim: redis_jobs::claim_script() })
    }

    fn commit(&mut self, statements: &[Sql]) -> mysql::Result<()> {
        self.mysql.query_drop("START TRANSACTION")?;
        statements.iter().try_for_each(|Sql { text, values }| {
            if values.is_empty() { self.mysql.query_drop(text) } else { self.mysql.exec_drop(text, values) }
        })?;
        self.mysql.query_drop("COMMIT")
    }

    fn run(&mut self, batch: Vec<Transaction>) -> anyhow::Result<()> {
        let mut claimed = Vec::new();
        for transaction in batch {
            if let Some(queue) = transaction.claims {
                claimed = redis_jobs::claim(self, queue, BATCH)?;
            }
            while let Err(fault) = self.commit(&transaction.statements) {
                // Of two that wait for each other one gives way, and is run again whole.
                let gives_way = matches!(&fault, mysql::Error::MySqlError(error) if error.code == DEADLOCK);
                ensure!(gives_way, "{fault}");
            }
            let mut commands = transaction.commands;
            if let Some(queue) = transaction.completes {
                redis_jobs::complete(&mut commands, queue, &claimed);
            }
            if !commands.is_empty() {
                commands.exec(&mut self.redis)?;
            }
        }
        Ok(())
    }
}

const DEADLOCK: u16 = 1213;

/// A transaction of one batch, ready to be sent.
struct Transaction {
    claims: Option<&'static str>,
    statements: Vec<Sql>,
    /// What Redis is told after the commit.
    commands: Pipeline,
    completes: Option<&'static str>,
}

impl Transaction {
    fn of(steps: &[Step], batch: usize) -> Self {
        let mut made =
            Transaction { claims: None, statements: Vec::new(), commands: redis::pipe(), completes: None };
        for step in steps {
            match step {
                Step::Write(statement) => made.statements.extend(sets(statement, batch)),
                Step::Claim(queue) => made.claims = Some(queue),
                Step::Complete(queue) => made.completes = Some(queue),
                Step::Push(queue, rows) => {
                    let jobs = rows.of(batch).map(|row| (plain(&row[0]), plain(&row[1])));
                    redis_jobs::push(&mut made.commands, queue, jobs);
                }
                Step::Put(command, rows) => {
                    let rows: Vec<&[Value]> = rows.of(batch).collect();
                    for of_key in rows.chunk_by(|a, b| a[0] == b[0]) {
                        let command = made.commands.cmd(command).arg(plain(&of_key[0][0]));
                        for row in of_key {
                            command.arg(plain(&row[1])).arg(plain(&row[2]));
                        }
                        command.ignore();
                    }
                }
            }
        }
        made
    }
}

/// What is sent: a text, and the values for its places if it is to be prepared.
struct Sql {
    text: String,
    values: Vec<mysql::Value>,
}

/// A statement in sets of rows: inserts are prepared, as far as they fill a set.
fn sets(statement: &Statement, batch: usize) -> Vec<Sql> {
    let Statement { table, change, rows } = statement;
    let columns = &rows.columns;
    let names: Vec<String> = columns.iter().map(|name| format!("NULL AS new_{name}")).collect();
    let new_rows = format!("(SELECT {} WHERE 1 = 0 UNION ALL VALUES (", names.join(","));
    let on = |key: &mut dyn Iterator<Item = &str>| {
        key.map(|name| format!("{table}.{name} = new_rows.new_{name}")).collect::<Vec<_>>().join(" AND ")
    };
    let (head, tail) = match change {
        Change::Insert { on_conflict } => {
            debug_assert!(on_conflict.is_empty(), "what is added to is in Redis");
            (format!("INSERT INTO {table} ({}) VALUES (", columns.join(",")), ")".to_owned())
        }
        Change::Update { set, key } => {
            let set = with_new(set, columns, |column| format!("new_rows.new_{column}"));
            let on = on(&mut key.iter().copied());
            (format!("UPDATE {new_rows}"), format!(")) AS new_rows STRAIGHT_JOIN {table} ON {on} SET {set}"))
        }
        Change::Delete => {
            let on = on(&mut columns.iter().map(String::as_str));
            (
                format!("DELETE {table} FROM {new_rows}"),
                format!(")) AS new_rows STRAIGHT_JOIN {table} ON {on}"),
            )
        }
    };
    let text = |rows: &[&[Value]], write: &dyn Fn(&Value) -> String| {
        let row = |row: &&[Value]| row.iter().map(write).collect::<Vec<_>>().join(",");
        format!("{head}{}{tail}", rows.iter().map(row).collect::<Vec<_>>().join("),("))
    };
    let rows: Vec<&[Value]> = rows.of(batch).collect();
    let is_insert = matches!(change, Change::Insert { .. });
    let set = |rows: &[&[Value]]| {
        if is_insert && rows.len() == PREPARED_ROWS {
            let values = rows.iter().flat_map(|row| row.iter().map(wire)).collect();
            return Sql { text: text(rows, &|_| "?".to_owned()), values };
        }
        Sql { text: text(rows, &|value| wire(value).as_sql(false)), values: Vec::new() }
    };
    rows.chunks(if is_insert { PREPARED_ROWS } else { ROWS }).map(set).collect()
}

fn wire(value: &Value) -> mysql::Value {
    match value {
        Value::Null => mysql::Value::NULL,
        Value::Integer(value) => mysql::Value::Int(*value),
        Value::Real(value) => mysql::Value::Double(*value),
        Value::Text(text) => mysql::Value::Bytes(text.clone().into_bytes()),
        Value::Blob(bytes) => mysql::Value::Bytes(bytes.clone()),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Integer(value) => value.to_string(),
        Value::Text(text) => text.clone(),
        other => unreachable!("Redis is told numbers and texts, not {other:?}"),
    }
}
