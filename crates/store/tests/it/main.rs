//! What the ledger itself refuses, and how it finds things, on a real database.
#![allow(clippy::unwrap_used)]

mod customers;
mod imports;
mod order_feed;
mod orders;
mod stock;

use jiff::Timestamp;
use sql::{Database, Migrations, Settings, Tx};
use store::Error;
use testkit::Space;

static SCHEMA: &[&Migrations] = &[&store::MIGRATIONS];
const AT: Timestamp = Timestamp::UNIX_EPOCH;

/// Runs `f` in one transaction of a fresh ledger.
fn with_ledger<T: Send + 'static>(
    f: impl FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let ledger = Ledger::new();
    ledger.write(f)
}

struct Ledger {
    database: Database,
    _space: Space,
}

impl Ledger {
    fn new() -> Self {
        let space = Space::new();
        let settings = Settings { readers: 1, writers: 2, ..Settings::new(space.database_url()) };
        let database = Database::open(&settings).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(database.migrate(SCHEMA, AT)).unwrap();
        Ledger { database, _space: space }
    }

    fn write<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.database.write_blocking("test", f)
    }
}

fn is_duplicate<T: std::fmt::Debug>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Database(sql::Error::Duplicate { .. })))
}

fn is_refused<T: std::fmt::Debug>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Database(sql::Error::Check { .. })))
}
