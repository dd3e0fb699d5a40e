use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::ids::IdBlocks;
use crate::measures::{self, Outcome};
use crate::sqlite::Statements;
use crate::work::{Queue, Unit, Verdict};
use crate::{Error, Result, Tx};

/// How often a thread runs a function that is to run again.
const TRIES: usize = 3;

/// A thread that reads, each function over one snapshot.
pub(super) fn start(connection: Connection, queue: Arc<Queue>, ids: Arc<IdBlocks>) -> JoinHandle<()> {
    let run = move || {
        while let Some(mut unit) = queue.pop() {
            let ran = over_a_snapshot(&connection, unit.as_mut(), &ids, TRIES);
            unit.answer(ran.err());
        }
    };
    std::thread::Builder::new()
        .name("sql-reader".to_owned())
        .spawn(run)
        .expect("the system refuses to start a thread")
}

/// Runs a function until it need not run again, or so many times.
pub(super) fn over_a_snapshot(
    connection: &Connection,
    unit: &mut dyn Unit,
    ids: &IdBlocks,
    tries: usize,
) -> Result<Verdict> {
    execute(connection, "BEGIN")?;
    let mut verdict = Verdict::Again;
    for _ in 0..tries {
        let mut statements = Statements::new(connection);
        verdict = unit.run(&mut Tx::new(&mut statements, ids));
        if verdict != Verdict::Again {
            break;
        }
    }
    // Nothing was written, so there is nothing to keep.
    if let Err(error) = execute(connection, "ROLLBACK") {
        tracing::error!(%error, "a read transaction could not be ended");
    }
    measures::ended("read", Outcome::Committed, 1);
    Ok(verdict)
}

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    let done = connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    done.map(drop).map_err(|error| Error::from_sqlite(&error, sql))
}
