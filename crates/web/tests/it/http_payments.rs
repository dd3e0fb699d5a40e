//! A shop and a gateway that are two servers, from the order to the callback.

use std::time::Duration;

use app::config::GatewaySettings;

use crate::support::{PRICE, Pair, reliable};

#[tokio::test]
async fn orders_are_charged_and_called_back_over_http() {
    let pair = Pair::open(reliable()).await;
    let orders = pair.place(40).await;
    pair.until_all_are(&orders, "confirmed/paid").await;
    for order in &orders {
        assert_eq!(pair.shop.count_events(*order, "order_confirmed").await, 1);
        let charge = pair.charge(*order).await;
        assert_eq!(
            (&charge["state"], &charge["amount"]["amount"]),
            (&"captured".into(), &(2 * PRICE).into())
        );
    }
    assert_eq!(pair.shop.mugs().await.reserved, 80);
    assert_eq!(pair.shop.count_deliveries().await, 40);
}

#[tokio::test]
async fn a_gateway_that_declines_everything_fails_all_orders_and_frees_their_stock() {
    let pair = Pair::open(GatewaySettings { decline_rate: 1.0, ..reliable() }).await;
    let orders = pair.place(20).await;
    pair.until_all_are(&orders, "failed/failed").await;
    assert_eq!(pair.shop.order(orders[0]).await.row.fail_reason, Some("declined"));
    assert_eq!(pair.shop.mugs().await.reserved, 0);
}

#[tokio::test]
async fn callbacks_sent_twice_and_out_of_order_confirm_once() {
    let pair = Pair::open(GatewaySettings { duplicate_rate: 1.0, reorder_rate: 1.0, ..reliable() }).await;
    let orders = pair.place(20).await;
    let shop = &pair.shop;
    shop.work_until(async || shop.count_deliveries().await == 60).await;
    assert!(shop.all_are(&orders, "confirmed/paid").await);
    assert_eq!(shop.count_verdict("applied").await, 20);
    assert_eq!(shop.count_verdict("duplicate").await, 20);
    assert_eq!(shop.count_verdict("stale").await + shop.count_verdict("ignored").await, 20);
    assert_eq!(shop.mugs().await.reserved, 40);
}

#[tokio::test]
async fn a_charge_that_nobody_decides_expires_and_is_called_off() {
    let settings = GatewaySettings {
        silence_rate: 1.0,
        latency: Duration::from_hours(1),
        reservation_deadline: Duration::from_mins(1),
        ..reliable()
    };
    let pair = Pair::open(settings).await;
    let orders = pair.place(5).await;
    pair.until_all_are(&orders, "reserved/pending").await;
    assert_eq!(app::payments::settle_overdue(&pair.shop.app, 100).await.unwrap(), 0, "not yet");
    pair.shop.clock.advance(Duration::from_secs(61));
    assert_eq!(app::payments::settle_overdue(&pair.shop.app, 100).await.unwrap(), 5);
    assert!(pair.shop.all_are(&orders, "failed/failed").await);
    assert_eq!(pair.shop.order(orders[0]).await.row.fail_reason, Some("expired"));
    assert_eq!(pair.shop.mugs().await.reserved, 0);
    assert_eq!(pair.charge(orders[0]).await["state"], "voided");
}

#[tokio::test]
async fn a_capture_that_nobody_told_of_is_found_out_at_the_deadline() {
    let settings =
        GatewaySettings { silence_rate: 1.0, reservation_deadline: Duration::from_mins(1), ..reliable() };
    let pair = Pair::open(settings).await;
    let orders = pair.place(5).await;
    pair.until_all_are(&orders, "reserved/pending").await;
    pair.shop.clock.advance(Duration::from_secs(61));
    app::payments::settle_overdue(&pair.shop.app, 100).await.unwrap();
    assert!(pair.shop.all_are(&orders, "confirmed/paid").await);
    assert_eq!(pair.shop.count_deliveries().await, 0);
}

#[tokio::test]
async fn orders_wait_for_a_gateway_that_is_down_and_are_confirmed_once_it_is_up() {
    let mut pair = Pair::open_without_gateway(reliable()).await;
    let orders = pair.place(5).await;
    pair.shop.work().await;
    assert!(pair.shop.all_are(&orders, "reserved/unpaid").await, "charged by nobody");
    pair.start_gateway().await;
    pair.shop.clock.advance(Duration::from_secs(10));
    pair.until_all_are(&orders, "confirmed/paid").await;
}

#[tokio::test]
async fn a_gateway_killed_before_its_callbacks_were_due_sends_them_after_it_is_started_again() {
    let mut pair = Pair::open(GatewaySettings { latency: Duration::from_secs(30), ..reliable() }).await;
    let orders = pair.place(20).await;
    pair.until_all_are(&orders, "reserved/pending").await;
    pair.crash_gateway().await;
    pair.start_gateway().await;
    pair.shop.clock.advance(Duration::from_secs(31));
    pair.until_all_are(&orders, "confirmed/paid").await;
    assert_eq!(pair.shop.count_verdict("applied").await, 20);
}

#[tokio::test]
async fn callbacks_that_the_shop_did_not_take_come_again_also_after_a_kill() {
    let mut pair = Pair::open(reliable()).await;
    let callback_url = std::mem::replace(&mut pair.settings.callback_url, "http://127.0.0.1:1/".to_owned());
    pair.crash_gateway().await;
    pair.start_gateway().await;
    let orders = pair.place(5).await;
    pair.until_all_are(&orders, "reserved/pending").await;
    pair.crash_gateway().await;
    pair.settings.callback_url = callback_url;
    pair.start_gateway().await;
    // Beyond the lease of whoever was killed with them in hand, and beyond the wait after a refusal.
    pair.shop.clock.advance(Duration::from_mins(2));
    pair.until_all_are(&orders, "confirmed/paid").await;
    assert_eq!(pair.shop.count_verdict("applied").await, 5);
}
