//! The made-up files are what they say.

use std::collections::BTreeSet;

use importer::sample::{BadRows, Sample};
use importer::{RejectCode, Workflow};

use crate::whole::{file, read_default};

#[test]
fn every_order_of_a_sample_is_good() {
    for sample in [Sample::shop(500, 3), Sample::online_retail(60, 3)] {
        let mut bytes = Vec::new();
        let totals = sample.write(&mut bytes).unwrap();
        let (_folder, path) = file(&bytes);
        let whole = read_default(&path).unwrap();
        assert_eq!(whole.parsed.rejects, []);
        assert_eq!(whole.sniffed.layout.profile.workflow, Workflow::Process);
        let orders = &whole.parsed.orders;
        assert_eq!((orders.len() as u64, whole.parsed.rows), (totals.orders, totals.rows));
        assert_eq!(orders.iter().map(|order| order.totals.total).sum::<i64>(), totals.gross);
        let units = orders.iter().flat_map(|order| &order.lines).map(|line| u64::from(line.quantity.get()));
        assert_eq!(units.sum::<u64>(), totals.units);
        let customers: BTreeSet<_> = orders.iter().map(|order| order.customer.email.clone()).collect();
        assert!(customers.len() < orders.len(), "customers come back");
        let days: BTreeSet<_> =
            orders.iter().map(|order| order.placed_at.strftime("%F").to_string()).collect();
        assert!(days.len() > 1);
    }
}

#[test]
fn a_sample_with_bad_rows_has_as_many_rejects_as_it_says() {
    let mut bytes = Vec::new();
    let totals = Sample::shop(700, 4).with_bad_rows(BadRows::every(10)).write(&mut bytes).unwrap();
    assert_eq!(totals.bad_orders, 70);
    let (_folder, path) = file(&bytes);
    let parsed = read_default(&path).unwrap().parsed;
    assert_eq!(parsed.rejected_orders, totals.bad_orders);
    assert_eq!(parsed.rejects.len() as u64, totals.bad_order_rows);
    assert_eq!(parsed.orders.iter().map(|order| order.totals.total).sum::<i64>(), totals.gross);
    let codes: BTreeSet<RejectCode> = parsed.rejects.iter().map(|reject| reject.code).collect();
    assert!(BadRows::CODES.iter().all(|code| codes.contains(code)), "{codes:?}");
}
