//! How SQLite runs the statements that must stay cheap whatever a queue holds.

use sql::{Database, Dialect, Error, Migrations, Settings, Tx, Value};

use super::{MIGRATIONS, claim, list, rows, upkeep};
use crate::State;

static HISTORIES: [&Migrations; 1] = [&MIGRATIONS];

/// The plan of a statement, on one line.
fn plan(tx: &mut Tx<'_>, text: &str) -> Result<String, Error> {
    let params = vec![Value::Int(1); text.matches('?').count()];
    let steps = tx.query(&format!("EXPLAIN QUERY PLAN {text}"), &params, |row| row.get::<String>(3))?;
    Ok(steps.join("; "))
}

#[tokio::test]
async fn every_step_of_the_engine_is_one_range_of_one_index() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::open(&Settings::new(folder.path().join("plans.db").display().to_string())).unwrap();
    db.migrate(&HISTORIES, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    let statements = [
        (claim::available(Dialect::Sqlite), "SEARCH jobs USING INDEX jobs_due (queue=? AND state=?)"),
        (claim::ANY.to_owned(), "SEARCH jobs USING COVERING INDEX jobs_due (queue=? AND state=?)"),
        (
            rows::due(Dialect::Sqlite),
            "SEARCH jobs USING COVERING INDEX jobs_due (queue=? AND state=? AND due<?)",
        ),
        (rows::NEXT_QUEUE.to_owned(), "SEARCH jobs USING COVERING INDEX jobs_due (queue>?)"),
        (
            upkeep::BEYOND.to_owned(),
            "SEARCH jobs USING COVERING INDEX jobs_due (queue=? AND state=? AND due>?)",
        ),
        (upkeep::SURPLUS.to_owned(), "SEARCH jobs USING COVERING INDEX jobs_due (queue=? AND state=?)"),
        (upkeep::FIRST_DUE.to_owned(), "SEARCH jobs USING COVERING INDEX jobs_due (queue=? AND state=?)"),
        (list::along(State::Available), "SEARCH jobs USING INDEX jobs_due (queue=? AND state=? AND due>?)"),
        (list::along(State::Discarded), "SEARCH jobs USING INDEX jobs_due (queue=? AND state=? AND due<?)"),
    ];
    for (text, expected) in statements {
        let asked = text.clone();
        let found = db.read::<_, Error>("plan", move |tx| plan(tx, &asked)).await.unwrap();
        assert_eq!(found, expected, "{text}");
    }
}
