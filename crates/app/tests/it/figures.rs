use analytics::{BoardOf, BoardQuery, Granularity, KpiQuery};
use app::figures;
use app::verify::{Scope, run};
use domain::{OrderId, Period};
use jiff::civil::date;
use serde_json::json;

use crate::lived::{ids, lived};
use crate::support::{TestApp, order};

/// The names of a JSON object's fields.
fn fields(value: &serde_json::Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn shop_of_two() -> TestApp {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 100).await;
    order("1").line("TEA", 2, 500).name("Ada").email("ada@example.com").place(&test).await;
    order("2").line("TEA", 1, 500).without_email().place(&test).await;
    test.run_jobs().await;
    test
}

fn board(test: &TestApp, of: BoardOf) -> BoardQuery {
    let currency = figures::currency(&test.app, None);
    BoardQuery { of, period: Period::All, date: date(2030, 1, 1), currency, limit: 10 }
}

#[tokio::test]
async fn a_leaderboard_tells_who_its_customers_are() {
    let test = shop_of_two().await;
    let found = figures::leaderboard(&test.app, board(&test, BoardOf::Customers)).await.unwrap();
    let found = serde_json::to_value(found).unwrap();
    assert_eq!(
        found,
        json!({"of": "customers", "period": "all", "date": null, "currency": "EUR", "entries": [
            {"rank": 1, "orders": 1, "net": {"amount": 1_000, "currency": "EUR"},
             "customer": {"id": 1, "external_id": "customer-1", "email": "ada@example.com", "name": "Ada"}},
            {"rank": 2, "orders": 1, "net": {"amount": 500, "currency": "EUR"},
             "customer": {"id": 2, "external_id": "customer-2", "email": null, "name": "Ada Lovelace"}},
        ]})
    );
    let products = figures::leaderboard(&test.app, board(&test, BoardOf::Products)).await.unwrap();
    let products = serde_json::to_value(products).unwrap();
    assert_eq!(products["entries"][0]["product"], json!({"id": 1, "sku": "TEA", "name": "Tea"}));
    assert_eq!(products["entries"][0]["units"], 3);
}

#[tokio::test]
async fn a_customers_standing_shows_the_neighbours() {
    let test = shop_of_two().await;
    let second = domain::CustomerId::from_ledger(2);
    let found = figures::standing(&test.app, second, board(&test, BoardOf::Customers)).await.unwrap();
    let ranks: Vec<u64> = found.unwrap().entries.iter().map(|entry| entry.rank).collect();
    assert_eq!(ranks, [1, 2]);
    let nobody = domain::CustomerId::from_ledger(9);
    assert_eq!(figures::standing(&test.app, nobody, board(&test, BoardOf::Customers)).await.unwrap(), None);
}

#[tokio::test]
async fn key_figures_have_the_fields_that_others_parse() {
    let test = shop_of_two().await;
    let day = date(2030, 1, 1);
    let currency = figures::currency(&test.app, None);
    let query = KpiQuery { from: day, to: day, granularity: Granularity::Day, currency };
    let found = serde_json::to_value(figures::kpis(&test.app, query).await.unwrap()).unwrap();
    let mut expected = [
        "start",
        "orders",
        "units",
        "gross",
        "refunds",
        "net",
        "average_order_value",
        "refund_rate",
        "failed",
        "cancelled",
        "payment_success_rate",
        "new_customers",
        "returning_customers",
    ];
    expected.sort_unstable();
    assert_eq!(fields(&found["periods"][0]), expected);
    assert_eq!(found["total"]["gross"], json!({"amount": 1_500, "currency": "EUR"}));
    assert_eq!(found["total"]["new_customers"], 2);
}

#[tokio::test]
async fn a_rebuild_finds_nothing_wrong_with_a_shop_that_has_lived() {
    let test = lived().await;
    let rebuilt = figures::rebuild(&test.app).await.unwrap();
    assert_eq!(rebuilt.days, Vec::new());
    let orders = ids(&test.app, "SELECT COUNT(*) FROM orders").await;
    assert_eq!(rebuilt.orders, orders[0].get().cast_unsigned());
    let report = run(&test.app, Scope::All).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.rules);
}

#[tokio::test]
async fn a_rebuild_names_the_day_that_was_wrong_and_mends_it() {
    let test = shop_of_two().await;
    match test.app.redis() {
        Some(_) => test.spoil("HINCRBY", "EUR:day:2030-01-01:kpis", &["gross", "7"]).await,
        None => test.execute("UPDATE kpi_periods SET gross = gross + 7 WHERE period = 1").await,
    }
    assert!(!run(&test.app, Scope::All).await.unwrap().is_clean());
    let rebuilt = figures::rebuild(&test.app).await.unwrap();
    let days: Vec<String> = rebuilt.days.iter().map(ToString::to_string).collect();
    assert_eq!(days, ["2030-01-01 EUR: gross stored 1507, ledger 1500"]);
    assert!(run(&test.app, Scope::All).await.unwrap().is_clean());
    assert_eq!(figures::rebuild(&test.app).await.unwrap().days, Vec::new());
}

/// Refunds of more than an order's total count in the order in which they were settled, which neither their ids nor
/// their times tell.
#[tokio::test]
async fn refunds_count_for_what_the_order_needed_in_the_order_of_the_timeline() {
    let test = shop_of_two().await;
    let refund = |id: i64, amount: i64| {
        format!(
            "INSERT INTO refunds VALUES ({id}, 'cli', 'k{id}', x'', 1, NULL, {amount}, {amount}, 'EUR', 3, 1, 0, 0, NULL, \
             'cli', NULL, NULL, 0, 5, 0)"
        )
    };
    let event = |version: i64, id: i64| {
        format!(
            "INSERT INTO order_events VALUES (1, {version}, 14, 5, 'cli', NULL, 0, '{{\"refund\": {id}}}')"
        )
    };
    let rows = [refund(50, 300), refund(51, 900), event(100, 51), event(101, 50)];
    test.app
        .transaction("settle", move |tx| {
            for row in &rows {
                tx.execute(row, &[])?;
            }
            Ok::<_, app::Error>(())
        })
        .await
        .unwrap();
    let order = [OrderId::from_ledger(1)];
    let counted = test
        .app
        .read("counted", move |tx| Ok::<_, app::Error>(store::facts::list_counted_refunds(tx, &order)?))
        .await
        .unwrap();
    let counted: Vec<(i64, i64)> = counted.iter().map(|refund| (refund.id.get(), refund.counted)).collect();
    assert_eq!(counted, [(51, 900), (50, 100)], "the order's total is 1000");
}
