//! `kill -9` at random moments: nothing is lost, and nothing is done twice.

use std::thread::sleep;
use std::time::{Duration, Instant};

use importer::sample::Sample;

use crate::books::Books;
use crate::chaos::{self, Chance};
use crate::retail::Retail;
use crate::support::{Process, Ran, Shop, create, text, wait_until};

/// A gateway this slow keeps an import busy for a while after its last row, so that every kill finds it running.
const LATENCY: Duration = Duration::from_millis(300);

#[test]
fn killed_ten_times_an_import_of_real_orders_ends_with_the_same_figures() {
    let shop = Shop::new().set("queue.lease", "1s").set("gateway.latency", "300ms");
    let retail = Retail::at_hand(&shop);
    let imported = import_killed(&shop, &retail, 10);
    assert_eq!(imported.code(), Some(0), "{imported}");
    retail.assert_imported(&shop);
    Books::of(&shop).assert_each_effect_once(retail.orders);
    shop.assert_clean();
}

#[test]
fn killed_at_random_a_large_import_is_exact() {
    let shop =
        Shop::new().set("queue.lease", "1s").set("gateway.latency", "300ms").set("imports.chunk_size", 500);
    // 21 lines an order, about.
    let retail = Retail::made_up(&shop, chaos::count(23_600));
    println!("{} rows", retail.rows);
    let imported = import_killed(&shop, &retail, chaos::count(50));
    assert_eq!(imported.code(), Some(0), "{imported}");
    retail.assert_imported(&shop);
    Books::of(&shop).assert_each_effect_once(retail.orders);
    shop.assert_clean();
}

/// Imports a file by a command that is killed so many times on its way, each time when a random share of the rows is
/// in; some of them die while they start. The last one ends by itself.
fn import_killed(shop: &Shop, retail: &Retail, kills: u64) -> Ran {
    let mut chance = Chance::new();
    // Not too near the end, which would come before the signal does.
    let mut shares: Vec<f64> = (0..kills).map(|_| chance.share() * 0.85).collect();
    shares.sort_by(f64::total_cmp);
    for share in shares {
        let mut import = shop.start(&retail.import());
        sleep(chance.below(LATENCY));
        let reached = || {
            shop.count("SELECT SUM(rows_imported) FROM import_chunks") as f64 >= share * retail.rows as f64
        };
        wait_until("a share of the rows is in", || reached() || !import.is_running());
        sleep(chance.below(LATENCY / 3));
        let said = (import.stdout(), import.stderr());
        assert!(import.kill(), "it ended before it was killed: {said:?}");
    }
    shop.run(&retail.import())
}

#[test]
fn killed_workers_lose_no_job_and_do_none_twice() {
    let shop = Shop::new()
        .set("queue.lease", "1s")
        .set("gateway.latency", "20ms")
        .set("gateway.decline_rate", 0.1)
        .set("gateway.duplicate_rate", 0.2)
        .set("gateway.reorder_rate", 0.2);
    let (orders, kills) = (chaos::count(20_000), chaos::count(200));
    let mut chance = Chance::new();
    let mut workers = [shop.start(&["work"]), shop.start(&["work"])];
    let mut log = String::new();
    // Some new orders before each kill, which comes while they are on their way: there is work to be killed at.
    for (earlier, part) in parts(&shop, orders, kills).iter().enumerate() {
        shop.done(&["import", part, "--source", "shop", "--initial-stock", "1000000", "--detach"]);
        let through = (earlier as f64 + chance.share() * 0.9) * (orders / kills) as f64;
        wait_until("a share of the new orders is through", || Books::of(&shop).at_rest() >= through as i64);
        let victim = &mut workers[usize::from(chance.coin())];
        let killed = std::mem::replace(victim, shop.start(&["work"]));
        log.push_str(&kill(killed));
    }
    for worker in workers {
        log.push_str(&kill(worker));
    }
    log.push_str(&shop.done(&["work", "--until-idle"]).text());
    let rescues = rescues(&log);
    println!("after {kills} kills, jobs were offered again {rescues} times");
    assert!(rescues > 0, "no kill came while a job ran");
    let books = Books::of(&shop);
    println!("{:?}", books.orders());
    books.assert_each_effect_once(orders.cast_signed());
    shop.assert_clean();
}

/// As in production: two workers and a server do what a detached import has queued. A tenth of a year is made up.
#[test]
fn a_year_of_real_orders_is_exact_though_its_workers_and_their_server_are_killed_again_and_again() {
    const PROCESSES: [&[&str]; 3] = [&["work"], &["work"], &["serve", "--listen", "127.0.0.1:0"]];
    let shop = Shop::new().set("queue.lease", "1s").set("gateway.latency", "300ms");
    let retail = if chaos::is_full() { Retail::at_hand(&shop) } else { Retail::made_up(&shop, 1_853) };
    let mut chance = Chance::new();
    let mut moments: Vec<(f64, usize)> =
        (0..chaos::count(40)).map(|_| (chance.share() * 0.9, chance.index(PROCESSES.len()))).collect();
    moments.sort_by(|left, right| left.0.total_cmp(&right.0));
    shop.done(&retail.queue());
    let began = Instant::now();
    let mut running = PROCESSES.map(|arguments| shop.start(arguments));
    let (mut log, mut killed) = (String::new(), [0; PROCESSES.len()]);
    for (share, victim) in moments {
        wait_until("a share of the work is done", || retail.progress(&shop) >= share);
        sleep(chance.below(LATENCY / 3));
        assert!(retail.progress(&shop) < 1.0, "all was done before a kill");
        let process = &mut running[victim];
        log.push_str(&process.stderr());
        assert!(process.kill_in_place(), "it ended before it was killed: {}", process.stderr());
        *process = shop.start(PROCESSES[victim]);
        killed[victim] += 1;
    }
    wait_until("all orders are confirmed", || retail.progress(&shop) >= 1.0);
    let took = began.elapsed().as_secs_f64();
    for process in running {
        let ended = process.terminate();
        assert_eq!(ended.code(), Some(0), "{ended}");
        log.push_str(&ended.stderr);
    }
    log.push_str(&shop.done(&["work", "--until-idle"]).stderr);
    let rescues = rescues(&log);
    println!("{} orders in {took:.0} s; kills of each process {killed:?}; {rescues} rescues", retail.orders);
    assert!(rescues > 0, "no kill came while a job ran");
    retail.assert_imported(&shop);
    Books::of(&shop).assert_each_effect_once(retail.orders);
    shop.assert_clean();
}

/// Kills a worker, which must still run, and returns what it logged.
fn kill(worker: Process) -> String {
    let log = worker.stderr();
    assert!(worker.kill(), "a worker ended before it was killed: {log}");
    log
}

/// How often jobs of killed workers were offered again, by what all processes logged.
fn rescues(log: &str) -> usize {
    log.lines().filter(|line| line.contains("jobs of lost workers are offered again")).count()
}

/// Files of new orders, so many in all.
fn parts(shop: &Shop, orders: u64, files: u64) -> Vec<String> {
    let part = |number: u64| {
        let path = shop.path(&format!("part-{number}.csv"));
        let sample =
            Sample { first_id: 1_000_000 * (number + 1), ..Sample::shop(orders / files, number + 1) };
        sample.write(create(&path)).expect("the file is written");
        text(&path).to_owned()
    };
    (0..files).map(part).collect()
}
