//! KPIs and leaderboards, in the shapes that others parse.

use serde_json::{Value, json};

use crate::small_orders;

fn names(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

#[test]
fn kpis_have_the_shape_that_others_parse() {
    let shop = small_orders::imported();
    let report = shop.json(&["kpis", "--from", "2025-10-01", "--to", "2025-10-31"]);
    let mut known = ["from", "to", "granularity", "time_zone", "currency", "periods", "total"]
        .map(str::to_owned)
        .to_vec();
    known.sort();
    assert_eq!(names(&report), known);
    assert_eq!(report["periods"].as_array().map(Vec::len), Some(1), "days without anything are left out");
    let money = |amount: i64| json!({ "amount": amount, "currency": "EUR" });
    let mut total = json!({
        "orders": 3, "units": 8, "gross": money(179_394), "refunds": money(0), "net": money(179_394),
        "average_order_value": money(59_798), "refund_rate": 0.0, "failed": 0, "cancelled": 0,
        "payment_success_rate": 1.0, "new_customers": 3, "returning_customers": 0,
    });
    assert_eq!(report["total"], total);
    total["start"] = json!("2025-10-18");
    assert_eq!(report["periods"][0], total);
}

#[test]
fn leaderboards_have_the_shape_that_others_parse() {
    let shop = small_orders::imported();
    let board = shop.json(&["leaderboard", "--period", "all", "--limit", "2"]);
    assert_eq!(names(&board), ["currency", "date", "entries", "of", "period"]);
    assert_eq!(board["entries"].as_array().map(Vec::len), Some(2));
    let first = &board["entries"][0];
    assert_eq!(names(first), ["customer", "net", "orders", "rank"]);
    assert_eq!(names(&first["customer"]), ["email", "external_id", "id", "name"]);
    assert_eq!((&first["rank"], &first["orders"]), (&json!(1), &json!(1)));
    assert_eq!(first["net"], json!({ "amount": 113_898, "currency": "EUR" }));
    let products =
        shop.json(&["leaderboard", "--of", "products", "--period", "month", "--date", "2025-10-02"]);
    assert_eq!(names(&products["entries"][0]), ["net", "product", "rank", "units"]);
    assert_eq!(products["date"], "2025-10-02");
}

#[test]
fn a_rebuild_finds_nothing_to_put_right() {
    let shop = small_orders::imported();
    let rebuilt = shop.json(&["analytics", "rebuild"]);
    assert_eq!(rebuilt, json!({ "orders": 3, "days": [] }));
}

#[test]
fn a_date_that_is_none_is_refused() {
    let shop = small_orders::imported();
    for arguments in [
        &["kpis", "--date", "2025-02-30"][..],
        &["kpis", "--from", "2025-01-01"],
        &["kpis", "--granularity", "hour"],
        &["kpis", "--currency", "QQQ"],
        &["leaderboard", "--limit", "0"],
        &["leaderboard", "--of", "cats"],
    ] {
        let ran = shop.run(arguments);
        assert_eq!(ran.code(), Some(64), "{arguments:?}: {ran}");
    }
}
