use std::collections::HashSet;

use sql::Error;

use crate::{database, open};

#[tokio::test]
async fn ids_are_given_once_over_rollbacks_and_processes() {
    let (folder, first) = database().await;
    let second = open(&folder).await;
    let mut given = HashSet::new();
    for round in 0..50_u64 {
        for db in [&first, &second] {
            let range = db.write("ids", move |tx| tx.next_ids("things", round + 1)).await.unwrap();
            assert!(range.start >= 1);
            assert_eq!(range.end - range.start, round.cast_signed() + 1);
            for id in range {
                assert!(given.insert(id), "{id} was given twice");
            }
            let rolled_back = db
                .write("rollback", |tx| {
                    tx.next_ids("things", 7)?;
                    Err::<(), _>(Error::Missing)
                })
                .await;
            assert!(matches!(rolled_back, Err(Error::Missing)), "{rolled_back:?}");
        }
    }
}

#[tokio::test]
async fn several_sequences_are_filled_for_one_transaction() {
    let (_folder, db) = database().await;
    let ranges = db
        .write("ids", |tx| {
            Ok::<_, Error>((tx.next_ids("a", 3)?, tx.next_ids("b", 100_000)?, tx.next_ids("c", 1)?))
        })
        .await
        .unwrap();
    assert_eq!(ranges, (1..4, 1..100_001, 1..2));
}

/// The second time, what is left of a block is enough for each of them, but not for both.
#[tokio::test]
async fn a_transaction_takes_ids_several_times() {
    let (_folder, db) = database().await;
    for _ in 0..20 {
        let taken = db.write("ids", |tx| {
            let counts = [3, 0, 2, 5].map(|n| tx.next_ids("things", n).map(|ids| ids.end - ids.start));
            counts.into_iter().collect::<Result<Vec<i64>, Error>>()
        });
        assert_eq!(taken.await.unwrap(), [3, 0, 2, 5]);
    }
}
