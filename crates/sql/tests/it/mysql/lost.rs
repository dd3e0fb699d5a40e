use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use ::mysql::prelude::Queryable as _;
use sql::{Database, Error, Settings, Tx};

use super::proxy::{Cut, Proxy};
use super::server::Server;
use super::{add, connection_id, kill, make_two_things, numbers, somebody, two_things};
use crate::{SCHEMAS, settings};

#[tokio::test]
async fn a_connection_cut_in_a_transaction_is_survived_and_its_effect_lands_once() {
    let (space, db) = two_things().await;
    let (url, mut runs) = (space.database_url().to_owned(), 0);
    let answer = db.write("cut", move |tx| {
        runs += 1;
        add(tx, 1)?;
        if runs < 3 {
            kill(&url, connection_id(tx)?);
        }
        add(tx, 2)?;
        Ok::<_, Error>(runs)
    });
    assert_eq!(answer.await.unwrap(), 3);
    assert_eq!(numbers(&db).await, [1, 1]);
}

#[tokio::test]
async fn a_read_whose_connection_is_cut_is_answered_all_the_same() {
    let (space, db) = two_things().await;
    let (url, mut runs) = (space.database_url().to_owned(), 0);
    let answer = db.read("cut", move |tx| {
        runs += 1;
        if runs == 1 {
            kill(&url, connection_id(tx)?);
        }
        tx.query_one("SELECT COUNT(*) FROM things", &[], |row| Ok((runs, row.get::<i64>(0)?)))
    });
    assert_eq!(answer.await.unwrap_or_else(|error: Error| panic!("{error}")), (2, 2));
}

#[tokio::test]
async fn connections_cut_while_nobody_used_them_are_made_again() {
    let (space, _) = two_things().await;
    let db = Database::open(&Settings { writers: 1, readers: 1, ..settings(&space) }).unwrap();
    for round in 1..=3 {
        let used =
            [db.write("id", connection_id).await.unwrap(), db.read("id", connection_id).await.unwrap()];
        for id in used {
            kill(space.database_url(), id);
        }
        db.write("add", |tx| add(tx, 1)).await.unwrap();
        assert_eq!(numbers(&db).await, [round, 0]);
    }
}

#[tokio::test]
async fn a_connection_made_anew_begins_an_era_for_all_transactions() {
    let (space, _) = two_things().await;
    let db = Database::open(&Settings { writers: 2, readers: 1, ..settings(&space) }).unwrap();
    let era = |tx: &mut Tx<'_>| Ok::<_, Error>((connection_id(tx)?, tx.era()));
    // Both writers have to have their connection.
    let both = Arc::new(Barrier::new(2));
    let meet = |both: &Arc<Barrier>| {
        let both = Arc::clone(both);
        db.write("meet", move |tx| {
            connection_id(tx)?;
            both.wait();
            era(tx)
        })
    };
    let (one, other) = tokio::join!(meet(&both), meet(&both));
    let ((id, before), (_, same)) = (one.unwrap(), other.unwrap());
    assert_eq!(before, same);
    kill(space.database_url(), id);
    let (one, other) = tokio::join!(meet(&both), meet(&both));
    let ((_, after), (_, same)) = (one.unwrap(), other.unwrap());
    assert!(after > before, "{after} follows {before}");
    assert_eq!(after, same);
}

/// What becomes of a transaction whose connection is cut at its commit, and how often it was run.
async fn cut_at_the_commit(cut: Cut) -> (sql::Result<()>, u32, Vec<i64>) {
    let (space, direct) = two_things().await;
    let proxy = Proxy::before(space.database_url());
    let db = Database::open(&Settings { url: proxy.url(), ..settings(&space) }).unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    proxy.cut_next(cut);
    let told = Arc::new(AtomicU32::new(0));
    let heard = Arc::clone(&told);
    let answer = db.write("cut", move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        let heard = Arc::clone(&heard);
        tx.if_uncertain(move || assert_eq!(heard.fetch_add(1, Ordering::SeqCst), 0));
        tx.after_commit(|| panic!("nobody knows of the commit"));
        add(tx, 1)
    });
    let answer = answer.await;
    assert_eq!(told.load(Ordering::SeqCst), 1);
    let after = numbers(&direct).await;
    db.write("next", |tx| add(tx, 2)).await.unwrap();
    assert_eq!(numbers(&direct).await[1], 1);
    (answer, runs.load(Ordering::SeqCst), after)
}

#[tokio::test]
async fn a_commit_that_the_server_never_saw_is_uncertain_and_not_run_again() {
    let (answer, runs, after) = cut_at_the_commit(Cut::BeforeTheCommit).await;
    assert!(matches!(answer, Err(Error::Uncertain { .. })), "{answer:?}");
    assert_eq!((runs, after), (1, vec![0, 0]));
}

#[tokio::test]
async fn a_commit_that_was_done_but_not_heard_of_is_uncertain_and_not_run_again() {
    let (answer, runs, after) = cut_at_the_commit(Cut::AfterTheCommit).await;
    assert!(matches!(answer, Err(Error::Uncertain { .. })), "{answer:?}");
    assert_eq!((runs, after), (1, vec![1, 0]));
}

#[tokio::test]
async fn a_read_whose_end_is_not_heard_of_is_answered_all_the_same() {
    let (space, _direct) = two_things().await;
    let proxy = Proxy::before(space.database_url());
    let db = Database::open(&Settings { url: proxy.url(), ..settings(&space) }).unwrap();
    proxy.cut_next(Cut::BeforeTheCommit);
    assert_eq!(numbers(&db).await, [0, 0]);
}

/// One who adds 1 again and again, and counts what was acknowledged and what nobody knows of.
struct Adder {
    acknowledged: AtomicI64,
    uncertain: AtomicI64,
}

impl Adder {
    async fn add_until(&self, db: &Database, id: i64, enough: i64) {
        while self.acknowledged.load(Ordering::SeqCst) < enough {
            match db.write("add", move |tx| add(tx, id)).await {
                Ok(()) => self.acknowledged.fetch_add(1, Ordering::SeqCst),
                Err(Error::Uncertain { .. }) => self.uncertain.fetch_add(1, Ordering::SeqCst),
                Err(error) => panic!("{error}"),
            };
        }
    }

    async fn has(&self, count: i64) {
        while self.acknowledged.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_under_writes_and_started_again_has_each_acknowledged_one_once() {
    let server = Server::start();
    somebody(&server.url()).query_drop("CREATE DATABASE shop").unwrap();
    let db = Database::open(&Settings::new(format!("{}/shop", server.url()))).unwrap();
    db.migrate(SCHEMAS, jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    make_two_things(&db).await;
    let adders: Vec<_> = [1, 2, 1, 2]
        .into_iter()
        .map(|id| (id, Arc::new(Adder { acknowledged: AtomicI64::new(0), uncertain: AtomicI64::new(0) })))
        .collect();
    let adding = adders.iter().map(|(id, adder)| {
        let (db, id, adder) = (db.clone(), *id, Arc::clone(adder));
        tokio::spawn(async move { adder.add_until(&db, id, 300).await })
    });
    let adding: Vec<_> = adding.collect();
    for kill_at in [50, 150] {
        adders[0].1.has(kill_at).await;
        server.kill();
        tokio::task::block_in_place(|| server.again());
    }
    for one in adding {
        one.await.unwrap();
    }
    for (id, number) in (1..).zip(numbers(&db).await) {
        let of = |count: fn(&Adder) -> &AtomicI64| -> i64 {
            let its = adders.iter().filter(|(of, _)| *of == id);
            its.map(|(_, adder)| count(adder).load(Ordering::SeqCst)).sum()
        };
        let (least, unknown) = (of(|adder| &adder.acknowledged), of(|adder| &adder.uncertain));
        assert!((least..=least + unknown).contains(&number), "{number}, of {least} to {}", least + unknown);
    }
}
