//! Redis goes away while supervisors work; what was promised holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use queue::{Batch, Handler, Queue, Registry, Settings, Supervisor, SystemClock};
use sql::{Database, Tx};
use testkit::Space;

use super::PATIENCE;
use super::server::Server;
use crate::lab::{Place, does, job, land};

/// Short leases, so that what a lost connection took with it comes back soon.
fn settings() -> Settings {
    Settings { lease: Duration::from_secs(2), poll: Duration::from_millis(50), ..Settings::default() }
}

struct Shop {
    place: Place,
    queue: Queue,
    server: Server,
}

impl Shop {
    async fn open() -> Self {
        let server = Server::start();
        let place = Place::with_redis_at(Space::on(false, false), Some(&server.url())).await;
        let queue = place.queue(Arc::new(SystemClock), settings());
        Shop { place, queue, server }
    }

    async fn supervisor(&self) -> Supervisor {
        let ledger = self.place.ledger().clone();
        let handler = does("a", move |batch: Batch| {
            let ledger = ledger.clone();
            async move {
                land(&ledger, batch.queue(), batch.jobs()).await?;
                Ok(batch.all_done())
            }
        });
        let registry = Registry::new([Arc::new(handler) as Arc<dyn Handler>], self.queue.settings());
        Supervisor::start(self.queue.clone(), registry.unwrap()).await.unwrap()
    }

    /// Waits until this many effects have landed; none may have landed twice.
    async fn landed(&self, jobs: usize) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while effects(self.place.ledger()).await.len() < jobs {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        waited.await.expect("jobs were lost");
        let effects = effects(self.place.ledger()).await;
        assert!(effects.values().all(|times| *times == 1), "an effect landed twice");
        assert_eq!(effects.len(), jobs);
    }
}

/// How often the effect of each job landed.
async fn effects(ledger: &Database) -> HashMap<i64, i64> {
    let read = |tx: &mut Tx<'_>| {
        tx.query("SELECT job, COUNT(*) FROM effects GROUP BY job", &[], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    ledger.read::<Vec<(i64, i64)>, sql::Error>("effects", read).await.unwrap().into_iter().collect()
}

async fn stop(supervisor: Supervisor) {
    supervisor.stop();
    tokio::time::timeout(PATIENCE, supervisor.wait()).await.expect("the supervisor did not stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_killed_and_comes_back_empty_loses_no_job() {
    let mut shop = Shop::open().await;
    let supervisor = shop.supervisor().await;
    for round in 0..12 {
        if round == 3 {
            shop.server.kill();
        }
        if round == 8 {
            shop.server.run();
        }
        shop.queue.push(vec![job("a"); 50]).await.unwrap();
    }
    shop.landed(600).await;
    stop(supervisor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_killed_under_load_lose_no_job() {
    let shop = Shop::open().await;
    let supervisor = shop.supervisor().await;
    for _ in 0..20 {
        shop.queue.push(vec![job("a"); 20]).await.unwrap();
        shop.server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    }
    shop.landed(400).await;
    stop(supervisor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_pauses_under_load_loses_no_job() {
    let shop = Shop::open().await;
    let supervisor = shop.supervisor().await;
    for round in 0..20 {
        if round % 5 == 1 {
            shop.server.command(&["CLIENT", "PAUSE", "300", "ALL"]);
        }
        shop.queue.push(vec![job("a"); 20]).await.unwrap();
    }
    shop.landed(400).await;
    stop(supervisor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_while_redis_is_away_is_stored_and_run_later() {
    let mut shop = Shop::open().await;
    shop.server.kill();
    let id = shop.queue.push(vec![job("a")]).await.unwrap()[0].id();
    assert!(shop.queue.claim(&"default".into(), 1, crate::lab::WORKER, crate::lab::LEASE).await.is_err());
    shop.server.run();
    let supervisor = shop.supervisor().await;
    shop.landed(1).await;
    assert!(effects(shop.place.ledger()).await.contains_key(&id.0));
    stop(supervisor).await;
}
