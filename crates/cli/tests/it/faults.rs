//! What the machine does to us: several processes at once, signals, kills. What it does to files is in `sqlite.rs`.

use std::thread::sleep;
use std::time::Duration;

use importer::sample::Sample;

use crate::books::Books;
use crate::support::{Ran, Shop, create, text, wait_until};

/// Writes new orders into a file; each number makes others.
pub fn orders(shop: &Shop, number: u64, orders: u64) -> String {
    let path = shop.path(&format!("orders-{number}.csv"));
    let sample = Sample { first_id: 1_000_000 * (number + 1), ..Sample::shop(orders, number) };
    sample.write(create(&path)).expect("the file is written");
    text(&path).to_owned()
}

/// The command that imports it.
pub fn import(file: &str) -> Vec<&str> {
    vec!["import", file, "--source", "shop", "--initial-stock", "1000000"]
}

/// It failed, and said in one error what, why and what to do, without a panic.
pub fn assert_clear_error(ran: &Ran, words: &str) {
    assert_eq!(ran.code(), Some(1), "{ran}");
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains(words), "{ran}");
    assert!(!ran.text().contains("panicked"), "{ran}");
}

#[test]
fn imports_of_several_processes_beside_a_server_are_exact_and_nobody_hears_of_locks() {
    let shop = Shop::new();
    let files = [orders(&shop, 1, 2_000), orders(&shop, 2, 2_000)];
    let mut serve = shop.start(&["serve", "--listen", "127.0.0.1:0"]);
    serve.address();
    let imports = [shop.start(&import(&files[0])), shop.start(&import(&files[1]))];
    let mut said: Vec<Ran> = imports.into_iter().map(crate::support::Process::wait).collect();
    for import in &said {
        assert_eq!(import.code(), Some(0), "{import}");
        assert!(import.stdout.contains("2,000 imported"), "{import}");
    }
    said.push(serve.terminate());
    assert_eq!(said[2].code(), Some(0), "{}", said[2]);
    for ran in &said {
        let text = ran.text().to_lowercase();
        assert!(!text.contains("locked") && !text.contains("busy"), "{ran}");
    }
    shop.done(&["work", "--until-idle"]);
    Books::of(&shop).assert_each_effect_once(4_000);
    shop.assert_clean();
}

#[test]
fn an_import_that_is_terminated_stops_in_order_and_the_same_command_goes_on() {
    let shop = Shop::new().set("gateway.latency", "300ms").set("imports.chunk_size", 200);
    let file = orders(&shop, 1, 3_000);
    let process = shop.start(&import(&file));
    wait_until("some rows are in", || shop.count("SELECT SUM(rows_imported) FROM import_chunks") > 0);
    let stopped = process.terminate();
    assert_eq!(stopped.code(), Some(130), "{stopped}");
    assert!(stopped.stdout.contains("interrupted; the same command goes on"), "{stopped}");
    assert_eq!(shop.executing(None), 0, "all jobs were finished or handed back");
    shop.assert_clean_but_unfinished();
    shop.done(&import(&file));
    Books::of(&shop).assert_each_effect_once(3_000);
    shop.assert_clean();
}

/// The lease would hold for ten minutes; a worker that ends in order leaves its jobs to others at once.
#[test]
fn a_worker_that_is_terminated_hands_its_jobs_back_at_once() {
    let shop = Shop::new().set("queue.lease", "10m").set("gateway.latency", "50ms");
    let file = orders(&shop, 1, 1_000);
    shop.done(&[import(&file), vec!["--detach"]].concat());
    let worker = shop.start(&["work"]);
    wait_until("orders are on their way", || shop.count("SELECT COUNT(*) FROM orders WHERE status > 1") > 0);
    assert_eq!(worker.terminate().code(), Some(0));
    assert_eq!(shop.executing(None), 0, "nothing is leased");
    shop.done(&["work", "--until-idle"]);
    Books::of(&shop).assert_each_effect_once(1_000);
    shop.assert_clean();
}

/// What an import tells while it runs, when it was killed, and at its end, adds up at every look.
#[test]
fn an_import_tells_the_truth_at_every_moment() {
    let shop =
        Shop::new().set("queue.lease", "1s").set("imports.chunk_size", 200).set("gateway.latency", "100ms");
    let file = orders(&shop, 1, 3_000);
    let process = shop.start(&import(&file));
    let mut looks = 0;
    wait_until("half of the rows are in", || {
        let Some((done, total)) = told(&shop) else { return false };
        looks += 1;
        done * 2 >= total && total > 0
    });
    process.kill();
    sleep(Duration::from_millis(50));
    let (done, total) = told(&shop).expect("the import is known");
    assert!(looks > 1 && done < total, "{done} of {total} after {looks} looks");
    let status = shop.json(&["imports", "show", "1"]);
    assert_eq!(status["import"]["status"], "running", "its state is the ledger's");
    let shown = shop.done(&["imports", "show", "1"]).stdout;
    assert!(shown.contains(&format!("{} %", done * 100 / total)) && !shown.contains("100 %"), "{shown}");
    shop.done(&import(&file));
    let (done, rows) = told(&shop).expect("the import is known");
    assert_eq!((done, rows), (total, total));
    assert_eq!(shop.json(&["imports", "show", "1"])["import"]["status"], "completed");
    shop.assert_clean();
}

/// Rows that are done, and all rows, as `imports show` tells; none where the import is not there yet.
fn told(shop: &Shop) -> Option<(i64, i64)> {
    if shop.count("SELECT COUNT(*) FROM imports") == 0 {
        return None;
    }
    let shown = shop.json(&["imports", "show", "1"]);
    let number =
        |field: &str| shown["import"][field].as_i64().unwrap_or_else(|| panic!("no {field} in {shown}"));
    let parts = ["rows_imported", "rows_duplicate", "rows_rejected", "rows_skipped"].map(number);
    let (done, total) = (parts.iter().sum::<i64>(), number("rows_total"));
    assert_eq!(done + number("rows_not_reached"), total, "{shown}");
    assert!((0..=total).contains(&done), "{shown}");
    Some((done, total))
}
