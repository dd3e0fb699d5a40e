//! Stock is sold once, held for the orders that it says, and moves once for each cause.

use std::sync::Arc;

use app::workers::Workers;
use app::{Actor, Error};
use domain::{OrderId, Sku};

use crate::ledger::at_once;
use crate::support::{TestApp, order};

/// The number of orders that each task places: all of them where the tests may take their time.
fn orders_a_task() -> u32 {
    if std::env::var("ORDERMILL_CHAOS").is_ok_and(|value| value == "full") { 1_000 } else { 100 }
}

const TASKS: u32 = 64;
const SKUS: u32 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn the_last_unit_is_sold_once_however_many_buy_at_once() {
    let test = TestApp::with(|config| config.gateway.latency = std::time::Duration::ZERO).await;
    let each = orders_a_task();
    // Less than a third of what is wanted, in tests of any size.
    let units = i64::from(each) / 2;
    for sku in 0..SKUS {
        test.stock(&format!("S-{sku}"), "Sold by everybody", units).await;
    }
    let test = Arc::new(test);
    let workers = Workers::start(&test.app).await.unwrap();
    let placing = (0..TASKS).map(|task| {
        let test = Arc::clone(&test);
        async move {
            for n in 0..each {
                let first = (task + n) % SKUS;
                let builder = order(&format!("{task}-{n}")).line(&format!("S-{first}"), 1, 100);
                let builder = match n % 3 {
                    0 => builder.line(&format!("S-{}", (first * 7 + 3) % SKUS), 1, 100),
                    1 => builder.line(&format!("S-{first}"), 1, 100),
                    _ => builder,
                };
                builder.place(&test).await;
            }
        }
    });
    at_once(placing).await;
    workers.run_until_idle().await.unwrap();

    let sold = "SELECT l.sku || ' ' || SUM(l.quantity) FROM order_lines l JOIN orders o ON o.id = l.order_id \
                WHERE o.status = 3 GROUP BY l.sku ORDER BY l.sku";
    let sold = test.texts(sold).await;
    assert_eq!(sold.len(), SKUS as usize);
    for line in sold {
        let (sku, sold) = line.split_once(' ').unwrap();
        let sold: i64 = sold.parse().unwrap();
        assert!(sold <= units, "{sold} units of {sku} were sold, of {units}");
        assert_eq!(test.level(sku).await, (units, sold));
    }
    assert_eq!(test.number("SELECT COUNT(*) FROM orders").await, i64::from(TASKS * each));
    assert_eq!(test.number("SELECT COUNT(*) FROM orders WHERE status NOT IN (3, 5)").await, 0);
    assert_eq!(test.number("SELECT COUNT(*) FROM orders WHERE status = 5 AND fail_reason <> 1").await, 0);
    let failed = test.number("SELECT COUNT(*) FROM orders WHERE status = 5").await;
    assert!(failed > i64::from(TASKS * each) / 4, "only {failed} orders were too many");
    assert_eq!(test.number("SELECT COUNT(*) FROM job_errors").await, 0);
    test.assert_clean().await;
}

#[tokio::test]
async fn the_same_product_on_two_lines_is_wanted_as_a_whole() {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 3).await;
    let too_much = order("1").line("TEA", 2, 100).line("TEA", 2, 100).place(&test).await;
    let just_right = order("2").line("TEA", 1, 100).line("TEA", 2, 100).place(&test).await;
    test.run_jobs().await;
    assert_eq!(test.state(too_much).await, "failed (out_of_stock) unpaid unfulfilled 0-0-0");
    assert_eq!(test.state(just_right).await, "confirmed paid unfulfilled 300-0-0");
    assert_eq!(test.level("TEA").await, (3, 3));
    assert_eq!(test.movements(just_right).await, ["order reserve 1", "order reserve 2"]);
    assert_eq!(test.movements(too_much).await, [""; 0]);
    let why = format!("SELECT data FROM order_events WHERE order_id = {too_much} AND version = 2");
    assert_eq!(test.texts(why).await, [r#"{"short":[{"available":3,"sku":"TEA","wanted":4}]}"#]);
    test.assert_clean().await;
}

#[tokio::test]
async fn an_order_gets_all_its_lines_or_none() {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 10).await;
    test.stock("CUP", "Cup", 1).await;
    let short = order("1").line("TEA", 5, 100).line("CUP", 2, 100).place(&test).await;
    let next = order("2").line("TEA", 10, 100).line("CUP", 1, 100).place(&test).await;
    test.run_jobs().await;
    assert_eq!(test.state(short).await, "failed (out_of_stock) unpaid unfulfilled 0-0-0");
    assert_eq!(test.state(next).await, "confirmed paid unfulfilled 1100-0-0");
    assert_eq!(test.told(short).await, ["out_of_stock"]);
    test.assert_clean().await;
}

#[tokio::test]
async fn a_product_whose_stock_is_not_counted_never_runs_out_and_never_moves() {
    let test = TestApp::with(|_| ()).await;
    test.stock("GIFT", "Gift card", 0).await;
    test.stock("TEA", "Tea", 5).await;
    test.execute("UPDATE products SET tracked = 0 WHERE sku = 'GIFT'").await;
    let id = order("1").line("GIFT", 1_000, 10).line("TEA", 2, 100).place(&test).await;
    test.run_jobs().await;
    app::orders::ship(&test.app, &Actor::CLI, id, app::orders::Shipping::default()).await.unwrap();
    test.refund(id, "all", domain::RefundRequest::All, true).await.unwrap();
    test.run_jobs().await;
    assert_eq!(test.state(id).await, "confirmed refunded shipped 10200-10200-0");
    assert_eq!(test.level("GIFT").await, (0, 0));
    assert_eq!(test.movements(id).await, ["order reserve 2", "refund return 2", "shipment ship 2"]);
    let cancelled = order("2").line("GIFT", 1, 10).line("TEA", 1, 100).place(&test).await;
    test.run_jobs().await;
    test.cancel(cancelled).await.unwrap();
    test.run_jobs().await;
    assert_eq!(test.movements(cancelled).await, ["order reserve 1", "order release 1"]);
    test.assert_clean().await;
}

#[tokio::test]
async fn an_order_of_no_money_is_confirmed_without_the_gateway() {
    let test = TestApp::with(|config| config.gateway.decline_rate = 1.0).await;
    test.stock("FREE", "Sample", 5).await;
    let free = order("1").line("FREE", 2, 0).place(&test).await;
    let off = order("2").line("FREE", 1, 500).discount(500).place(&test).await;
    test.run_jobs().await;
    for id in [free, off] {
        assert_eq!(test.state(id).await, "confirmed paid unfulfilled 0-0-0");
        assert_eq!(test.told(id).await, ["confirmation"]);
    }
    assert_eq!(test.number("SELECT COUNT(*) FROM payments").await, 0);
    assert_eq!(test.number("SELECT COUNT(*) FROM simulated_charges").await, 0);
    assert_eq!(test.level("FREE").await, (5, 3));
    test.cancel(free).await.unwrap();
    test.run_jobs().await;
    assert_eq!(test.state(free).await, "cancelled paid unfulfilled 0-0-0");
    assert_eq!(test.level("FREE").await, (5, 1));
    test.assert_clean().await;
}

#[tokio::test]
async fn a_receipt_that_no_count_could_hold_is_refused_and_changes_nothing() {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 5).await;
    let receipt = |quantity| app::stock::Receipt {
        sku: Sku::parse("TEA").unwrap(),
        name: None,
        price: None,
        quantity,
        note: None,
    };
    for receipts in [vec![receipt(i64::MAX)], vec![receipt(i64::MAX - 10), receipt(10)], vec![receipt(-1)]] {
        let refused = app::stock::receive(&test.app, &Actor::CLI, receipts).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    for change in [i64::MAX, i64::MIN, -6] {
        let sku = Sku::parse("TEA").unwrap();
        let refused = app::stock::adjust(&test.app, &Actor::CLI, sku, change, "count".to_owned()).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
    assert_eq!(test.level("TEA").await, (5, 0));
    test.assert_clean().await;
}

#[tokio::test]
async fn stock_is_moved_once_for_an_order_however_often_it_is_asked_for() {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 10).await;
    let id: OrderId = order("1").line("TEA", 4, 100).place(&test).await;
    let job = |id: OrderId| queue::NewJob::new("stock", "reserve_stock", format!(r#"{{"order":{id}}}"#));
    test.app.queue().push((0..20).map(|_| job(id)).collect()).await.unwrap();
    test.run_jobs().await;
    test.app.queue().push(vec![job(id), job(id)]).await.unwrap();
    test.run_jobs().await;
    assert_eq!(test.movements(id).await, ["order reserve 4"]);
    assert_eq!(test.level("TEA").await, (10, 4));
    test.assert_clean().await;
}
