//! Orders, stock and queues, typed by hand.

use serde_json::json;

use crate::small_orders;
use crate::support::Shop;

#[test]
fn an_order_is_placed_paid_shipped_and_delivered() {
    let shop = Shop::new();
    shop.done(&["stock", "receive", "TEA-1", "10", "--name", "Teapot", "--price", "19.99"]);
    let place = ["orders", "place", "--id", "A-1", "--email", "jane@example.com", "--line", "TEA-1:3"];
    let placed = shop.json(&place);
    assert_eq!(placed["is_new"], true);
    assert_eq!(placed["order"]["total"], json!({ "amount": 5_997, "currency": "EUR" }));
    assert_eq!(shop.json(&place)["is_new"], false, "the same order twice is one");
    shop.done(&["work", "--until-idle"]);
    assert_eq!(shop.json(&["orders", "show", "cli/A-1"])["status"], "confirmed");

    let part = shop.json(&["orders", "ship", "cli/A-1", "--line", "1:1", "--carrier", "Post"]);
    assert_eq!(part["fulfilment"], "partially_shipped");
    assert_eq!(shop.json(&["orders", "ship", "cli/A-1"])["fulfilment"], "shipped");
    let delivered = shop.json(&["orders", "deliver", "cli/A-1"]);
    assert_eq!((&delivered["status"], &delivered["fulfilment"]), (&json!("completed"), &json!("delivered")));
    let cancel = shop.run(&["orders", "cancel", "cli/A-1"]);
    assert_eq!(cancel.code(), Some(1), "{cancel}");
    assert!(cancel.stderr.contains("cannot cancel"), "{cancel}");
    shop.done(&["work", "--until-idle"]);
    let product = shop.json(&["stock", "show", "TEA-1"]);
    assert_eq!((&product["product"]["on_hand"], &product["product"]["reserved"]), (&json!(7), &json!(0)));
    shop.assert_clean();
}

#[test]
fn an_order_that_nobody_knows_is_named_in_the_refusal() {
    let shop = Shop::new();
    for name in ["7", "native/NOPE", "nonsense", "/", "-5"] {
        let ran = shop.run(&["orders", "show", "--", name]);
        assert_eq!(ran.code(), Some(1), "{name}: {ran}");
        assert!(ran.stderr.contains(&format!("there is no order {name}")), "{ran}");
        assert!(ran.stderr.contains("SOURCE/EXTERNAL_ID"), "it says how orders are named: {ran}");
    }
}

#[test]
fn stock_is_put_right_but_never_below_what_orders_hold() {
    let shop = small_orders::imported();
    let sku = shop.json(&["orders", "show", "native/ORD-100046"])["lines"][0]["sku"].clone();
    let sku = sku.as_str().expect("a SKU");
    let adjusted = shop.json(&["stock", "adjust", sku, "-9"]);
    assert_eq!(adjusted["products"][0]["on_hand"], 91);
    let below = shop.run(&["stock", "adjust", sku, "-91"]);
    assert_eq!(below.code(), Some(1), "{below}");
    assert!(below.stderr.contains("1 of them held for orders"), "{below}");
}

#[test]
fn a_paused_queue_is_told_by_status_until_it_is_continued() {
    let shop = small_orders::imported();
    assert_eq!(shop.json(&["status"])["attention"], json!([]));
    shop.done(&["queue", "pause", "payments"]);
    let paused = shop.run(&["status"]);
    assert_eq!(paused.code(), Some(1), "{paused}");
    assert!(paused.stdout.contains("ordermill queue continue payments"), "{paused}");
    shop.done(&["queue", "continue", "payments"]);
    shop.done(&["status"]);
    let unknown = shop.run(&["queue", "pause", "paiments"]);
    assert_eq!(unknown.code(), Some(1), "{unknown}");
    assert!(unknown.stderr.contains("payments"), "the queues are listed: {unknown}");
}

#[test]
fn a_mail_can_be_read_and_sent_once_more() {
    let shop = small_orders::imported();
    let listed = shop.json(&["notifications", "list", "--order", "native/ORD-100046"]);
    let id = listed["notifications"][0]["id"].to_string();
    let shown = shop.done(&["notifications", "show", &id]);
    assert!(shown.stdout.contains("ORD-100046"), "{shown}");
    shop.done(&["notifications", "resend", &id]);
    shop.done(&["work", "--until-idle"]);
    let listed = shop.json(&["notifications", "list", "--order", "native/ORD-100046"]);
    assert_eq!(listed["notifications"].as_array().map(Vec::len), Some(2), "{listed}");
    assert_eq!(listed["notifications"][1]["status"], "sent");
}

#[test]
fn a_dead_job_is_shown_retried_and_deleted() {
    let shop = small_orders::imported();
    assert_eq!(shop.json(&["queue", "failed"])["failures"], json!([]));
    assert_eq!(shop.json(&["queue", "retry", "--all"])["retried"], 0);
    assert_eq!(shop.json(&["queue", "flush"])["deleted"], 0);
    let unknown = shop.run(&["queue", "show", "123456"]);
    assert_eq!(unknown.code(), Some(1), "{unknown}");
    assert!(unknown.stderr.contains("there is no job 123456"), "{unknown}");
    let stats = shop.json(&["queue", "work-stats"]);
    let kinds: Vec<&str> = stats["stats"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|row| row["completed"].as_u64() > Some(0))
        .filter_map(|row| row["kind"].as_str())
        .collect();
    assert!(kinds.contains(&"reserve_stock") && kinds.contains(&"take_payment"), "{stats}");
}

#[test]
fn a_database_without_its_schema_is_refused_where_nothing_may_be_migrated() {
    let shop = Shop::new();
    let ran = shop.run(&["orders", "list", "--no-migrate"]);
    assert_eq!(ran.code(), Some(1), "{ran}");
    assert!(ran.stderr.contains("ordermill migrate"), "{ran}");
    let migrated = shop.json(&["migrate"]);
    assert!(migrated["applied"].as_array().is_some_and(|steps| !steps.is_empty()), "{migrated}");
    assert_eq!(shop.json(&["migrate"])["applied"], json!([]));
    shop.done(&["orders", "list", "--no-migrate"]);
}
