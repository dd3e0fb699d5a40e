use std::time::Duration;

use sql::Database;

use crate::{count, database, insert, open};

#[tokio::test(flavor = "multi_thread")]
async fn two_openers_write_at_once_and_neither_sees_busy() {
    let (folder, first) = database().await;
    let second = open(&folder).await;
    let write = |db: Database, from: i64| async move {
        for i in from..from + 300 {
            db.write("one", move |tx| insert(tx, i, &format!("n{i}"), 0)).await.unwrap();
        }
    };
    tokio::join!(write(first.clone(), 0), write(second, 1_000));
    assert_eq!(count(&first).await, 600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_another_opener_is_noticed() {
    let (folder, first) = database().await;
    let second = open(&folder).await;
    let noticed =
        tokio::spawn(async move { tokio::time::timeout(Duration::from_secs(10), first.changed()).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    second.write("one", |tx| insert(tx, 1, "a", 1)).await.unwrap();
    noticed.await.unwrap().expect("the change was not noticed");
}
