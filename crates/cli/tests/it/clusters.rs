//! Clusters that lose a server while the program works on them: a Redis Cluster and a MySQL group.

use std::time::{Duration, Instant};

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
    let queue = format!("{}:{{q:payments}}:2:e", space.redis_prefix());
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
    let mut pace = Pace { looks: Vec::new(), losses: Vec::new() };

    for (share, key) in [(0.1, &queue), (0.3, &figures)] {
        wait_for_share(&shop, &retail, share, &mut pace);
        lose(&servers, servers.primary_of_key(key), &shop, &mut pace);
    }
    wait_for_share(&shop, &retail, 0.5, &mut pace);
    lose(&servers, servers.primary_of_group(), &shop, &mut pace);

    wait_until("the import ends", || {
        pace.look(&shop);
        !import.is_running()
    });
    pace.tell();
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
fn wait_for_share(shop: &Shop, retail: &Retail, share: f64, pace: &mut Pace) {
    let mut confirmed = || pace.look(shop) as f64 / retail.orders as f64;
    wait_until("a share of the orders is confirmed", || confirmed() >= share);
    assert!(confirmed() < 1.0, "the import was over before a server was killed");
}

/// Kills a server, waits until orders are confirmed again, and starts it again.
fn lose(servers: &Servers, server: String, shop: &Shop, pace: &mut Pace) {
    let before = pace.look(shop);
    servers.kill(&server);
    let killed = Instant::now();
    wait_until("orders are confirmed again", || pace.look(shop) > before);
    println!(
        "{server} was killed; the next order was confirmed {:.1} s later",
        killed.elapsed().as_secs_f64()
    );
    servers.again(&server);
    pace.losses.push((killed, server));
}

/// How many orders were confirmed when, and which servers were killed.
struct Pace {
    looks: Vec<(Instant, i64)>,
    losses: Vec<(Instant, String)>,
}

impl Pace {
    /// Orders are confirmed in batches: their pace is told over these times, before a server is killed and after.
    const BEFORE: Duration = Duration::from_secs(10);
    const AFTER: Duration = Duration::from_secs(3);

    /// Counts them.
    fn look(&mut self, shop: &Shop) -> i64 {
        let confirmed = shop.count(CONFIRMED);
        self.looks.push((Instant::now(), confirmed));
        confirmed
    }

    /// Tells how long after each server was killed the pace was at least half of what it was before.
    fn tell(&self) {
        for (number, (killed, server)) in self.losses.iter().enumerate() {
            let before =
                killed.checked_sub(Self::BEFORE).and_then(|from| self.orders_a_second(from, Self::BEFORE));
            let before = before.unwrap_or_default();
            let until = self.losses.get(number + 1);
            let is_back = |(at, _): &&(Instant, i64)| {
                at > killed
                    && until.is_none_or(|next| *at + Self::AFTER <= next.0)
                    && self.orders_a_second(*at, Self::AFTER).is_some_and(|pace| pace >= before / 2.0)
            };
            match self.looks.iter().find(is_back) {
                Some((at, _)) => println!(
                    "{server}: {before:.0} orders a second before it was killed, at least half of them again after {:.1} s",
                    (*at - *killed).as_secs_f64()
                ),
                None => println!("{server}: what followed was over before the pace could be told"),
            }
        }
    }

    /// The pace over a time that begins at a moment; none where that is not over yet.
    fn orders_a_second(&self, from: Instant, time: Duration) -> Option<f64> {
        let to = from + time;
        let at = |moment| {
            let looks = self.looks.partition_point(|(at, _)| *at <= moment);
            self.looks.get(looks.checked_sub(1)?).map(|(_, confirmed)| *confirmed)
        };
        self.looks.last().filter(|(last, _)| *last >= to)?;
        Some((at(to)? - at(from).unwrap_or_default()) as f64 / time.as_secs_f64())
    }
}
