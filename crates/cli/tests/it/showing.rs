//! The demo, the self-test and the sample data.

use serde_json::json;

use crate::support::{Shop, wait_until};

#[test]
fn the_demo_shows_everything_and_ends_clean() {
    let shop = Shop::new();
    let ran = shop.done(&["demo", "--exit", "--orders", "60"]);
    for part in [
        "Import",
        "nothing changed",
        "Refunds",
        "replayed",
        "Key figures",
        "The best customers",
        "all rules hold",
    ] {
        assert!(ran.stdout.contains(part), "{part:?} is missing: {ran}");
    }
    assert!(shop.is_untouched(), "the demo leaves the shop's own database alone");
    let answer = shop.json(&["demo", "kept", "--exit", "--orders", "60"]);
    assert_eq!(answer["again"]["outcome"], "unchanged", "{answer}");
    assert!(shop.path("kept/ordermill.db").exists());
    shop.set("redis.url", "").done(&["verify", "--database", "kept/ordermill.db"]);
}

#[test]
fn orders_go_on_coming_while_somebody_looks_around_in_the_demo() {
    let shop = Shop::new().set("web.listen", "127.0.0.1:0");
    let demo = shop.start(&["demo", "kept", "--orders", "20"]);
    wait_until("it serves, and tells how to sign in", || demo.stdout().contains("/setup/"));
    assert!(demo.stdout().contains("serving the dashboard on http://"));
    let shop = shop.set("redis.url", "");
    let listed = ["orders", "list", "--database", "kept/ordermill.db", "--source", "live", "--status", "confirmed", "--json"];
    wait_until("an order has come and is paid", || shop.done(&listed).stdout.contains("LIVE-1"));
    let ended = demo.terminate();
    assert!(ended.code().is_some(), "{ended}");
    shop.done(&["verify", "--database", "kept/ordermill.db"]);
}

#[test]
fn the_self_test_passes_and_leaves_the_shop_alone() {
    let shop = Shop::new();
    let answer = shop.json(&["selftest", "all", "--csv-rows", "40", "--delay", "1"]);
    assert_eq!(answer["failed"], 0, "{answer}");
    assert!(answer["checks"].as_u64() > Some(40), "{answer}");
    assert!(shop.is_untouched());
}

#[test]
fn sample_data_passes_the_whole_workflow_once() {
    let shop = Shop::new();
    let seed = ["seed", "--rows", "100"];
    let report = shop.json(&seed)["imports"][0].clone();
    assert_eq!(report["outcome"], "imported", "{report}");
    assert_eq!(report["orders"], json!({ "confirmed": 40 }), "{report}");
    assert_eq!(shop.json(&seed)["imports"][0]["outcome"], "unchanged");
    shop.assert_clean();
}
