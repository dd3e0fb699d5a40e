//! What people do to orders is in the operators' log: who, what, to which, and once.

use app::orders::{self, Deed, Shipping};
use app::refunds::{self, Request};
use app::{Actor, access};
use domain::{Email, IdempotencyKey, OrderId, RefundRequest};
use serde_json::json;
use store::operator_actions::Search;

use crate::support::{TestApp, order};

fn ann() -> Actor {
    Actor::user(&Email::parse("ann@example.org").unwrap())
}

/// A shop with 10 teas, and an order of 4 that is paid.
async fn paid() -> (TestApp, OrderId) {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 10).await;
    let id = order("1").line("TEA", 4, 1_000).place(&test).await;
    test.run_jobs().await;
    (test, id)
}

/// What the log tells of orders, oldest first.
async fn log(test: &TestApp) -> Vec<String> {
    let search = Search { text: Some("order ".to_owned()), limit: 100, ..Search::default() };
    let mut actions = access::actions(&test.app, search).await.unwrap().rows;
    actions.reverse();
    let told = |after: Option<serde_json::Value>| after.map(|after| after.to_string()).unwrap_or_default();
    let line = |one: store::operator_actions::RecordedAction| {
        format!("{} {} {} {}", one.actor, one.kind, one.subject, told(one.after))
    };
    actions.into_iter().map(line).collect()
}

#[tokio::test]
async fn who_ships_delivers_refunds_and_cancels_is_in_the_operators_log() {
    let (test, id) = paid().await;
    let shipping = Shipping { tracking: Some("RR1".to_owned()), ..Shipping::default() };
    orders::ship(&test.app, &ann(), id, shipping).await.unwrap();
    orders::deliver(&test.app, &ann(), id).await.unwrap();
    let key = || IdempotencyKey::parse("cracked").unwrap();
    for _ in 0..2 {
        let what = RefundRequest::Amount(300);
        let request = Request { order: id, key: key(), what, restock: true.into(), reason: None };
        refunds::request(&test.app, &ann(), request).await.unwrap();
    }
    let unpaid = order("2").line("TEA", 1, 1_000).place(&test).await;
    orders::cancel(&test.app, &ann(), unpaid, Some("a joke".to_owned())).await.unwrap();
    let refund = test.number("SELECT id FROM refunds").await;
    let shipped = json!({ "lines": [], "carrier": null, "tracking": "RR1" });
    let asked = json!({ "refund": refund, "amount": 300, "reason": null });
    assert_eq!(
        log(&test).await,
        [
            format!("user:ann@example.org order_shipped order {id} {shipped}"),
            format!("user:ann@example.org order_delivered order {id} "),
            format!("user:ann@example.org refund_requested order {id} {asked}"),
            format!("user:ann@example.org order_cancelled order {unpaid} {}", json!({ "reason": "a joke" })),
        ]
    );
    test.run_jobs().await;
    test.assert_clean().await;
}

#[tokio::test]
async fn what_is_only_looked_at_or_refused_is_not_in_the_operators_log() {
    let (test, id) = paid().await;
    orders::preview(&test.app, &ann(), id, Deed::Cancel { reason: None }, None).await.unwrap();
    orders::deliver(&test.app, &ann(), id).await.unwrap_err();
    assert_eq!(log(&test).await, Vec::<String>::new());
}
