//! The servers of the program, MariaDB and Redis, go away and come back under it.

use std::time::{Duration, Instant};

use testkit::{Servers, Space};

use crate::books::Books;
use crate::faults::{import, orders};
use crate::support::{Process, Shop, wait_until};

/// Orders that are on their way when something happens.
const ORDERS: i64 = 1_000;
const CONFIRMED: &str = "SELECT COUNT(*) FROM orders WHERE status = 3";

/// Something that happens to the servers, told, and done.
type Fault = (&'static str, fn(&Servers));

const FAULTS: [Fault; 6] = [
    ("Redis was killed and came back empty", |servers| {
        servers.kill("redis");
        servers.again("redis");
    }),
    ("Redis was flushed", |servers| servers.tell_redis("FLUSHALL")),
    ("Redis was paused for two seconds", |servers| servers.tell_redis("CLIENT PAUSE 2000 ALL")),
    ("all connections to Redis were cut", |servers| servers.tell_redis("CLIENT KILL TYPE normal")),
    ("MariaDB was killed and came back", |servers| {
        servers.kill("mariadb");
        servers.again("mariadb");
    }),
    ("all connections to MariaDB were cut", |servers| assert!(servers.cut_off_mariadb() > 0)),
];

/// Whoever imports in the foreground waits for the orders, and for Redis while it is away.
#[test]
fn an_import_in_the_foreground_outlives_a_redis_that_goes_away() {
    let servers = Servers::start(&["redis"]);
    let space = Space::at(None, Some(servers.url("redis").to_owned()));
    let shop = Shop::on(space).set("queue.lease", "2s").set("gateway.latency", "2s");
    let file = orders(&shop, 1, 50);
    let mut importing = shop.start(&import(&file));
    wait_until("its orders are stored", || shop.count("SELECT COUNT(*) FROM payments") == 50);
    servers.kill("redis");
    std::thread::sleep(Duration::from_secs(3));
    assert!(importing.is_running(), "it waits");
    servers.again("redis");
    let imported = importing.wait();
    assert_eq!(imported.code(), Some(0), "{imported}");
    assert_eq!(shop.count(CONFIRMED), 50);
    shop.assert_clean();
}

#[test]
fn servers_that_go_away_and_come_back_in_the_middle_of_imports_lose_nothing_and_stop_no_worker() {
    let servers = Servers::start(&["mariadb", "redis"]);
    let space = Space::at(Some(servers.url("mariadb")), Some(servers.url("redis").to_owned()));
    let shop = Shop::on(space)
        .set("queue.lease", "2s")
        .set("gateway.latency", "50ms")
        .set("imports.chunk_size", 100);
    shop.done(&["migrate"]);
    let mut workers = [shop.start(&["work"]), shop.start(&["work"])];
    let mut all = 0;
    for (number, (what, happens)) in (1..).zip(FAULTS) {
        let file = orders(&shop, number, ORDERS.cast_unsigned());
        shop.done(&[import(&file), vec!["--detach"]].concat());
        wait_until("some of its orders are confirmed", || shop.count(CONFIRMED) > all);
        all += ORDERS;
        let confirmed = shop.count(CONFIRMED);
        assert!(confirmed < all, "all was done before {what}");
        happens(&servers);
        let began = Instant::now();
        wait_until("all of its orders are confirmed", || shop.count(CONFIRMED) == all);
        println!(
            "{what} with {} orders on their way, which were confirmed {:.1} s later",
            all - confirmed,
            began.elapsed().as_secs_f64()
        );
        assert!(workers.iter_mut().all(Process::is_running), "a worker ended when {what}");
    }
    wait_until("no job is left", || shop.json(&["status"])["redis"]["outbox"] == 0);
    shop.assert_clean();
    let status = shop.done(&["status"]);
    assert!(status.stdout.contains("nothing needs attention"), "{status}");
    for worker in workers {
        let ended = worker.terminate();
        assert_eq!(ended.code(), Some(0), "{ended}");
        assert!(!ended.text().contains("panicked"), "{ended}");
    }
    Books::of(&shop).assert_each_effect_once(all);
}
