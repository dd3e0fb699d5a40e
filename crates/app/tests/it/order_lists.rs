//! Orders as lists and files show them.

use app::imports::ImportOptions;
use importer::Workflow;
use store::orders::{Search, Sort};

use crate::order_file::into;
use crate::support::TestApp;

const HEADER: &str = "external_order_id,order_placed_at,currency,product_sku,qty,unit_price_cents,customer_email,payment_status,fulfilment_status";
/// More than are read at a time.
const ORDERS: usize = 2_100;

#[tokio::test]
async fn a_file_of_orders_holds_each_once_however_many_there_are() {
    let test = TestApp::with(|_| ()).await;
    let row = |n: usize| format!("H{n},2029-12-01T10:00:00Z,EUR,TEA,1,500,=h{n}@example.com,paid,fulfilled");
    let rows: Vec<String> = (0..ORDERS).map(row).collect();
    let options = ImportOptions { workflow: Some(Workflow::Historical), ..into("past") };
    test.import(&test.file("past.csv", format!("{HEADER}\n{}\n", rows.join("\n"))), options).await;
    // All were placed at one instant, so that the place in the list is more than that.
    for sort in [Sort::Oldest, Sort::PlacedNewest] {
        let mut out = Vec::new();
        let search = Search { sort: Some(sort), limit: 1, ..Search::default() };
        let count = app::orders::export(&test.app, search, &mut out).await.unwrap();
        assert_eq!(count as usize, ORDERS);
        let text = String::from_utf8(out).unwrap();
        let mut names: Vec<&str> = text.lines().skip(1).map(|line| line.split(',').nth(2).unwrap()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ORDERS, "each once");
        assert!(
            text.contains(",'=h7@example.com,"),
            "nothing that a spreadsheet would run: {:?}",
            text.lines().nth(8)
        );
    }
}
