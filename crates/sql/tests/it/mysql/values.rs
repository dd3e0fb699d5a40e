use sql::Error;

use super::{numbers, two_things};
use crate::insert;

#[tokio::test]
async fn what_is_too_long_too_large_or_missing_is_refused_and_never_made_to_fit() {
    let (_space, db) = two_things().await;
    for statement in [
        "INSERT INTO things (id, name, n) VALUES (3, REPEAT('x', 256), 0)",
        "INSERT INTO things (id, name, n) VALUES (3, NULL, 0)",
        "INSERT INTO things (id, n) VALUES (3, 0)",
        "INSERT INTO things (id, name, n) VALUES (3, 'three', NULL)",
        "INSERT INTO things (id, name, n) VALUES (3, 'three', 9223372036854775808)",
        "INSERT INTO things (id, name, n) VALUES (3, 'three', 'many')",
        "UPDATE things SET n = n - 1",
    ] {
        let answer = db.write("refused", move |tx| tx.execute(statement, &[])).await;
        assert!(matches!(answer, Err(Error::Check { .. })), "{statement}: {answer:?}");
    }
    assert_eq!(numbers(&db).await, [0, 0]);
}

#[tokio::test]
async fn texts_differ_by_case_accents_and_spaces_at_their_ends() {
    let (_space, db) = two_things().await;
    let names = ["ONE", "öne", "one ", "one\0", "ｏne", "\u{1f375}"];
    let all = move |tx: &mut sql::Tx<'_>| {
        for (id, name) in (3..).zip(names) {
            insert(tx, id, name, 0)?;
        }
        Ok::<_, Error>(())
    };
    db.write("names", all).await.unwrap();
    for name in names {
        let find = move |tx: &mut sql::Tx<'_>| {
            tx.query("SELECT name FROM things WHERE name = ?", &[name.into()], |row| row.get::<String>(0))
        };
        assert_eq!(db.read::<_, Error>("find", find).await.unwrap(), [name]);
    }
}
