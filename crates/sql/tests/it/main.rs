//! The promises of the crate, on real databases.
#![allow(clippy::unwrap_used)]

mod ids;
mod mysql;
mod processes;
mod schema;
mod sqlite;
mod statements;
mod transactions;

use sql::{Database, Migration, Migrations, Settings};
use testkit::Space;

static SCHEMA: Migrations = Migrations {
    history: "test",
    steps: &[Migration::new(
        1,
        "things",
        "CREATE TABLE things (id {id} NOT NULL PRIMARY KEY, name {key} NOT NULL UNIQUE, n {int} NOT NULL CHECK (n >= 0));
",
    )],
};
static SCHEMAS: &[&Migrations] = &[&SCHEMA];

/// A place with a database in it, on whatever engine this run of the tests uses.
async fn database() -> (Space, Database) {
    let space = Space::new();
    let database = open(&space).await;
    (space, database)
}

/// The database, as another process would open it.
async fn open(space: &Space) -> Database {
    let database = Database::open(&settings(space)).unwrap();
    database.migrate(SCHEMAS, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    database
}

fn settings(space: &Space) -> Settings {
    Settings { writers: 4, readers: 2, ..Settings::new(space.database_url()) }
}

fn insert(tx: &mut sql::Tx<'_>, id: i64, name: &str, n: i64) -> sql::Result<u64> {
    tx.execute("INSERT INTO things (id, name, n) VALUES (?, ?, ?)", &[id.into(), name.into(), n.into()])
}

async fn count(database: &Database) -> i64 {
    database
        .read("count", |tx| tx.query_one("SELECT COUNT(*) FROM things", &[], |row| row.get(0)))
        .await
        .unwrap_or_else(|error: sql::Error| panic!("{error}"))
}
