use jiff::Timestamp;
use sql::{Database, Error, Migration, Migrations, Settings};

use crate::{SCHEMAS, database};

#[tokio::test]
async fn migrating_twice_applies_nothing_new() {
    let (_folder, db) = database().await;
    assert!(db.migrate(SCHEMAS, Timestamp::UNIX_EPOCH).await.unwrap().is_empty());
    db.require_migrated(SCHEMAS).await.unwrap();
}

#[tokio::test]
async fn an_empty_database_names_the_command_that_makes_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::open(&Settings::new(folder.path().join("e.db").to_str().unwrap())).unwrap();
    let error = db.require_migrated(SCHEMAS).await.unwrap_err().to_string();
    assert!(error.contains("ordermill migrate"), "{error}");
}

#[tokio::test]
async fn a_changed_or_unknown_step_is_refused() {
    static CHANGED: Migrations = Migrations {
        history: "test",
        steps: &[Migration { version: 1, name: "things", sql: "CREATE TABLE others (id {id});\n" }],
    };
    static OLDER: Migrations = Migrations { history: "test", steps: &[] };
    let (_folder, db) = database().await;
    for histories in [&[&CHANGED] as &[&Migrations], &[&OLDER]] {
        let histories: &'static [&'static Migrations] = histories.to_vec().leak();
        let answer = db.migrate(histories, Timestamp::UNIX_EPOCH).await;
        assert!(matches!(answer, Err(Error::Schema(_))), "{answer:?}");
    }
}

#[test]
fn an_address_of_an_unknown_engine_is_refused() {
    let error = Database::open(&Settings::new("postgres://localhost/x")).unwrap_err().to_string();
    assert!(error.contains("is not a database address"), "{error}");
}
