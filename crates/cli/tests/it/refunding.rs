//! `ordermill refund`, its keys above all.

use serde_json::json;

use crate::small_orders;

#[test]
fn a_key_is_one_refund_however_often_it_is_sent() {
    let shop = small_orders::imported();
    let ask = ["refund", "native/ORD-100045", "--amount", "100.00", "--key", "dented", "--wait"];
    let first = shop.json(&ask);
    assert_eq!(first["replayed"], false);
    assert_eq!(first["refund"]["status"], "succeeded", "{first}");
    let again = shop.json(&ask);
    assert_eq!(again["replayed"], true);
    assert_eq!(again["refund"]["id"], first["refund"]["id"]);
    let order = shop.json(&["orders", "show", "native/ORD-100045"]);
    assert_eq!(order["refunded"], json!({ "amount": 10_000, "currency": "EUR" }));
    assert_eq!(order["payment"], "partially_refunded");
    assert_eq!(order["refunds"].as_array().map(Vec::len), Some(1));
    shop.assert_clean();
}

#[test]
fn a_key_is_not_taken_for_another_refund() {
    let shop = small_orders::imported();
    shop.done(&["refund", "native/ORD-100045", "--amount", "1.00", "--key", "dented"]);
    let other = shop.run(&["refund", "native/ORD-100045", "--amount", "2.00", "--key", "dented"]);
    assert_eq!(other.code(), Some(1), "{other}");
    assert!(other.stderr.contains("`dented` was used before"), "{other}");
}

#[test]
fn without_a_key_equal_refunds_are_two_and_each_tells_its_key() {
    let shop = small_orders::imported();
    let ask = ["refund", "native/ORD-100045", "--amount", "1.00"];
    let (first, second) = (shop.json(&ask), shop.json(&ask));
    assert_ne!(first["refund"]["key"], second["refund"]["key"]);
    let told = shop.done(&ask);
    assert!(told.stdout.contains("with the key cli-"), "{told}");
    shop.done(&["work", "--until-idle"]);
    assert_eq!(shop.json(&["orders", "show", "native/ORD-100045"])["refunded"]["amount"], 300);
}

#[test]
fn units_of_a_line_go_back_on_sale_unless_they_must_not() {
    let shop = small_orders::imported();
    let story = shop.json(&["orders", "show", "native/ORD-100045"]);
    let sku = story["lines"][1]["sku"].as_str().expect("a SKU").to_owned();
    let stock = |shop: &crate::support::Shop| {
        let product = shop.json(&["stock", "show", &sku])["product"].clone();
        (product["on_hand"].as_i64(), product["reserved"].as_i64())
    };
    assert_eq!(stock(&shop), (Some(100), Some(2)));
    shop.done(&["refund", "native/ORD-100045", "--line", "2:1", "--wait"]);
    assert_eq!(stock(&shop), (Some(100), Some(1)));
    shop.done(&["refund", "native/ORD-100045", "--line", "2:1", "--no-restock", "--wait"]);
    assert_eq!(stock(&shop), (Some(99), Some(0)));
    shop.assert_clean();
}

#[test]
fn no_more_than_was_captured_goes_back() {
    let shop = small_orders::imported();
    let above = shop.run(&["refund", "native/ORD-100046", "--amount", "499.01"]);
    assert_eq!(above.code(), Some(1), "{above}");
    assert!(above.stderr.contains("499.00 EUR left to refund"), "{above}");
    shop.done(&["refund", "native/ORD-100046", "--all", "--wait"]);
    let order = shop.json(&["orders", "show", "native/ORD-100046"]);
    assert_eq!(order["payment"], "refunded");
    let nothing = shop.run(&["refund", "native/ORD-100046", "--all"]);
    assert!(nothing.stderr.contains("nothing is left to refund"), "{nothing}");
}

#[test]
fn what_cannot_be_read_is_refused_before_anything_happens() {
    let shop = small_orders::imported();
    let before = shop.contents();
    for (arguments, code) in [
        (&["refund", "1"][..], 64),
        (&["refund", "1", "--all", "--amount", "1"], 64),
        (&["refund", "1", "--line", "one"], 64),
        (&["refund", "1", "--amount", "1.001"], 1),
        (&["refund", "1", "--amount=-1"], 1),
        (&["refund", "1", "--amount", "0"], 1),
        (&["refund", "1", "--line", "9:1"], 1),
        (&["refund", "1", "--line", "1:0"], 1),
        (&["refund", "9999", "--all"], 1),
    ] {
        let ran = shop.run(arguments);
        assert_eq!(ran.code(), Some(code), "{arguments:?}: {ran}");
        assert!(ran.stderr.starts_with("error: "), "{arguments:?}: {ran}");
    }
    assert_eq!(shop.contents(), before);
}
