//! What happens between a look and a call, brought about on purpose: turns make it rare, and only the guards of the
//! script make it harmless.
#![allow(clippy::unwrap_used)]

use domain::{Calendar, Currency, CustomerId, OrderId};
use jiff::Timestamp;
use jiff::civil::date;
use redis_link::Redis;
use sql::{Database, Settings, Tx};
use testkit::Space;

use super::rebuild::ReadFacts;
use super::{Fed, Store};
use crate::{CurrencyChoice, Error, Fact, Granularity, KpiQuery, Result, feed};

static SCHEMAS: &[&sql::Migrations] = &[&crate::MIGRATIONS];

async fn store(space: &Space) -> Store {
    let database = Database::open(&Settings::new(space.database_url())).unwrap();
    database.migrate(SCHEMAS, Timestamp::UNIX_EPOCH).await.unwrap();
    let redis = Redis::open(redis_link::Settings::new(space.redis_url().unwrap())).await.unwrap();
    let store = Store::new(redis, space.redis_prefix(), database, Calendar::utc());
    store.settle().await.unwrap();
    let rebuild = store.go_on_rebuilding().await.unwrap().unwrap();
    while store.rebuild_step(rebuild, |_, _| Ok::<_, Error>((Vec::new(), None))).await.unwrap() {}
    store.switch(rebuild).await.unwrap();
    store
}

fn confirmed(order: i64) -> Fact {
    let at: Timestamp = "2024-03-05T10:00:00Z".parse().unwrap();
    Fact::Confirmed {
        order_id: OrderId::from_ledger(order),
        customer_id: CustomerId::from_ledger(order),
        currency: Currency::EUR,
        placed_at: at,
        at,
        units: 1,
        gross: 500,
        lines: Vec::new(),
    }
}

/// Tells orders and numbers them, without adding them.
fn number(store: &Store, orders: &[i64]) {
    let (teller, facts) = (store.clone(), orders.iter().copied().map(confirmed).collect::<Vec<_>>());
    let tell = move |tx: &mut Tx<'_>| -> Result<bool> {
        teller.tell(tx, Timestamp::UNIX_EPOCH, &facts)?;
        feed::number(tx)
    };
    store.database.write_blocking("tell", tell).unwrap();
}

async fn orders(store: &Store) -> i64 {
    let day = date(2024, 3, 5);
    let currency = CurrencyChoice { named: None, shop: Currency::EUR };
    let query = KpiQuery { from: day, to: day, granularity: Granularity::Day, currency };
    store.kpis(&query).await.unwrap().total.orders
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_batch_that_two_add_after_the_same_look_counts_once() {
    let space = Space::on(false, true);
    let store = store(&space).await;
    tokio::task::block_in_place(|| number(&store, &[1]));
    let seen = store.state().await.unwrap();
    assert!(store.add_batch(&seen, seen.marker + 1).await.unwrap());
    assert!(!store.add_batch(&seen, seen.marker + 1).await.unwrap());
    assert_eq!(orders(&store).await, 1);
    assert_eq!(store.feed().await.unwrap(), Fed::All);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_batch_is_not_added_by_somebody_who_does_not_know_that_the_fence_moved() {
    let space = Space::on(false, true);
    let store = store(&space).await;
    let rebuild = store.start_rebuild().await.unwrap();
    let seen = store.state().await.unwrap();
    let read = |_: &mut Tx<'_>, _| Ok::<_, Error>((Vec::new(), Some(OrderId::from_ledger(50))));
    assert!(store.rebuild_step(rebuild, read).await.unwrap());
    tokio::task::block_in_place(|| number(&store, &[7]));
    assert!(!store.add_batch(&seen, seen.marker + 1).await.unwrap());
    assert_eq!(store.catch_up().await.unwrap(), Fed::All);
    finish(&store, rebuild).await;
    assert_eq!(orders(&store).await, 1);
}

async fn finish(store: &Store, rebuild: super::RedisRebuild) {
    while store.rebuild_step(rebuild, |_, _| Ok::<_, Error>((Vec::new(), None))).await.unwrap() {}
    store.switch(rebuild).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_step_of_a_rebuild_whose_snapshot_was_overtaken_reads_again() {
    let space = Space::on(false, true);
    let store = store(&space).await;
    let rebuild = store.start_rebuild().await.unwrap();
    let (teller, mut reads) = (store.clone(), 0);
    let read = move |_: &mut Tx<'_>, _: OrderId| -> Result<ReadFacts> {
        reads += 1;
        if reads == 1 {
            // Committed and numbered right after the snapshot was taken.
            number(&teller, &[7]);
            return Ok((Vec::new(), None));
        }
        Ok((vec![confirmed(7)], None))
    };
    // The closure is copied for each try, and counts from the first on: read once here, then with what it knows.
    let read = std::sync::Arc::new(std::sync::Mutex::new(read));
    let shared = move |tx: &mut Tx<'_>, first| (*read.lock().unwrap())(tx, first);
    while store.rebuild_step(rebuild, shared.clone()).await.unwrap() {}
    store.switch(rebuild).await.unwrap();
    assert_eq!(orders(&store).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_row_without_a_number_that_the_snapshot_knows_counts_once() {
    let space = Space::on(false, true);
    let store = store(&space).await;
    let rebuild = store.start_rebuild().await.unwrap();
    let teller = store.clone();
    let tell = move |tx: &mut Tx<'_>| teller.tell(tx, Timestamp::UNIX_EPOCH, &[confirmed(7)]);
    store.database.write("tell", tell).await.unwrap();
    let read = |_: &mut Tx<'_>, _| Ok::<_, Error>((vec![confirmed(7)], None));
    while store.rebuild_step(rebuild, read).await.unwrap() {}
    store.switch(rebuild).await.unwrap();
    assert_eq!(store.catch_up().await.unwrap(), Fed::All);
    assert_eq!(orders(&store).await, 1);
}
