//! What an order's rows make of it.

use domain::{FulfilmentStatus, PaymentStatus};
use importer::{PlanOptions, ReadOptions, RejectCode, Returns, TotalMismatch, Workflow};

use crate::whole::{Whole, file, read, read_text, rules};

const HEADER: &str =
    "external_order_id,order_placed_at,currency,customer_email,product_sku,product_name,unit_price_cents,qty";

fn hash(text: &str) -> [u8; 16] {
    read_text(text).unwrap().parsed.orders[0].content_hash
}

fn codes(whole: &Whole) -> Vec<RejectCode> {
    whole.parsed.rejects.iter().map(|reject| reject.code).collect()
}

#[test]
fn the_earliest_time_of_its_rows_counts() {
    let row = |at| format!("A-1,{at},EUR,jane@example.com,S,T,100,1\n");
    let whole =
        read_text(format!("{HEADER}\n{}{}", row("2025-10-18 10:13:00"), row("2025-10-18 10:12:00"))).unwrap();
    assert_eq!(whole.parsed.orders[0].placed_at.to_string(), "2025-10-18T10:12:00Z");
}

#[test]
fn the_content_hash_is_the_same_however_the_content_is_written() {
    let comma = hash(&format!("{HEADER}\nA-1,2025-10-18T12:00:00+02:00,EUR,jane@example.com,S,Tea,1999,2\n"));
    let semicolon = "Qty;SKU;Order ID;Currency;E-Mail;Price;Description;Order Date\r\n\r\n\
                     2.0;S;A-1;eur;JANE@example.com;19,99;\"Tea\";2025-10-18 10:00:00\r\n";
    assert_eq!(comma, hash(semicolon));
    for (from, to) in
        [("A-1", "A-2"), ("2.0", "3"), ("19,99", "19,98"), ("Tea", "Tee"), ("10:00:00", "10:00:01")]
    {
        assert_ne!(comma, hash(&semicolon.replace(from, to)), "{from} → {to}");
    }
}

#[test]
fn a_total_that_differs_is_rejected_or_kept_as_an_adjustment() {
    let (_folder, path) =
        file(format!("{HEADER},order_total\nA-1,2025-10-18,EUR,jane@example.com,S,T,1000,2,21.50\n"));
    let total = |mismatch| {
        let rules = importer::Rules { total_mismatch: mismatch, ..rules() };
        read(&path, &ReadOptions::default(), &PlanOptions::default(), &rules).unwrap()
    };
    assert_eq!(codes(&total(TotalMismatch::Reject)), [RejectCode::TotalMismatch]);
    let totals = total(TotalMismatch::Adjust).parsed.orders[0].totals;
    assert_eq!((totals.subtotal, totals.adjustment, totals.total), (2000, 150, 2150));
}

#[test]
fn negative_quantities_are_rejected_or_take_back_what_the_order_has() {
    use RejectCode::{NegativeQuantity, OrderRejected, ReturnWithoutPurchase};
    let row = |id, sku, qty| format!("{id},2025-10-18,EUR,jane@example.com,{sku},T,100,{qty}\n");
    let rows = [
        row("A-1", "S", 3),
        row("A-1", "S", -2),
        row("A-2", "S", 1),
        row("A-2", "S", -2),
        row("A-3", "S", -1),
    ];
    let (_folder, path) = file(format!("{HEADER}\n{}", rows.concat()));
    let read = |returns| {
        let rules = importer::Rules { returns, ..rules() };
        read(&path, &ReadOptions::default(), &PlanOptions::default(), &rules).unwrap()
    };
    let rejected = codes(&read(Returns::Reject));
    assert_eq!(
        rejected,
        [OrderRejected, NegativeQuantity, OrderRejected, NegativeQuantity, NegativeQuantity]
    );
    let refunded = read(Returns::Refund);
    assert_eq!(codes(&refunded), [OrderRejected, ReturnWithoutPurchase, ReturnWithoutPurchase]);
    let [order] = &refunded.parsed.orders[..] else { panic!("one order is good") };
    assert_eq!((order.totals.total, order.returns[0].total, order.returns[0].line_no), (300, 200, 2));
}

#[test]
fn a_historical_order_enters_in_the_state_its_rows_tell() {
    let (_folder, path) = file(format!(
        "{HEADER},payment_status,fulfilment_status,cancelled_at,refunded_amount\n\
         A-1,2025-10-18,EUR,jane@example.com,S,T,1000,2,Partially refunded,fulfilled,,5.00\n\
         A-2,2025-10-18,EUR,jane@example.com,S,T,1000,2,voided,,2025-10-19,\n"
    ));
    let historical = importer::Rules { workflow: Workflow::Historical, ..rules() };
    let whole = read(&path, &ReadOptions::default(), &PlanOptions::default(), &historical).unwrap();
    let recorded: Vec<_> = whole.parsed.orders.iter().map(|order| order.recorded).collect();
    assert_eq!(recorded[0].payment, Some(PaymentStatus::PartiallyRefunded));
    assert_eq!(recorded[0].fulfilment, Some(FulfilmentStatus::Shipped));
    assert_eq!((recorded[0].refunded, recorded[0].cancelled), (500, false));
    assert!(recorded[1].cancelled);
    let process = read(&path, &ReadOptions::default(), &PlanOptions::default(), &rules()).unwrap();
    assert_eq!(codes(&process), [RejectCode::AlreadySettled; 2]);
}

#[test]
fn the_uci_workbook_is_known_by_its_header() {
    let whole = read_text(
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
         536365,85123A,WHITE HANGING HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom\n\
         536365,71053,WHITE METAL LANTERN,6,12/1/2010 8:26,3.39,17850,United Kingdom\n\
         550193,PADS,PADS TO MATCH,1,4/15/2011 9:27,0.001,13952,United Kingdom\n\
         536544,DOT,DOTCOM POSTAGE,1,12/1/2010 14:32,569.77,,United Kingdom\n",
    )
    .unwrap();
    assert_eq!(whole.sniffed.layout.profile.name, "uci");
    let totals: Vec<i64> = whole.parsed.orders.iter().map(|order| order.totals.total).collect();
    assert_eq!(totals, [1530 + 2034, 0]);
    assert_eq!(
        whole.parsed.orders[1].placed_at.to_string(),
        "2011-04-15T08:27:00Z",
        "London had summer time"
    );
    assert_eq!(codes(&whole), [RejectCode::MissingCustomer]);
}

#[test]
fn a_profile_from_a_file_reads_what_no_other_does() {
    let profile = importer::Profile::parse(
        "name = 'till'\ncurrency = 'JPY'\ndate_formats = ['%d/%m/%Y']\nblank_sku = 'reject'\nfill_down = true\n\
         [columns]\nexternal_order_id = ['Bon']\norder_placed_at = ['Tag']\ncustomer_id = ['Kunde']\n\
         product_sku = ['Artikel']\nunit_price = ['Preis']\nqty = ['Stück']\n",
        "till.toml",
    )
    .unwrap();
    let (_folder, path) = file(
        "Bon|Tag|Kunde|Artikel|Preis|Stück\n7|03/04/2025|K1|A|1200|1\n|||B|300|2\n8|03/04/2025|K1||9|1\n",
    );
    let options = ReadOptions { profiles: vec![profile], ..ReadOptions::default() };
    let whole = read(&path, &options, &PlanOptions::default(), &rules()).unwrap();
    let [order] = &whole.parsed.orders[..] else { panic!("{:?}", whole.parsed.rejects) };
    assert_eq!((order.lines.len(), order.totals.total), (2, 1800));
    assert_eq!(order.placed_at.to_string(), "2025-04-03T00:00:00Z");
    assert_eq!(codes(&whole), [RejectCode::MissingField]);
}
