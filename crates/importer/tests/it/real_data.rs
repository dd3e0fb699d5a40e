//! Real orders, where they are at hand.

use std::env;
use std::path::{Path, PathBuf};

use importer::sample::Sample;
use importer::{PlanOptions, ReadOptions, RejectCode, Rules, TotalMismatch, Workflow};

use crate::whole::{file, read, read_default, rules};

/// A file of the shared data: in `ORDERMILL_SHARED`, or in `shared` beside the repository.
fn shared(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = env::var_os("ORDERMILL_SHARED").map_or(beside, PathBuf::from);
    Some(folder.join("data").join(name)).filter(|path| path.exists())
}

#[test]
fn a_year_of_a_real_shop_is_read_to_the_penny() {
    let Some(path) = shared("online_retail.csv.gz") else {
        println!("online_retail.csv.gz is not here: a generated file of its shape stands in");
        let mut bytes = Vec::new();
        let totals = Sample::online_retail(18_532, 1).write(&mut bytes).unwrap();
        let (_folder, path) = file(&bytes);
        let parsed = read_default(&path).unwrap().parsed;
        assert_eq!((parsed.rows, parsed.orders.len() as u64), (totals.rows, totals.orders));
        assert_eq!(parsed.orders.iter().map(|order| order.totals.total).sum::<i64>(), totals.gross);
        return;
    };
    println!("reading {}", path.display());
    let whole = read_default(&path).unwrap();
    let parsed = whole.parsed;
    assert_eq!(parsed.rejects, []);
    assert_eq!((parsed.rows, parsed.orders.len(), parsed.skipped), (397_884, 18_532, 0));
    assert_eq!(parsed.orders.iter().map(|order| order.totals.total).sum::<i64>(), 891_140_790);
    assert!(parsed.orders.iter().all(|order| order.currency == domain::Currency::GBP));
    assert_eq!(whole.plan.broken, []);
    let first = &parsed.orders[0];
    assert_eq!(
        (first.external_id.as_str(), first.placed_at.to_string().as_str()),
        ("536365", "2010-12-01T08:26:00Z")
    );
    assert_eq!(parsed.orders.iter().map(|order| order.lines.len()).max(), Some(542));
}

/// Order cells on the first row, blank SKUs, discounts, a partial refund, and an order that was edited later.
#[test]
fn a_shopify_export_is_read_with_its_own_profile() {
    let real = shared("shopify_multiline_partial_refund_CAD.csv");
    println!(
        "reading {}",
        real.as_deref().map_or("a small file made up like one".to_owned(), |path| path.display().to_string())
    );
    let (_folder, made_up) = file(
        "Name,Email,Financial Status,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Discount Amount,\
         Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Refunded Amount\n\
         #1,a@example.com,paid,unfulfilled,CAD,20.00,0.00,1.00,30.99,0.00,2025-04-04 15:42:08 -0700,2,Net,10.00,,0.00\n\
         #1095,a@example.com,partially_refunded,unfulfilled,CAD,132.32,9.99,7.13,149.44,11.40,2025-04-04 15:42:08 \
         -0700,3,Shrimp,45.00,,1.54\n#1095,a@example.com,,,,,,,,,2025-04-04 15:42:08 -0700,1,Food,8.72,,\n",
    );
    let path = real.unwrap_or(made_up);
    let rules = Rules { workflow: Workflow::Historical, ..rules() };
    let strict = read(&path, &ReadOptions::default(), &PlanOptions::default(), &rules).unwrap();
    assert_eq!(strict.sniffed.layout.profile.name, "shopify");
    assert_eq!(strict.parsed.rejected_orders, 1, "one order was edited after its shipping was paid");
    assert_eq!(strict.parsed.rejects[0].code, RejectCode::TotalMismatch);

    let adjusting = Rules { total_mismatch: TotalMismatch::Adjust, ..rules };
    let parsed = read(&path, &ReadOptions::default(), &PlanOptions::default(), &adjusting).unwrap().parsed;
    assert_eq!(parsed.rejects, []);
    let refunded = parsed.orders.iter().find(|order| order.external_id.as_str() == "#1095").unwrap();
    assert_eq!(
        (refunded.totals.total, refunded.totals.discount, refunded.recorded.refunded),
        (14_944, 1_140, 154)
    );
    assert_eq!(refunded.placed_at.to_string(), "2025-04-04T22:42:08Z");
    assert!(refunded.lines.iter().all(|line| !line.sku.as_str().is_empty()));
}
