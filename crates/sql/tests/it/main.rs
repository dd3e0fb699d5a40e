//! The promises of the crate, on real files.
#![allow(clippy::unwrap_used)]

mod ids;
mod processes;
mod schema;
mod statements;
mod transactions;

use sql::{Database, Migration, Migrations, Settings};
use tempfile::TempDir;

static SCHEMA: Migrations = Migrations {
    history: "test",
    steps: &[Migration {
        version: 1,
        name: "things",
        sql: "CREATE TABLE things (id {id} NOT NULL PRIMARY KEY, name {key} NOT NULL UNIQUE, n {int} NOT NULL CHECK (n >= 0));
",
    }],
};
static SCHEMAS: &[&Migrations] = &[&SCHEMA];

async fn database() -> (TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder).await;
    (folder, database)
}

async fn open(folder: &TempDir) -> Database {
    let database = Database::open(&Settings::new(folder.path().join("t.db").to_str().unwrap())).unwrap();
    database.migrate(SCHEMAS, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    database
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
