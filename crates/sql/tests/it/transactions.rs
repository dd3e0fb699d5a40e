use sql::{Conflict, Error, Insert, Tx, Value};

use crate::{count, database, insert};

#[tokio::test]
async fn what_fails_is_undone_whole() {
    let (_folder, db) = database().await;
    let failed = db
        .write("two", |tx| {
            insert(tx, 1, "a", 1)?;
            insert(tx, 2, "a", 1)
        })
        .await;
    assert!(matches!(failed, Err(Error::Duplicate { .. })), "{failed:?}");
    let refused = db.write("check", |tx| insert(tx, 1, "a", -1)).await;
    assert!(matches!(refused, Err(Error::Check { .. })), "{refused:?}");
    assert_eq!(count(&db).await, 0);
}

#[tokio::test]
async fn transactions_that_share_a_commit_fail_alone() {
    let (_folder, db) = database().await;
    let all: Vec<_> = (0..200_i64)
        .map(|i| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write("one", move |tx| {
                    insert(tx, i, &format!("n{i}"), 0)?;
                    if i % 3 == 0 { Err(Error::Missing) } else { Ok(()) }
                })
                .await
            })
        })
        .collect();
    for (i, done) in all.into_iter().enumerate() {
        assert_eq!(done.await.unwrap().is_err(), i % 3 == 0, "transaction {i}");
    }
    assert_eq!(count(&db).await, 133);
}

#[tokio::test]
async fn a_panic_is_an_error_and_undoes_its_transaction() {
    let (_folder, db) = database().await;
    let answer: sql::Result<()> = db
        .write("panic", |tx| {
            insert(tx, 1, "a", 1)?;
            panic!("on purpose")
        })
        .await;
    assert!(matches!(&answer, Err(Error::Panicked(message)) if message == "on purpose"), "{answer:?}");
    assert_eq!(count(&db).await, 0);
    db.write("after", |tx| insert(tx, 1, "a", 1)).await.unwrap();
}

#[tokio::test]
async fn after_commit_runs_once_and_only_after_a_commit() {
    let (_folder, db) = database().await;
    let ran = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    for fails in [true, false] {
        let ran = ran.clone();
        let _ = db
            .write("hook", move |tx| {
                let ran = ran.clone();
                tx.after_commit(move || {
                    ran.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                });
                if fails { Err(Error::Missing) } else { Ok(()) }
            })
            .await;
    }
    db.write("drain", |_| Ok::<_, Error>(())).await.unwrap();
    assert_eq!(ran.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_read_cannot_write() {
    let (_folder, db) = database().await;
    assert!(db.read("read", |tx| insert(tx, 1, "a", 1)).await.is_err());
    assert_eq!(count(&db).await, 0);
}

#[tokio::test]
async fn what_is_looked_up_is_what_was_committed_and_cannot_be_written() {
    let (_folder, db) = database().await;
    let number = |tx: &mut Tx<'_>| tx.query_one("SELECT n FROM things WHERE id = 1", &[], |row| row.get(0));
    assert!(matches!(db.look_up::<i64, _>("look", number).await, Err(Error::Missing)));
    for n in 1..=20_i64 {
        let into = Insert {
            table: "things",
            columns: &["id", "name", "n"],
            conflict: Conflict::Update { key: &["id"], set: &["n = new.n"] },
        };
        db.write("set", move |tx| tx.insert_rows(&into, &[1.into(), "a".into(), n.into()])).await.unwrap();
        assert_eq!(db.look_up::<i64, Error>("look", number).await.unwrap(), n);
    }
    assert!(db.look_up("look", |tx| insert(tx, 2, "b", 1)).await.is_err());
    assert_eq!(count(&db).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_look_something_up_at_once_all_are_answered() {
    let (_folder, db) = database().await;
    let slow = |tx: &mut Tx<'_>| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        tx.query_one("SELECT COUNT(*) FROM things", &[], |row| row.get::<i64>(0))
    };
    let all: Vec<_> = (0..32)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { db.look_up::<_, Error>("slow", slow).await })
        })
        .collect();
    for answer in all {
        assert_eq!(answer.await.unwrap().unwrap(), 0);
    }
}

#[tokio::test]
async fn a_lookup_that_panics_is_an_error_and_the_next_is_answered() {
    let (_folder, db) = database().await;
    for _ in 0..10 {
        let answer: sql::Result<()> = db.look_up("panic", |_| panic!("on purpose")).await;
        assert!(matches!(&answer, Err(Error::Panicked(message)) if message == "on purpose"), "{answer:?}");
    }
    db.look_up("after", |_| Ok::<_, Error>(())).await.unwrap();
}

#[tokio::test]
async fn a_closed_database_says_so() {
    let (_folder, db) = database().await;
    db.close();
    let answer = db.write("late", |tx| insert(tx, 1, "a", 1)).await;
    assert!(matches!(answer, Err(Error::Closed)), "{answer:?}");
    let answer = db.look_up("late", |_| Ok::<_, Error>(())).await;
    assert!(matches!(answer, Err(Error::Closed)), "{answer:?}");
}

#[tokio::test]
async fn what_was_written_before_a_neighbour_failed_is_written_once() {
    let (_folder, db) = database().await;
    let all: Vec<_> = (0..100_i64)
        .map(|i| {
            let db = db.clone();
            tokio::spawn(async move {
                db.write("add", move |tx| {
                    let conflict = Conflict::Update { key: &["id"], set: &["n = n + new.n"] };
                    let into = Insert { table: "things", columns: &["id", "name", "n"], conflict };
                    tx.insert_rows(&into, &[1.into(), "sum".into(), 1.into()])?;
                    if i == 50 { Err(Error::Missing) } else { Ok(()) }
                })
                .await
            })
        })
        .collect();
    for done in all {
        let _ = done.await.unwrap();
    }
    let sum = db.read("sum", |tx| tx.query_one("SELECT n FROM things", &[], |row| row.get::<i64>(0))).await;
    assert_eq!(sum.unwrap_or_else(|error: Error| panic!("{error}")), 99);
}

#[tokio::test]
async fn half_a_statement_is_never_kept_even_if_its_error_is_passed_over() {
    let (_folder, db) = database().await;
    let into = Insert { table: "things", columns: &["id", "name", "n"], conflict: Conflict::Error };
    let rows = move |tx: &mut Tx<'_>| {
        let names: Vec<String> = (0..40).map(|i| format!("n{}", i % 39)).collect();
        let values: Vec<Value<'_>> = names
            .iter()
            .enumerate()
            .flat_map(|(id, name)| [Value::Int(id as i64), name.into(), Value::Int(0)])
            .collect();
        tx.insert_rows(&into, &values)
    };
    let passed_over = db.write("rows", move |tx| {
        // On a server it is told of by what comes next, and nothing does.
        let _ = rows(tx);
        Ok::<_, Error>(())
    });
    assert!(matches!(passed_over.await, Err(Error::HalfDone | Error::Duplicate { .. })));
    assert_eq!(count(&db).await, 0);
}
