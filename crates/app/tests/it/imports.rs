//! Files become orders, each row once, whatever is asked for twice or is wrong.

use std::time::Duration;

use app::imports::{ImportOptions, OnError, Started, UnknownProducts, start, status};
use app::workers::Workers;
use domain::RefundRequest;
use domain::order::LARGEST_TOTAL;
use queue::{Balance, PoolSettings};

use crate::order_file::{csv, into, row, sample, shared, told};
use crate::support::TestApp;

/// What an import does to itself, and not to the ledger of orders.
const OF_IMPORTS: [&str; 5] =
    ["imports", "import_chunks", "import_rejects", "id_sequences", "operator_actions"];

#[tokio::test]
async fn a_small_file_becomes_orders_that_are_paid_and_told_of() {
    let test = TestApp::with(|_| ()).await;
    let path = shared("orders_small.csv").unwrap_or_else(|| test.file("small.csv", sample(3, 0).0));
    let options = ImportOptions { initial_stock: 100, ..ImportOptions::default() };
    let done = test.import(&path, options).await;
    let rows = std::fs::read_to_string(&path).unwrap().lines().count() as i64 - 1;
    assert_eq!(told(&done), format!("completed {rows}-0-0-0-0"));
    assert_eq!((done.progress.counts.orders_imported, done.import.source.as_str()), (3, "native"));
    assert_eq!(test.number("SELECT COUNT(*) FROM orders WHERE status = 3 AND notify = 1").await, 3);
    assert_eq!(test.number("SELECT COUNT(*) FROM notifications WHERE kind = 1").await, 3);
    assert_eq!(test.number("SELECT SUM(on_hand) - 100 * COUNT(*) FROM products").await, 0);
    let units = test.number("SELECT SUM(quantity) FROM order_lines").await;
    assert_eq!(test.number("SELECT SUM(reserved) FROM products").await, units);
    assert_eq!(test.number("SELECT MIN(import_line) FROM orders").await, 2);
    assert!(app::workers::is_idle(&test.app).await.unwrap());
    test.assert_clean().await;
}

#[tokio::test]
async fn the_same_file_again_is_told_and_changes_nothing() {
    let test = TestApp::with(|_| ()).await;
    for (name, bytes) in
        [("plain.csv", sample(20, 5).0.into_bytes()), ("packed.csv", packed(&sample(20, 5).0))]
    {
        let path = test.file(name, bytes);
        let first = test.import(&path, into(name)).await;
        let before = test.dump(&[]).await;
        for _ in 0..2 {
            match start(&test.app, &app::Actor::CLI, &path, into(name), false).await.unwrap() {
                Started::Done(done) => assert_eq!(done.id, first.import.id),
                other => panic!("{other:?}"),
            }
            assert_eq!(test.run_jobs().await, 0);
        }
        assert_eq!(test.dump(&[]).await, before);
        assert_eq!(test.spooled(), 0, "a copy of {name} stayed behind");
    }
    test.assert_clean().await;
}

fn packed(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 1).unwrap()
}

#[tokio::test]
async fn a_file_that_is_forced_again_is_all_duplicates() {
    let test = TestApp::with(|_| ()).await;
    let (text, totals) = sample(60, 6);
    let path = test.file("a.csv", text);
    test.import(&path, into("a")).await;
    test.refund(domain::OrderId::from_ledger(1), "k", RefundRequest::Amount(1), true).await.unwrap();
    test.run_jobs().await;
    let before = test.dump(&OF_IMPORTS).await;
    let Started::New(id) = start(&test.app, &app::Actor::CLI, &path, into("a"), true).await.unwrap() else {
        panic!("not new")
    };
    test.run_jobs().await;
    let bad = totals.bad_order_rows;
    assert_eq!(test.rows(id).await, format!("completed 0-{}-{bad}-0-0", totals.rows - bad));
    assert_eq!(status(&test.app, id).await.unwrap().progress.counts.orders_differ, 0);
    assert_eq!(test.dump(&OF_IMPORTS).await, before);
    test.assert_clean().await;
}

#[tokio::test]
async fn an_order_of_another_file_is_a_duplicate_and_one_that_says_something_else_is_told() {
    let test = TestApp::with(|_| ()).await;
    let first = csv(&[row("A", "TEA", 1, 500), row("A", "CUP", 2, 300), row("B", "TEA", 1, 500)]);
    test.import(&test.file("1.csv", first), into("shop")).await;
    let before = test.dump(&OF_IMPORTS).await;
    let second = csv(&[row("B", "TEA", 1, 500), row("A", "TEA", 1, 500), row("A", "CUP", 3, 300)]);
    let done = test.import(&test.file("2.csv", second.clone()), into("shop")).await;
    assert_eq!(told(&done), "completed 0-3-0-0-0");
    assert_eq!((done.progress.counts.orders_duplicate, done.progress.counts.orders_differ), (2, 1));
    assert_eq!(test.dump(&OF_IMPORTS).await, before);
    // Another source, other orders.
    let other = test.import(&test.file("3.csv", second), into("market")).await;
    assert_eq!(told(&other), "completed 3-0-0-0-0");
    test.assert_clean().await;
}

/// On a server chunks run side by side. Of these, two after each other bring the same new customers and products.
#[tokio::test]
async fn chunks_that_bring_the_same_customers_and_products_at_once_share_them() {
    const CHUNK: usize = 30;
    const ORDERS: usize = 60 * CHUNK;
    let test = TestApp::with(|config| {
        let imports = PoolSettings { max: 4, batch: 1, ..PoolSettings::new("imports") };
        (config.queue.supervisor.pools, config.queue.supervisor.balance) = (vec![imports], Balance::Off);
    })
    .await;
    let customer_of = |order: usize| order / (2 * CHUNK) * CHUNK + order % CHUNK;
    let rows: Vec<String> = (0..ORDERS)
        .map(|n| {
            let [own, of_all] = [format!("O{n}@example.com"), format!("c{}@example.com", customer_of(n))];
            row(&format!("O{n}"), &format!("S{}", customer_of(n)), 1, 500).replace(&own, &of_all)
        })
        .collect();
    let options = ImportOptions { chunk_size: CHUNK as u32, ..into("shop") };
    let id = test.queue_import(&test.file("a.csv", csv(&rows)), options).await;
    let workers = Workers::start(&test.app).await.unwrap();
    while status(&test.app, id).await.unwrap().import.status.as_str() != "completed" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    workers.stop().await;
    assert_eq!(test.rows(id).await, format!("completed {ORDERS}-0-0-0-0"));
    assert_eq!(test.number("SELECT COUNT(*) FROM customers").await, ORDERS as i64 / 2);
    assert_eq!(test.number("SELECT COUNT(*) FROM products WHERE on_hand = 1000000").await, ORDERS as i64 / 2);
    assert_eq!(test.number("SELECT COUNT(*) FROM stock_movements").await, ORDERS as i64 / 2);
    let named = "SELECT o.external_id, c.email, p.sku FROM orders o JOIN customers c ON c.id = o.customer_id \
                 JOIN order_lines l ON l.order_id = o.id JOIN products p ON p.id = l.product_id";
    let named = move |tx: &mut sql::Tx<'_>| {
        tx.query(named, &[], |row| Ok([row.get::<String>(0)?, row.get(1)?, row.get(2)?]))
    };
    let mut named: Vec<[String; 3]> = test.app.read("named", named).await.unwrap();
    let mut wanted: Vec<_> = (0..ORDERS)
        .map(|n| {
            let customer = customer_of(n);
            [format!("O{n}"), format!("c{customer}@example.com"), format!("S{customer}")]
        })
        .collect();
    named.sort();
    wanted.sort();
    assert_eq!(named, wanted);
}

#[tokio::test]
async fn too_many_rejects_end_an_import_with_nothing_half_done() {
    let test = TestApp::with(|_| ()).await;
    let rows: Vec<String> =
        (0..10).map(|n| row(&format!("O{n}"), "TEA", i32::from(n % 2 == 0), 500)).collect();
    let path = test.file("a.csv", csv(&rows));
    let enough = ImportOptions { max_rejects: Some(5), chunk_size: 1, ..into("enough") };
    assert_eq!(told(&test.import(&path, enough).await), "completed 5-0-5-0-0");
    let few = ImportOptions { max_rejects: Some(4), chunk_size: 100, ..into("few") };
    let failed = test.import(&path, few).await;
    assert_eq!(told(&failed), "failed 0-0-0-0-10");
    assert!(failed.import.error.unwrap().contains("5 rows were rejected, more than the 4"));
    assert_eq!(test.number("SELECT COUNT(*) FROM orders WHERE source = 'few'").await, 0);
    let by_one = ImportOptions { max_rejects: Some(2), chunk_size: 1, ..into("by-one") };
    let failed = test.import(&path, by_one).await;
    let counts = failed.progress.counts;
    assert_eq!((failed.import.status.as_str(), counts.rows_rejected), ("failed", 2));
    assert_eq!(counts.rows() + failed.rows_not_reached, 10);
    test.assert_clean().await;
}

#[tokio::test]
async fn an_import_that_stops_at_bad_rows_says_where() {
    let test = TestApp::with(|_| ()).await;
    let rows = [row("A", "TEA", 1, 500), row("B", "TEA", "x", 500), row("C", "TEA", 1, 500)];
    let options = ImportOptions { on_error: OnError::Stop, chunk_size: 1, ..into("shop") };
    let failed = test.import(&test.file("a.csv", csv(&rows)), options).await;
    assert_eq!(failed.import.status.as_str(), "failed");
    assert!(failed.import.error.as_ref().unwrap().starts_with("line 3: "), "{:?}", failed.import.error);
    assert_eq!(test.texts("SELECT external_id FROM orders WHERE external_id = 'B'").await, [""; 0]);
    test.assert_clean().await;
}

#[tokio::test]
async fn an_order_of_an_unknown_product_is_rejected_where_the_shop_says_so() {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 10).await;
    let rows =
        [row("A", "TEA", 1, 500), row("B", "TEA", 1, 500), row("B", "NEW", 1, 500), row("C", "tea", 1, 500)];
    let options =
        ImportOptions { unknown_products: UnknownProducts::Reject, initial_stock: 7, ..into("shop") };
    let done = test.import(&test.file("a.csv", csv(&rows)), options).await;
    assert_eq!(told(&done), "completed 1-0-3-0-0");
    let rejects = test.texts("SELECT line || ' ' || code FROM import_rejects ORDER BY line").await;
    assert_eq!(rejects, ["3 order_rejected", "4 unknown_product", "5 unknown_product"]);
    assert_eq!(test.texts("SELECT sku FROM products").await, ["TEA"]);
    assert_eq!(test.level("TEA").await, (10, 1));
    test.assert_clean().await;
}

#[tokio::test]
async fn products_are_made_once_with_the_stock_that_the_import_gives_them() {
    let test = TestApp::with(|_| ()).await;
    test.stock("TEA", "Tea", 3).await;
    let rows: Vec<String> = (0..6)
        .flat_map(|n| [row(&format!("O{n}"), "CUP", 1, 500), row(&format!("O{n}"), "TEA", 1, 300)])
        .collect();
    let options = ImportOptions { initial_stock: 5, chunk_size: 1, ..into("shop") };
    assert_eq!(told(&test.import(&test.file("a.csv", csv(&rows)), options).await), "completed 12-0-0-0-0");
    // The catalogue's own stock is left as it was; three of six orders get theirs.
    assert_eq!((test.level("CUP").await, test.level("TEA").await), ((5, 3), (3, 3)));
    assert_eq!(test.number("SELECT COUNT(*) FROM orders WHERE status = 5 AND fail_reason = 1").await, 3);
    test.assert_clean().await;
}

#[tokio::test]
async fn chunks_of_any_size_give_the_same_ledger() {
    let (text, totals) = sample(150, 10);
    let mut first: Option<Vec<String>> = None;
    for chunk_size in [1, 7, 100_000] {
        let test = TestApp::with(|_| ()).await;
        let path = test.file("a.csv", text.as_str());
        let done = test.import(&path, ImportOptions { chunk_size, ..into("shop") }).await;
        assert_eq!(done.progress.counts.orders_rejected as u64, totals.bad_orders);
        assert_eq!(
            (done.progress.chunks == 1, done.progress.bytes_done),
            (chunk_size > 7, done.import.bytes_total)
        );
        let found = test.imported().await;
        assert_eq!(found, *first.get_or_insert_with(|| found.clone()), "in chunks of {chunk_size}");
        test.assert_clean().await;
    }
}

#[tokio::test]
async fn an_order_too_large_to_be_counted_exactly_is_refused_and_spoils_no_other() {
    let test = TestApp::with(|_| ()).await;
    let rows = [
        row("A", "TEA", 1, LARGEST_TOTAL + 1),
        row("B", "TEA", 1, i64::MAX),
        row("C", "TEA", 1_000_000, LARGEST_TOTAL / 1_000_000 + 1),
        row("D", "TEA", 1, LARGEST_TOTAL),
        row("E", "TEA", 1, 500),
    ];
    let done = test.import(&test.file("a.csv", csv(&rows)), into("shop")).await;
    assert_eq!(told(&done), "completed 2-0-3-0-0");
    let codes = test.texts("SELECT DISTINCT code FROM import_rejects").await;
    assert_eq!(codes, ["total_out_of_range"]);
    assert_eq!(test.number("SELECT COUNT(*) FROM orders WHERE status = 3").await, 2);
    test.assert_clean().await;
}

#[tokio::test]
async fn an_order_of_five_hundred_lines_is_one_order() {
    let test = TestApp::with(|_| ()).await;
    let mut rows: Vec<String> =
        (0..500).map(|n| row("BIG", &format!("S{}", n % 7), 1 + n % 3, 100)).collect();
    rows.push(row("SMALL", "S1", 1, 100));
    let options = ImportOptions { chunk_size: 10, ..into("shop") };
    assert_eq!(told(&test.import(&test.file("a.csv", csv(&rows)), options).await), "completed 501-0-0-0-0");
    let big =
        domain::OrderId::from_ledger(test.number("SELECT id FROM orders WHERE external_id = 'BIG'").await);
    assert_eq!(test.number(format!("SELECT COUNT(*) FROM order_lines WHERE order_id = {big}")).await, 500);
    assert_eq!(test.movements(big).await.len(), 500);
    test.cancel(big).await.unwrap();
    test.run_jobs().await;
    assert_eq!(test.number("SELECT SUM(reserved) FROM products").await, 1);
    test.assert_clean().await;
}

#[tokio::test]
async fn the_rejects_of_an_import_can_be_corrected_and_imported_exactly_once() {
    let test = TestApp::with(|_| ()).await;
    let rows = [
        row("A", "TEA", 1, 500),
        row("B", "TEA", "two", 500),
        row("B", "CUP", 1, 300),
        row("=C", "TEA", 0, 500),
        "D,2029-12-30T10:00:00Z,EUR,\"T,E \"\"A\",1,-4,d@example.com,\"Tea, \"\"A\"\"\"".to_owned(),
        row("E", "TEA", 1, 500),
    ];
    let first = test.import(&test.file("a.csv", csv(&rows)), into("shop")).await;
    assert_eq!(told(&first), "completed 2-0-4-0-0");
    let mut written = Vec::new();
    assert_eq!(app::imports::write_rejects(&test.app, first.import.id, &mut written).await.unwrap(), 4);
    let written = String::from_utf8(written).unwrap();
    assert!(written.contains("'=C,"), "a formula went out as it was: {written}");
    // Not corrected, it is all rejected again, with the same words.
    let again = test.import(&test.file("rejects.csv", &written), into("shop")).await;
    assert_eq!(told(&again), "completed 0-0-4-0-0");
    assert_eq!((first.import.rejects_of, again.import.rejects_of), (None, Some(first.import.id)));
    let corrected = written.replace(",two,", ",2,").replace(",TEA,0,", ",TEA,3,").replace(",-4,", ",4,");
    let corrected = corrected.replace(",'-4,", ",4,");
    let last = test.import(&test.file("corrected.csv", &corrected), into("shop")).await;
    assert_eq!(told(&last), "completed 4-0-0-0-0");
    let ids = test.texts("SELECT external_id FROM orders ORDER BY external_id").await;
    assert_eq!(ids, ["=C", "A", "B", "D", "E"]);
    assert_eq!(test.number("SELECT quantity FROM order_lines WHERE total = 1000 AND sku = 'TEA'").await, 2);
    assert_eq!(test.number("SELECT COUNT(*) FROM products WHERE sku = 'T,E \"A'").await, 1);
    test.assert_clean().await;
}
