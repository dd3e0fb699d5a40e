//! Clusters that lose a server while the program works on them: a Redis Cluster and a MySQL group.

use std::time::Instant;

use testkit::{Servers, Space};

use crate::books::Books;
use crate::chaos;
use crate::retail::Retail;
use crate::support::{Process, Shop, wait_until};

const CONFIRMED: &str = "SELECT COUNT(*) FROM orders WHERE status = 3";

/// The primary of the figures and of a queue in Redis, then that of the group, are killed in the middle of an import
/// whose orders two workers and a server bring to their end. Each comes back later as a replica.
#[test]
fn primaries_killed_in_the_middle_of_an_import_lose_nothing_and_repeat_nothing() {
    let servers = Servers::start(&["redis-cluster", "mysql-group"]);
    let space = Space::at(Some(servers.url("mysql-group")), Some(servers.url("redis-cluster").to_owned()));
    let queue = format!("{}:{{q:payments}}:e", space.redis_prefix());
    let figures = format!("{}:{{kpi}}:state", space.redis_prefix());
    let shop = Shop::on(space)
        .set("queue.lease", "2s")
        .set("gateway.latency", "50ms")
        .set("imports.chunk_size", 200);
    let retail = Retail::made_up(&shop, chaos::count(20_000));
    shop.done(&["migrate"]);
    let mut running =
        [shop.start(&["work"]), shop.start(&["work"]), shop.start(&["serve", "--listen", "127.0.0.1:0"])];
    let mut import = shop.start(&retail.import());

    for (share, key) in [(0.1, &queue), (0.3, &figures)] {
        wait_for_share(&shop, &retail, share);
        lose(&servers, &servers.primary_of_key(key), &shop);
    }
    wait_for_share(&shop, &retail, 0.5);
    lose(&servers, &servers.primary_of_group(), &shop);

    wait_until("the import ends", || !import.is_running());
    let imported = import.wait();
    assert_eq!(imported.code(), Some(0), "{imported}");
    assert!(running.iter_mut().all(Process::is_running), "workers and the server live on");
    for process in running {
        let ended = process.terminate();
        assert_eq!(ended.code(), Some(0), "{ended}");
    }
    shop.done(&["work", "--until-idle"]);
    retail.assert_imported(&shop);
    Books::of(&shop).assert_each_effect_once(retail.orders);
    shop.assert_clean();
}

/// Waits until a share of the orders is confirmed; all of them are not.
fn wait_for_share(shop: &Shop, retail: &Retail, share: f64) {
    let confirmed = || shop.count(CONFIRMED) as f64 / retail.orders as f64;
    wait_until("a share of the orders is confirmed", || confirmed() >= share);
    assert!(confirmed() < 1.0, "the import was over before a server was killed");
}

/// Kills a server, waits until orders are confirmed again, and starts it again.
fn lose(servers: &Servers, server: &str, shop: &Shop) {
    servers.kill(server);
    let (killed, before) = (Instant::now(), shop.count(CONFIRMED));
    wait_until("orders are confirmed again", || shop.count(CONFIRMED) > before);
    println!(
        "{server} was killed; orders were confirmed again after {:.1} s",
        killed.elapsed().as_secs_f64()
    );
    servers.again(server);
}
