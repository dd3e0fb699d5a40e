use jiff::Timestamp;
use sql::{Database, Error, Migration, Migrations, Settings};

use testkit::Space;

use crate::{SCHEMAS, count, database, insert, settings};

#[tokio::test]
async fn migrating_twice_applies_nothing_new() {
    let (_folder, db) = database().await;
    assert!(db.migrate(SCHEMAS, Timestamp::UNIX_EPOCH).await.unwrap().is_empty());
    db.require_migrated(SCHEMAS).await.unwrap();
}

#[tokio::test]
async fn an_empty_database_names_the_command_that_makes_its_schema() {
    let space = Space::new();
    let db = Database::open(&settings(&space)).unwrap();
    let error = db.require_migrated(SCHEMAS).await.unwrap_err().to_string();
    assert!(error.contains("ordermill migrate"), "{error}");
}

#[tokio::test]
async fn a_changed_or_unknown_step_is_refused() {
    static CHANGED: Migrations = Migrations {
        history: "test",
        steps: &[Migration::new(1, "things", "CREATE TABLE others (id {id});\n")],
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

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_at_once_migrate_once() {
    let space = Space::new();
    let starting: Vec<_> = (0..4)
        .map(|_| {
            let db = Database::open(&settings(&space)).unwrap();
            tokio::spawn(async move { (db.migrate(SCHEMAS, Timestamp::UNIX_EPOCH).await.unwrap(), db) })
        })
        .collect();
    let mut applied = Vec::new();
    for one in starting {
        let (steps, db) = one.await.unwrap();
        db.require_migrated(SCHEMAS).await.unwrap();
        applied.extend(steps);
    }
    assert_eq!(applied, ["sql/001_id_sequences", "test/001_things"]);
}

/// A step as it was when its process was killed half-way through: on MySQL the half is there.
static HALF: Migrations = Migrations {
    history: "test",
    steps: &[Migration::new(
        1,
        "things",
        "CREATE TABLE things (id {id} NOT NULL PRIMARY KEY, name {key} NOT NULL UNIQUE, n {int} NOT NULL);\nCREATE BROKEN;\n",
    )],
};

static HALVES: &[&Migrations] = &[&HALF];

#[tokio::test]
async fn a_step_that_was_interrupted_goes_on_where_it_stopped() {
    let space = Space::new();
    let db = Database::open(&settings(&space)).unwrap();
    assert!(db.migrate(HALVES, Timestamp::UNIX_EPOCH).await.is_err());
    db.migrate(SCHEMAS, Timestamp::UNIX_EPOCH).await.unwrap();
    db.write("one", |tx| insert(tx, 1, "a", 1)).await.unwrap();
    assert_eq!(count(&db).await, 1);
}
