//! The figures where Redis keeps them: they follow the ledger whatever happens to Redis.

use std::sync::atomic::{AtomicBool, Ordering};

use analytics::{BoardOf, BoardQuery, Granularity, KpiQuery};
use app::App;
use app::figures;
use app::verify::{Scope, run};
use app::workers::{Workers, is_idle};
use domain::Period;
use jiff::civil::date;
use testkit::Space;

use crate::support::{TestApp, order};

async fn shop() -> TestApp {
    let test = TestApp::on(Space::on(false, true), |_| ()).await;
    test.stock("TEA", "Tea", 10_000).await;
    test
}

async fn orders(test: &TestApp) -> i64 {
    let day = date(2030, 1, 1);
    let currency = figures::currency(&test.app, None);
    let query = KpiQuery { from: day, to: day, granularity: Granularity::Day, currency };
    figures::kpis(&test.app, query).await.unwrap().total.orders
}

async fn assert_clean(test: &TestApp) {
    let report = run(&test.app, Scope::All).await.unwrap();
    let breaches: Vec<String> = report.breaches().map(ToString::to_string).collect();
    assert!(report.is_clean(), "{}", breaches.join("\n"));
}

#[tokio::test]
async fn figures_changed_by_hand_are_reported_under_rule_6_and_a_rebuild_mends_them() {
    let test = shop().await;
    for number in 1..=3 {
        order(&number.to_string()).line("TEA", 1, 500).place(&test).await;
    }
    test.run_jobs().await;
    assert_clean(&test).await;
    let breaches: &[(&str, &str, &[&str])] = &[
        ("HINCRBY", "EUR:day:2030-01-01:kpis", &["orders", "1"]),
        ("HINCRBY", "EUR:week:2029-12-31:kpis", &["gross", "1"]),
        ("HINCRBY", "EUR:all:kpis", &["customers", "1"]),
        ("ZINCRBY", "EUR:day:2030-01-01:customers", &["1", "nobody"]),
        ("HDEL", "EUR:month:2030-01-01:products:scores", &["1"]),
        ("DEL", "EUR:day:2030-01-01:kpis", &[]),
        ("DEL", "EUR:all:products", &[]),
        ("DEL", "EUR:firsts", &[]),
        ("DEL", "currencies", &[]),
    ];
    for (command, key, args) in breaches {
        test.spoil(command, key, args).await;
        let report = run(&test.app, Scope::All).await.unwrap();
        let broken: Vec<u8> = report.breaches().map(|breach| breach.rule).collect();
        assert!(!broken.is_empty() && broken.iter().all(|rule| *rule == 6), "{command} {key}: {broken:?}");
        figures::rebuild(&test.app).await.unwrap();
        assert_clean(&test).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_flushed_under_load_ends_with_the_figures_of_the_ledger() {
    let test = shop().await;
    let workers = Workers::start(&test.app).await.unwrap();
    let is_done = AtomicBool::new(false);
    let place = async {
        for number in 1..=200 {
            order(&number.to_string()).line("TEA", 1, 500).place(&test).await;
        }
        is_done.store(true, Ordering::Relaxed);
    };
    let flush = async {
        while !is_done.load(Ordering::Relaxed) {
            tokio::time::sleep(std::time::Duration::from_millis(40)).await;
            test.flush_redis().await;
        }
    };
    tokio::join!(place, flush);
    workers.run_until_idle().await.unwrap();
    assert_eq!(orders(&test).await, 200);
    assert_clean(&test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_figures_are_proven_while_orders_come_in() {
    let test = shop().await;
    let workers = Workers::start(&test.app).await.unwrap();
    let is_done = AtomicBool::new(false);
    let place = async {
        for number in 1..=150 {
            order(&number.to_string()).line("TEA", 1, 500).place(&test).await;
        }
        is_done.store(true, Ordering::Relaxed);
    };
    let prove = async {
        let mut runs = 0;
        while !is_done.load(Ordering::Relaxed) || runs == 0 {
            let report = run(&test.app, Scope::All).await.unwrap();
            let breaches: Vec<String> =
                report.breaches().filter(|breach| breach.rule == 6).map(ToString::to_string).collect();
            assert_eq!(breaches, Vec::<String>::new());
            runs += 1;
        }
    };
    tokio::join!(place, prove);
    workers.run_until_idle().await.unwrap();
    assert_clean(&test).await;
}

#[tokio::test]
async fn nothing_is_idle_before_the_figures_are_in() {
    let test = shop().await;
    let registry = app::jobs::registry(&test.app).unwrap();
    order("1").line("TEA", 1, 500).place(&test).await;
    queue::drain(test.app.queue(), &registry).await.unwrap();
    assert!(!is_idle(&test.app).await.unwrap());
    figures::catch_up(&test.app).await.unwrap();
    assert!(is_idle(&test.app).await.unwrap());
}

#[tokio::test]
async fn figures_move_from_sql_to_redis_and_back_with_the_setting() {
    let space = Space::on(false, true);
    let (url, prefix) = (space.redis_url().unwrap().to_owned(), space.redis_prefix().to_owned());
    let mut test = TestApp::on(space, |config| config.redis.url.clear()).await;
    test.stock("TEA", "Tea", 100).await;
    for (round, number) in (1..=4).enumerate() {
        order(&number.to_string()).line("TEA", 1, 500).place(&test).await;
        test.run_jobs().await;
        assert_eq!(orders(&test).await, number);
        assert_clean(&test).await;
        let to = if round % 2 == 0 { url.clone() } else { String::new() };
        if to.is_empty() {
            App::leave_redis(test.app.config().clone(), test.clock.clone()).await.unwrap();
        }
        let prefix = prefix.clone();
        test = test.restarted(|config| (config.redis.url, config.redis.prefix) = (to, prefix)).await;
        assert_eq!(orders(&test).await, number);
    }
    let board = BoardQuery {
        of: BoardOf::Products,
        period: Period::All,
        date: date(2030, 1, 1),
        currency: figures::currency(&test.app, None),
        limit: 3,
    };
    assert_eq!(figures::leaderboard(&test.app, board).await.unwrap().entries[0].score.count, 4);
}
