//! Workers in several processes, which need nothing but the same settings.

use std::collections::BTreeMap;

use crate::books::Books;
use crate::faults::{import, orders};
use crate::support::{Process, Shop, wait_until};

const ORDERS: i64 = 4_000;

#[test]
fn workers_that_come_later_take_their_share_with_no_setting_changed() {
    let shop = Shop::new().set("queue.keep_completed", "1h");
    let file = orders(&shop, 1, ORDERS.cast_unsigned());
    shop.done(&[import(&file), vec!["--detach"]].concat());
    let at_rest = || shop.count("SELECT COUNT(*) FROM orders WHERE status = 3");
    let mut workers = vec![shop.start(&["work"]), shop.start(&["work"])];
    wait_until("two workers have done something", || at_rest() > 0);
    workers.extend([shop.start(&["work"]), shop.start(&["work"])]);
    assert!(at_rest() < ORDERS, "nothing was left for those that came later");
    wait_until("all orders are confirmed", || at_rest() == ORDERS);
    wait_until("nothing is left to do", || shop.executing(None) == 0 && waiting(&shop) == 0);
    assert!(workers.iter_mut().all(Process::is_running), "workers stay");
    let shares = completed_by_worker(&shop);
    println!("jobs that each worker has completed: {shares:?}");
    assert_eq!(shares.len(), workers.len(), "each has taken a share, and nobody else has: {shares:?}");
    for worker in workers {
        let ended = worker.terminate();
        assert_eq!(ended.code(), Some(0), "{ended}");
    }
    shop.done(&["work", "--until-idle"]);
    Books::of(&shop).assert_each_effect_once(ORDERS);
    shop.assert_clean();
}

/// How many jobs wait for a worker or for their time.
fn waiting(shop: &Shop) -> usize {
    let listed =
        |state| shop.json(&["queue", "list", "--state", state])["jobs"].as_array().map_or(0, Vec::len);
    ["available", "scheduled", "retryable"].into_iter().map(listed).sum()
}

/// How many of the jobs that are done and kept each worker has done, by its id.
fn completed_by_worker(shop: &Shop) -> BTreeMap<i64, usize> {
    let mut shares = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let mut command = vec!["queue", "list", "--state", "completed", "--limit", "500"];
        command.extend(after.iter().flat_map(|after| ["--after", after]));
        let page = shop.json(&command);
        for job in page["jobs"].as_array().expect("a list of jobs") {
            *shares.entry(job["worker"].as_i64().expect("who has done it")).or_default() += 1;
        }
        let Some(next) = page["next"].as_str() else { return shares };
        after = Some(next.to_owned());
    }
}
