//! Orders of the past enter as their file tells them: on their own dates, without stock, mail, or jobs.

use analytics::Granularity;
use app::imports::{DryRun, ImportOptions, dry_run};
use domain::Currency;
use importer::{TotalMismatch, Workflow};
use jiff::civil::date;

use crate::order_file::{csv, into, row, sample, shared, told};
use crate::support::TestApp;

const HEADER: &str = "external_order_id,order_placed_at,currency,product_sku,qty,unit_price_cents,customer_email,\
                      payment_status,fulfilment_status,refunded_amount,cancelled_at";

/// Orders of 2 × 5.00 EUR, one a day, in states that shops write.
const TOLD: &[(&str, &str)] = &[
    ("paid,unfulfilled,,", "confirmed paid unfulfilled 1000-0-0"),
    ("paid,fulfilled,,", "confirmed paid shipped 1000-0-0"),
    ("refunded,unfulfilled,10.00,", "confirmed refunded unfulfilled 1000-1000-0"),
    ("refunded,unfulfilled,,", "confirmed refunded unfulfilled 1000-1000-0"),
    ("partially_refunded,fulfilled,2.50,", "confirmed partially_refunded shipped 1000-250-0"),
    ("voided,unfulfilled,,", "failed (declined) failed unfulfilled 0-0-0"),
    ("pending,unfulfilled,,", "failed (expired) failed unfulfilled 0-0-0"),
    ("refunded,unfulfilled,10.00,2029-12-11T00:00:00Z", "cancelled refunded unfulfilled 1000-1000-0"),
    ("voided,unfulfilled,,2029-12-11T00:00:00Z", "cancelled unpaid unfulfilled 0-0-0"),
];

fn history() -> String {
    let rows = TOLD.iter().enumerate().map(|(n, (told, _))| {
        format!("H{n},2029-12-{:02}T23:30:00Z,EUR,TEA,2,500,h{n}@example.com,{told}", n + 1)
    });
    format!("{HEADER}\n{}\n", rows.collect::<Vec<_>>().join("\n"))
}

fn historical() -> ImportOptions {
    ImportOptions { workflow: Some(Workflow::Historical), ..into("past") }
}

#[tokio::test]
async fn an_order_of_the_past_enters_in_the_state_that_its_row_tells() {
    let test = TestApp::with(|_| ()).await;
    let done = test.import(&test.file("past.csv", history()), historical()).await;
    assert_eq!(told(&done), "completed 9-0-0-0-0");
    for (n, (told, state)) in TOLD.iter().enumerate() {
        let id = test.number(format!("SELECT id FROM orders WHERE external_id = 'H{n}'")).await;
        assert_eq!(test.state(domain::OrderId::from_ledger(id)).await, *state, "{told}");
    }
    for table in ["stock_movements WHERE cause_kind <> 4", "notifications", "simulated_charges", "jobs"] {
        assert_eq!(test.number(format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(test.number("SELECT COUNT(*) FROM orders WHERE notify = 1").await, 0);
    assert_eq!(test.number("SELECT COUNT(*) FROM payments WHERE imported = 0").await, 0);
    assert_eq!(test.number("SELECT COUNT(*) FROM refunds WHERE imported = 0").await, 0);
    assert!(app::workers::is_idle(&test.app).await.unwrap());
    let kpis = test.kpis_of_all_time().await;
    assert_eq!((kpis.orders, kpis.units, kpis.gross.amount), (5, 10, 5_000));
    assert_eq!((kpis.refunds.amount, kpis.failed, kpis.cancelled), (2_250, 2, 2));
    let days = test.kpis(date(2029, 12, 1), date(2029, 12, 31), Granularity::Day).await;
    let days: Vec<(String, i64, i64)> = days
        .periods
        .iter()
        .map(|day| (day.start.to_string(), day.kpis.gross.amount, day.kpis.refunds.amount))
        .collect();
    assert_eq!(
        days[..3],
        [
            ("2029-12-01".to_owned(), 1_000, 0),
            ("2029-12-02".to_owned(), 1_000, 0),
            ("2029-12-03".to_owned(), 1_000, 1_000)
        ]
    );
    test.assert_clean().await;
}

#[tokio::test]
async fn what_a_shop_has_settled_already_is_never_processed_again() {
    let test = TestApp::with(|_| ()).await;
    let options = ImportOptions { workflow: Some(Workflow::Process), ..into("new") };
    let done = test.import(&test.file("past.csv", history()), options).await;
    // Only the order that nobody has paid is taken on.
    assert_eq!(told(&done), "completed 1-0-8-0-0");
    assert_eq!(test.number("SELECT COUNT(*) FROM import_rejects WHERE code = 'already_settled'").await, 8);
    test.assert_clean().await;
}

#[tokio::test]
async fn a_shopify_export_brings_its_figures_and_mails_nobody() {
    let made_up = "Name,Email,Financial Status,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Discount Amount,\
                   Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Refunded Amount\n\
                   #1,a@example.com,paid,unfulfilled,CAD,20.00,0.00,1.00,21.00,0.00,2025-04-04 15:42:08 -0700,2,Net,\
                   10.00,,0.00\n#2,a@example.com,partially_refunded,unfulfilled,CAD,132.32,9.99,7.13,149.44,11.40,\
                   2025-04-04 15:42:08 -0700,3,Shrimp,45.00,,1.54\n#2,a@example.com,,,,,,,,,2025-04-04 15:42:08 -0700,1,\
                   Food,8.72,,\n";
    let test = TestApp::with(|_| ()).await;
    let real = shared("shopify_multiline_partial_refund_CAD.csv");
    let (orders, gross) = if real.is_some() { (20, 223_895) } else { (2, 17_044) };
    let path = real.unwrap_or_else(|| test.file("shopify.csv", made_up));
    let options = ImportOptions { total_mismatch: TotalMismatch::Adjust, ..ImportOptions::default() };
    let done = test.import(&path, options).await;
    let counts = done.progress.counts;
    assert_eq!((counts.orders_imported, counts.rows_rejected, done.rows_not_reached), (orders, 0, 0));
    let currency = app::figures::currency(&test.app, Some(Currency::parse("CAD").unwrap()));
    let (from, to, granularity) = (date(2025, 3, 1), date(2025, 4, 30), Granularity::Month);
    let query = analytics::KpiQuery { from, to, granularity, currency };
    let report = app::figures::kpis(&test.app, query).await.unwrap();
    assert_eq!(
        (report.total.orders, report.total.gross.amount, report.total.refunds.amount),
        (orders, gross, 154)
    );
    assert_eq!(report.total.units, test.number("SELECT SUM(quantity) FROM order_lines").await);
    assert_eq!(test.number("SELECT COUNT(*) FROM notifications").await, 0);
    assert_eq!(test.number("SELECT COUNT(*) FROM simulated_charges").await, 0);
    assert!(app::workers::is_idle(&test.app).await.unwrap());
    test.assert_clean().await;
}

async fn forecast(test: &TestApp, path: &std::path::Path, options: &ImportOptions) -> DryRun {
    let before = test.dump(&[]).await;
    let found = dry_run(&test.app, path, options.clone()).await.unwrap();
    assert_eq!(test.dump(&[]).await, before, "a dry run wrote something");
    assert_eq!(test.spooled(), 0);
    found
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_tells_what_the_import_then_does() {
    for (chunk_size, initial_stock, packed) in [(3, 6, false), (1_000, 0, true), (50, 40, false)] {
        let test = TestApp::with(|_| ()).await;
        let (text, _) = sample(80, 9);
        let options = ImportOptions { chunk_size, initial_stock, ..into("shop") };
        // Some of the orders and products are there already.
        let head: String = text.split_inclusive('\n').take(30).collect();
        test.import(&test.file("head.csv", head), ImportOptions { initial_stock: 9, ..into("shop") }).await;
        let bytes = if packed { zstd::encode_all(text.as_bytes(), 1).unwrap() } else { text.into_bytes() };
        let path = test.file("all.csv", bytes);
        let products = test.number("SELECT COUNT(*) FROM products").await;
        let dead = test.number("SELECT COUNT(*) FROM orders WHERE status = 5").await;
        let found = forecast(&test, &path, &options).await;
        let done = test.import(&path, options).await;
        let counts = done.progress.counts;
        assert_eq!(found.rows as i64, done.import.rows_total);
        assert_eq!(found.orders_imported as i64, counts.orders_imported);
        assert_eq!(found.orders_duplicate as i64, counts.orders_duplicate);
        assert_eq!(found.orders_rejected as i64, counts.orders_rejected);
        assert_eq!(found.rows_rejected as i64, counts.rows_rejected);
        assert_eq!(
            found.products_created as i64,
            test.number("SELECT COUNT(*) FROM products").await - products
        );
        let short = test.number("SELECT COUNT(*) FROM orders WHERE status = 5").await - dead;
        assert_eq!(found.orders_short as i64, short, "in chunks of {chunk_size}");
        assert_eq!(found.shortfalls.is_empty(), short == 0);
        test.assert_clean().await;
    }
}

#[tokio::test]
async fn a_dry_run_of_unknown_products_rejects_what_the_import_rejects() {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 2).await;
    let rows =
        [row("A", "TEA", 2, 500), row("B", "TEA", 1, 500), row("C", "NEW", 1, 500), row("C", "TEA", 1, 500)];
    let unknown_products = app::imports::UnknownProducts::Reject;
    let options = ImportOptions { unknown_products, ..into("shop") };
    let path = test.file("a.csv", csv(&rows));
    let found = forecast(&test, &path, &options).await;
    assert_eq!((found.orders_imported, found.orders_rejected, found.rows_rejected), (2, 1, 2));
    assert_eq!((found.orders_short, found.products_created), (1, 0));
    let short = app::imports::Shortfall { sku: "TEA".to_owned(), wanted: 3, available: 2 };
    assert_eq!(found.shortfalls, [short]);
    assert_eq!(told(&test.import(&path, options).await), "completed 2-0-2-0-0");
    assert_eq!(test.number("SELECT COUNT(*) FROM orders WHERE status = 5").await, 1);
    test.assert_clean().await;
}
