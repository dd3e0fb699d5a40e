use std::collections::HashMap;

use domain::{CauseKind, ProductId};
use sql::Tx;

use super::findings::{Findings, Rule, Thing};
use crate::{App, Result};

/// Movements without a cause that are listed.
const STRAYS: u32 = 100;

/// Rule 1: units on hand and reserved are the sums of a product's movements, and none is reserved that is not there.
pub(super) async fn check(app: &App) -> Result<Findings> {
    app.read("verify_stock", |tx| {
        let mut sums: HashMap<ProductId, (i64, i64)> = HashMap::new();
        store::audit::for_each_movement(tx, |product, kind, quantity| {
            let (on_hand, reserved) = store::stock::deltas(kind, quantity);
            let sum = sums.entry(product).or_default();
            sum.0 += on_hand;
            sum.1 += reserved;
        })?;
        let mut findings = Findings::default();
        store::audit::for_each_level(tx, |product, sku, on_hand, reserved| {
            let sum = sums.remove(&product).unwrap_or_default();
            let thing = Thing::Product(sku);
            findings.same(Rule::Stock, thing, "units on hand, as the sum of movements", sum.0, on_hand);
            findings.same(Rule::Stock, thing, "units reserved, as the sum of movements", sum.1, reserved);
            check_level(thing, on_hand, reserved, &mut findings);
        })?;
        for product in sums.keys() {
            let name = format!("product with the id {product}");
            findings.breach(Rule::Stock, Thing::Named(&name), "movements", "of a product", "it is not there");
        }
        check_strays(tx, &mut findings)?;
        Ok(findings)
    })
    .await
}

/// The part of rule 1 that needs no sums.
pub(super) async fn check_levels(app: &App) -> Result<Findings> {
    app.read("verify_levels", |tx| {
        let mut findings = Findings::default();
        store::audit::for_each_level(tx, |_, sku, on_hand, reserved| {
            check_level(Thing::Product(sku), on_hand, reserved, &mut findings);
        })?;
        Ok(findings)
    })
    .await
}

fn check_level(thing: Thing<'_>, on_hand: i64, reserved: i64, findings: &mut Findings) {
    findings.checked(Rule::Stock, 1);
    if reserved < 0 || reserved > on_hand {
        let expected = format_args!("from 0 to the {on_hand} on hand");
        findings.breach(Rule::Stock, thing, "units reserved", expected, reserved);
    }
}

/// Movements of refunds and shipments that are not there; those of orders are found with the orders.
fn check_strays(tx: &mut Tx<'_>, findings: &mut Findings) -> Result<()> {
    for stray in store::audit::list_strays(tx, STRAYS)? {
        let noun = if stray.cause == CauseKind::RefundLine { "refund" } else { "shipment" };
        let name = format!("line {} of {noun} {}", stray.line_no, stray.cause_id);
        let (expected, found) = (format!("of a {noun}"), format!("the {noun} is not there"));
        findings.breach(Rule::Holding, Thing::Named(&name), "a movement", expected, found);
    }
    Ok(())
}
