use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use ::mysql::prelude::Queryable as _;
use sql::{Database, Error, Settings, Tx};

use super::{add, connection_id, numbers, somebody, two_things};
use crate::{SCHEMAS, settings};

/// How a transaction reaches for what the other one holds, after it has changed something of its own.
type Reach = fn(&mut Tx<'_>, first: i64, second: i64) -> sql::Result<()>;

/// Two transactions that lock each other out; what they left, and how often they ran.
async fn crossing(reach: Reach) -> (Vec<i64>, u32) {
    let (_space, db) = two_things().await;
    let (both_hold_one, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicU32::new(0)));
    let crossing = |first: i64, second: i64| {
        let (both_hold_one, runs, mut is_first_run) = (Arc::clone(&both_hold_one), Arc::clone(&runs), true);
        db.write("cross", move |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            add(tx, first)?;
            if std::mem::take(&mut is_first_run) {
                both_hold_one.wait();
            }
            reach(tx, first, second)
        })
    };
    let (one, other) = tokio::join!(crossing(1, 2), crossing(2, 1));
    one.and(other).unwrap();
    (numbers(&db).await, runs.load(Ordering::SeqCst))
}

#[tokio::test]
async fn of_two_transactions_that_lock_each_other_out_one_runs_again_and_both_land_whole() {
    assert_eq!(crossing(|tx, _, second| add(tx, second)).await, (vec![2, 2], 3));
}

#[tokio::test]
async fn whoever_lacks_ids_goes_on_with_the_transaction_that_is_open() {
    let (_space, db) = two_things().await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let taken = db.write("ids", move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        add(tx, 1)?;
        Ok::<_, Error>([tx.next_ids("few", 3)?, tx.next_ids("many", 10_000)?, tx.next_ids("few", 30)?])
    });
    assert_eq!(taken.await.unwrap().map(|ids| ids.end - ids.start), [3, 10_000, 30]);
    assert_eq!((numbers(&db).await[0], runs.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test]
async fn whoever_gives_way_in_the_middle_of_a_set_runs_again_whole() {
    let set: Reach = |tx, first, second| {
        let values = [10.into(), first.into(), 1.into(), second.into(), 100.into(), first.into()];
        tx.execute_each("UPDATE things SET n = n + ? WHERE id = ?", 2, &values).map(drop)
    };
    assert_eq!(crossing(set).await, (vec![112, 112], 3));
}

#[tokio::test]
async fn whoever_gives_way_runs_again_whole_though_it_passes_over_the_error() {
    let deaf: Reach = |tx, first, second| {
        let _ = add(tx, second);
        add(tx, first)
    };
    assert_eq!(crossing(deaf).await, (vec![3, 3], 3));
    let deaf_at_the_end: Reach = |tx, _, second| {
        let _ = add(tx, second);
        Ok(())
    };
    assert_eq!(crossing(deaf_at_the_end).await, (vec![2, 2], 3));
}

/// A database that waits for a lock for two seconds, three times.
fn impatient(space: &testkit::Space) -> Database {
    Database::open(&Settings { lock_timeout: Duration::from_secs(6), ..settings(space) }).unwrap()
}

#[tokio::test]
async fn a_lock_that_does_not_come_in_time_is_waited_for_again() {
    let (space, db) = two_things().await;
    let mut holder = somebody(space.database_url());
    holder.query_drop("START TRANSACTION; UPDATE things SET n = n + 10 WHERE id = 1").unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let waiting = impatient(&space);
    let writing = waiting.write("wait", move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        add(tx, 2)?;
        add(tx, 1)
    });
    let letting_go = async {
        while runs.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        holder.query_drop("COMMIT").unwrap();
    };
    tokio::join!(writing, letting_go).0.unwrap();
    assert_eq!(numbers(&db).await, [11, 1]);
}

/// What a process holds that was stopped, or whose machine went away: its connection stays, and says nothing.
#[tokio::test]
async fn whoever_falls_silent_in_a_transaction_loses_its_locks_and_runs_again_whole() {
    let (space, db) = two_things().await;
    let lock_timeout = Duration::from_secs(12);
    let open = || Database::open(&Settings { lock_timeout, ..settings(&space) }).unwrap();
    let (frozen, other) = (open(), open());
    let (holds, held) = tokio::sync::oneshot::channel();
    let (thaw, thawed) = std::sync::mpsc::channel();
    let mut holds = Some(holds);
    let freezing = frozen.write("freeze", move |tx| {
        add(tx, 1)?;
        if let Some(holds) = holds.take() {
            holds.send(()).unwrap();
            thawed.recv().unwrap();
        }
        add(tx, 2)
    });
    let taking_over = async {
        held.await.unwrap();
        let taken_over = other.write("take_over", |tx| add(tx, 1)).await;
        thaw.send(()).unwrap();
        taken_over
    };
    let (frozen, taken_over) = tokio::join!(freezing, taking_over);
    taken_over.unwrap();
    frozen.unwrap();
    assert_eq!(numbers(&db).await, [2, 1]);
}

#[tokio::test]
async fn a_connection_that_rested_for_long_costs_nobody_a_second_run() {
    let (space, _db) = two_things().await;
    let short = Settings { lock_timeout: Duration::from_secs(3), writers: 1, ..settings(&space) };
    let db = Database::open(&short).unwrap();
    let first = db.write("connection", connection_id).await.unwrap();
    // Longer than the server leaves a session that says nothing.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let rested = db.write("rested", move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        connection_id(tx)
    });
    assert_eq!(rested.await.unwrap(), first);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// What a run leaves that had to give way while it migrated: the lock is its connection's, and counts how often it was taken.
#[tokio::test]
async fn a_migration_that_runs_again_leaves_its_lock_to_nobody() {
    let (space, _db) = two_things().await;
    let db = Database::open(&Settings { writers: 1, ..settings(&space) }).unwrap();
    let lock = "CONCAT('ordermill ', CRC32(DATABASE()))";
    let take = format!("SELECT GET_LOCK({lock}, 0)");
    db.write("take", move |tx| tx.query_one(&take, &[], |row| row.get::<i64>(0))).await.unwrap();
    db.migrate(SCHEMAS, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    let is_free: Option<i64> =
        somebody(space.database_url()).query_first(format!("SELECT IS_FREE_LOCK({lock})")).unwrap();
    assert_eq!(is_free, Some(1));
}

#[tokio::test]
async fn a_lock_that_never_comes_is_told_and_leaves_nothing() {
    let (space, db) = two_things().await;
    let mut holder = somebody(space.database_url());
    holder.query_drop("START TRANSACTION; UPDATE things SET n = n + 10 WHERE id = 1").unwrap();
    let answer = impatient(&space).write("wait", |tx| add(tx, 2).and_then(|()| add(tx, 1))).await;
    assert!(matches!(answer, Err(Error::Deadlock { .. })), "{answer:?}");
    holder.query_drop("ROLLBACK").unwrap();
    assert_eq!(numbers(&db).await, [0, 0]);
}
