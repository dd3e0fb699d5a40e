use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::ids::IdBlocks;
use crate::measures::{self, Outcome};
use crate::sqlite::Statements;
use crate::work::{Queue, Verdict};
use crate::{Error, Tx};

/// A thread that reads, each function over one snapshot.
pub(super) fn start(connection: Connection, queue: Arc<Queue>, ids: Arc<IdBlocks>) -> JoinHandle<()> {
    let run = move || {
        while let Some(mut unit) = queue.pop() {
            if let Err(error) = connection.execute_batch("BEGIN") {
                unit.answer(Some(Error::from_sqlite(&error, "BEGIN")));
                continue;
            }
            for _ in 0..3 {
                let mut statements = Statements::new(&connection);
                let mut tx = Tx::new(&mut statements, &ids);
                if unit.run(&mut tx) != Verdict::Again {
                    break;
                }
            }
            // Nothing was written, so there is nothing to keep.
            if let Err(error) = connection.execute_batch("ROLLBACK") {
                tracing::error!(%error, "a read transaction could not be ended");
            }
            measures::ended("read", Outcome::Committed, 1);
            unit.answer(None);
        }
    };
    std::thread::Builder::new()
        .name("sql-reader".to_owned())
        .spawn(run)
        .expect("the system refuses to start a thread")
}
