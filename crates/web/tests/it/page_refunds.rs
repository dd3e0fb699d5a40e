//! The pages of refunds.

use app::Actor;
use app::refunds::{self, Request};
use domain::{IdempotencyKey, OrderId, RefundId, RefundRequest, Role};
use reqwest::StatusCode;

use crate::pages::{sell, text};
use crate::support::{Shop, reliable};

/// A shop with so many confirmed orders, and their ids.
async fn sold(count: usize) -> (Shop, Vec<OrderId>) {
    let shop = Shop::open(reliable()).await;
    shop.stock(1_000).await;
    sell(&shop, 0..count).await;
    let orders = app::orders::names(&shop.app, (1..=count as i64).map(OrderId::from_ledger)).await.unwrap();
    let mut orders: Vec<OrderId> = orders.into_keys().collect();
    orders.sort_unstable();
    (shop, orders)
}

async fn ask(shop: &Shop, order: OrderId, what: RefundRequest, reason: &str) -> RefundId {
    let key = IdempotencyKey::parse(&format!("refund-of-{order}")).unwrap();
    let request = Request { order, key, what, restock: true.into(), reason: Some(reason.to_owned()) };
    refunds::request(&shop.app, &Actor::CLI, request).await.unwrap().refund.id
}

fn one_mug() -> RefundRequest {
    RefundRequest::Lines { lines: vec![(1, 1)], shipping: 0 }
}

#[tokio::test]
async fn refunds_are_found_by_order_and_by_status() {
    let (shop, orders) = sold(2).await;
    let browser = shop.signed_in(Role::Viewer).await;
    assert!(text(&browser, "/refunds").await.contains("Nothing has been refunded yet"));
    ask(&shop, orders[0], one_mug(), "<i>broken</i>").await;
    shop.work().await;
    ask(&shop, orders[1], RefundRequest::Amount(100), "late").await;
    let all = text(&browser, "/refunds?order=&status=").await;
    for told in [
        ">test/0</a>",
        ">test/1</a>",
        "12.50 EUR",
        "1.00 EUR",
        ">succeeded</span>",
        ">requested</span>",
        ">cli<",
    ] {
        assert!(all.contains(told), "{told}: {all}");
    }
    assert!(all.contains("&#60;i&#62;broken") && !all.contains("<i>broken"), "{all}");
    let open = text(&browser, "/refunds?status=requested").await;
    assert!(open.contains(">test/1</a>") && !open.contains(">test/0</a>"), "{open}");
    let of_order = text(&browser, &format!("/refunds?order={}", orders[0])).await;
    assert!(of_order.contains(">test/0</a>") && !of_order.contains(">test/1</a>"), "{of_order}");
    assert!(text(&browser, "/refunds?status=failed").await.contains("No refund here fits"));
}

#[tokio::test]
async fn what_comes_meanwhile_does_not_move_the_parts_of_a_list() {
    let (shop, orders) = sold(4).await;
    let browser = shop.signed_in(Role::Viewer).await;
    for order in &orders[..3] {
        ask(&shop, *order, one_mug(), "broken").await;
    }
    let first = text(&browser, "/refunds?limit=2").await;
    assert!(first.contains(">test/2</a>") && first.contains(">test/1</a>") && !first.contains(">test/0</a>"));
    let (_, rest) = first.split_once("href=\"/refunds?limit=2&#38;cursor=").expect("a next part");
    let cursor = rest.split_once('"').unwrap().0;
    ask(&shop, orders[3], one_mug(), "broken").await;
    let next = text(&browser, &format!("/refunds?limit=2&cursor={cursor}")).await;
    assert!(next.contains(">test/0</a>") && !next.contains(">test/1</a>"), "{next}");
    assert!(!next.contains("rel=\"next\"") && next.contains("To the beginning"), "{next}");
}

#[tokio::test]
async fn a_refund_tells_what_happens_next() {
    let (shop, orders) = sold(1).await;
    let browser = shop.signed_in(Role::Viewer).await;
    let refund = ask(&shop, orders[0], one_mug(), "<i>broken</i>").await;
    let address = format!("/refunds/{refund}");
    let asked = text(&browser, &address).await;
    assert!(asked.contains("A worker asks the payment gateway next"), "{asked}");
    assert!(asked.contains("href=\"/queues/jobs/") && asked.contains("Waits since"), "{asked}");
    assert!(asked.contains("href=\"/products/MUG\"") && asked.contains("back into stock"), "{asked}");
    assert!(asked.contains("&#60;i&#62;broken") && !asked.contains("<i>broken"), "{asked}");
    let looks_again = format!("hx-get=\"{address}\"");
    assert!(asked.contains(&looks_again), "{asked}");
    shop.work().await;
    let paid = text(&browser, &address).await;
    assert!(paid.contains("The money went back") && !paid.contains("/queues/jobs/"), "{paid}");
    assert!(!paid.contains(&looks_again), "nothing more happens to it: {paid}");
    let view = refunds::get(&shop.app, refund).await.unwrap();
    assert!(paid.contains(&view.reference.expect("the gateway names it")), "{paid}");
    assert!(paid.contains(&format!("href=\"/orders/{}\">test/0</a>", orders[0])), "{paid}");
    assert_eq!(browser.get("/refunds/999").await.status(), StatusCode::NOT_FOUND);
}
