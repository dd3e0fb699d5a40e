//! A worker that is stopped for longer than its lease and wakes up later lands nothing.

use std::fs::File;
use std::thread::sleep;
use std::time::Duration;

use importer::sample::Sample;
use rustix::process::Signal;
use testkit::Port;

use crate::books::Books;
use crate::chaos::{self, Chance};
use crate::support::{Process, Shop, create, text, wait_until};

const ORDERS: u64 = 200;

/// The gateway stands still, so that the worker stands in the middle of its jobs, between their two transactions.
#[test]
fn a_zombie_lands_nothing_of_the_jobs_that_another_worker_finished() {
    let (gateway_at, web_at) = (Port::reserve(), Port::reserve());
    let shop = Shop::new()
        .set("queue.lease", "1s")
        .set("gateway.mode", "http")
        .set("gateway.timeout", "60s")
        .set("gateway.url", format!("http://{gateway_at}"))
        .set("gateway.callback_url", format!("http://{web_at}/api/webhooks/payments"));
    let mut gateway = shop.start(&["gateway"]);
    let mut web = shop.start(&["serve", "--no-workers", "--listen", &web_at.to_string()]);
    gateway.address();
    web.address();
    gateway.signal(Signal::STOP);
    import_part(&shop, 0);
    let zombie = shop.start(&["work"]);
    wait_until("every charge is on its way", || shop.executing(Some("take_payment")) == ORDERS as usize);
    stop_outside_writes(&shop, &zombie);
    sleep(Duration::from_millis(1_200));
    gateway.signal(Signal::CONT);
    shop.done(&["work", "--until-idle"]);
    Books::of(&shop).assert_each_effect_once(ORDERS as i64);

    let before = shop.contents();
    zombie.signal(Signal::CONT);
    // Told to stop, it first ends what it runs: it wakes up with the gateway's answers in hand and wants to land them.
    let ended = zombie.terminate();
    assert_eq!(ended.code(), Some(0), "{ended}");
    let changed: Vec<_> = shop.contents().into_iter().filter(|table| !before.contains(table)).collect();
    assert_eq!(changed, Vec::<String>::new(), "what the zombie changed");
    shop.assert_clean();
}

#[test]
fn workers_stopped_at_random_and_continued_land_each_effect_once() {
    let mut shop = Shop::new().set("queue.lease", "1s").set("gateway.latency", "20ms");
    if shop.is_on_server() {
        // It takes the locks from a worker that falls silent in a transaction for two thirds of this.
        shop = shop.set("database.lock_timeout", "3s");
    }
    let mut chance = Chance::new();
    let (zombie, _other) = (shop.start(&["work"]), shop.start(&["work"]));
    let stops = chaos::count(40);
    for stop in 0..stops {
        import_part(&shop, stop);
        sleep(chance.below(Duration::from_millis(200)));
        if shop.is_on_server() {
            zombie.signal(Signal::STOP);
            sleep(Duration::from_millis(3_500));
        } else {
            stop_outside_writes(&shop, &zombie);
            sleep(Duration::from_millis(1_300));
        }
        zombie.signal(Signal::CONT);
    }
    shop.done(&["work", "--until-idle"]);
    Books::of(&shop).assert_each_effect_once((ORDERS * stops) as i64);
    shop.assert_clean();
}

/// Imports new orders, part by part, and leaves the work to others.
fn import_part(shop: &Shop, part: u64) {
    let path = shop.path(&format!("part-{part}.csv"));
    let sample = Sample { first_id: 1_000_000 * (part + 1), ..Sample::shop(ORDERS, part + 1) };
    sample.write(create(&path)).expect("the file is written");
    shop.done(&["import", text(&path), "--source", "shop", "--initial-stock", "1000000", "--detach"]);
}

/// Stops a process at a moment when it does not write: the system would keep the lock of the file for it, and everybody
/// from writing; a server would change what is looked at while it waits.
fn stop_outside_writes(shop: &Shop, process: &Process) {
    let mut ledger = shop.ledger();
    loop {
        process.signal(Signal::STOP);
        // Whoever else writes is done in a moment, and a server looks at its transactions every 100 ms.
        sleep(Duration::from_millis(250));
        if turns_are_free(shop) && ledger.nobody_writes() {
            return;
        }
        process.signal(Signal::CONT);
        sleep(Duration::from_millis(5));
    }
}

/// Whether nobody holds the write turn of a database that is a file.
fn turns_are_free(shop: &Shop) -> bool {
    ["shop.db-turnstile", "shop.db-turn"].iter().all(|name| {
        let Ok(lock) = File::open(shop.path(name)) else { return true };
        lock.try_lock().is_ok_and(|()| lock.unlock().is_ok())
    })
}
