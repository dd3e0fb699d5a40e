use sql::{Conflict, Error, Insert, Value};

use crate::{database, insert};

const COLUMNS: &[&str] = &["id", "name", "n"];

fn rows(ids: std::ops::Range<i64>, n: i64) -> Vec<Value<'static>> {
    ids.flat_map(|id| [id.into(), format!("n{id}").into(), n.into()]).collect()
}

#[tokio::test]
async fn rows_are_inserted_in_sets_of_any_size() {
    let (_folder, db) = database().await;
    for size in [0, 1, 31, 32, 33, 64, 1000] {
        let inserted = db
            .write("rows", move |tx| {
                tx.execute("DELETE FROM things", &[])?;
                let into = Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error };
                tx.insert_rows(&into, &rows(0..size, 1))
            })
            .await;
        assert_eq!(inserted.unwrap_or_else(|error: Error| panic!("{error}")), size.cast_unsigned());
    }
}

#[tokio::test]
async fn a_conflict_is_left_or_updated() {
    let (_folder, db) = database().await;
    let sums = db
        .write("conflicts", |tx| {
            let mut into = Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error };
            tx.insert_rows(&into, &rows(0..10, 1))?;
            into.conflict = Conflict::Ignore;
            let fresh = tx.insert_rows(&into, &rows(5..15, 1))?;
            into.conflict = Conflict::Update { key: &["id"], set: &["n = n + new.n"] };
            tx.insert_rows(&into, &rows(0..50, 10))?;
            Ok::<_, Error>((fresh, tx.query_one("SELECT SUM(n) FROM things", &[], |row| row.get::<i64>(0))?))
        })
        .await
        .unwrap();
    assert_eq!(sums, (5, 15 + 500));
}

#[tokio::test]
async fn lists_of_any_length_find_each_row_once() {
    let (_folder, db) = database().await;
    db.write("rows", |tx| {
        tx.insert_rows(
            &Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error },
            &rows(0..2000, 1),
        )
    })
    .await
    .unwrap_or_else(|error: Error| panic!("{error}"));
    for length in [0, 1, 2, 8, 9, 511, 512, 513, 1700] {
        let (found, changed) = db
            .write("list", move |tx| {
                let keys: Vec<Value<'_>> = (0..length).map(Value::Int).collect();
                let found = tx.query_in(
                    "SELECT id FROM things WHERE n >= ? AND id IN ({in})",
                    &[1.into()],
                    &keys,
                    |row| row.get::<i64>(0),
                )?;
                let changed =
                    tx.execute_in("UPDATE things SET n = n + ? WHERE id IN ({in})", &[1.into()], &keys)?;
                Ok::<_, Error>((found, changed))
            })
            .await
            .unwrap();
        assert_eq!(found, (0..length).collect::<Vec<_>>());
        assert_eq!(changed, length.cast_unsigned());
    }
}

#[tokio::test]
async fn a_column_of_another_type_is_named() {
    let (_folder, db) = database().await;
    let error = db
        .write("type", |tx| {
            insert(tx, 1, "a", 1)?;
            tx.query_one("SELECT name FROM things", &[], |row| row.get::<i64>(0))
        })
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "column 0 holds the text \"a\", expected an integer");
}
