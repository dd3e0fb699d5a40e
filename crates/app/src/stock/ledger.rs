//! A product's movements as people look at them.

use std::collections::{BTreeSet, HashMap};

use domain::{CauseKind, OrderId, RefundId, ShipmentId, Sku};
use sql::Tx;
use store::Part;
use store::products::Product;
use store::stock::{Place, Recorded};

use crate::{App, Result};

/// Which movements of a product.
#[derive(Debug, Clone, Copy, Default)]
pub struct Which {
    /// Only those for this kind of cause; else the newest of each kind.
    pub cause: Option<CauseKind>,
    /// Where the part before ended; of one kind of cause.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: u32,
}

/// A product with movements of its stock.
#[derive(Debug)]
pub struct Ledger {
    /// The product as it stands.
    pub product: Product,
    /// The movements, the newest first.
    pub entries: Vec<Entry>,
    /// Whether no movement of the product was left out, so that each tells the level after it.
    pub is_whole: bool,
    /// Where the next part begins; of one kind of cause.
    pub next: Option<Place>,
}

/// A movement and what it did.
#[derive(Debug)]
pub struct Entry {
    /// As it was recorded.
    pub recorded: Recorded,
    /// What it added to the units on hand and to those reserved.
    pub change: (i64, i64),
    /// What was on hand and reserved after it, where that is known.
    pub after: Option<(i64, i64)>,
    /// The order that it belongs to, with its name.
    pub order: Option<(OrderId, String)>,
}

/// A product's movements over one snapshot with its level.
pub async fn ledger(app: &App, sku: Sku, which: Which) -> Result<Ledger> {
    app.read("stock_ledger", move |tx| {
        let product = store::products::get_by_sku(tx, sku.as_str())?;
        let (recorded, is_whole, next) = match which.cause {
            Some(cause) => {
                let Part { rows, next } =
                    store::stock::search(tx, product.id, cause, which.after, which.limit)?;
                (rows, false, next)
            }
            None => newest(tx, &product, which.limit)?,
        };
        let mut entries = entries(tx, recorded)?;
        if is_whole {
            tell_levels(&product, &mut entries);
        }
        entries.truncate(which.limit as usize);
        Ok(Ledger { product, entries, is_whole, next })
    })
    .await
}

/// The newest movements of each kind of cause, and whether these are all.
fn newest(tx: &mut Tx<'_>, product: &Product, limit: u32) -> Result<(Vec<Recorded>, bool, Option<Place>)> {
    let (mut found, mut is_whole) = (Vec::new(), true);
    for cause in CauseKind::ALL {
        let part = store::stock::search(tx, product.id, *cause, None, limit)?;
        is_whole &= part.next.is_none();
        found.extend(part.rows);
    }
    // What happened at one instant was one step; within it any order adds up to the same.
    found.sort_by_key(|one| std::cmp::Reverse((one.at, one.movement.cause, one.movement.cause_id)));
    Ok((found, is_whole, None))
}

fn entries(tx: &mut Tx<'_>, recorded: Vec<Recorded>) -> Result<Vec<Entry>> {
    let orders = orders_of(tx, &recorded)?;
    let names = store::orders::names(tx, orders.values().copied())?;
    let entry = |recorded: Recorded| {
        let movement = &recorded.movement;
        let order = orders.get(&(movement.cause, movement.cause_id)).copied();
        Entry {
            change: store::stock::deltas(movement.kind, movement.quantity),
            after: None,
            order: order.map(|id| (id, names.get(&id).cloned().unwrap_or_default())),
            recorded,
        }
    };
    Ok(recorded.into_iter().map(entry).collect())
}

/// The orders that the causes of movements belong to.
fn orders_of(tx: &mut Tx<'_>, recorded: &[Recorded]) -> Result<HashMap<(CauseKind, i64), OrderId>> {
    let ids = |cause: CauseKind| -> BTreeSet<i64> {
        let of_cause = recorded.iter().filter(|one| one.movement.cause == cause);
        of_cause.map(|one| one.movement.cause_id).collect()
    };
    let order = |id: i64| ((CauseKind::OrderLine, id), OrderId::from_ledger(id));
    let mut orders: HashMap<_, _> = ids(CauseKind::OrderLine).into_iter().map(order).collect();
    let refunds: Vec<RefundId> = ids(CauseKind::RefundLine).into_iter().map(RefundId::from_ledger).collect();
    let refunds = store::refunds::list(tx, &refunds)?;
    orders.extend(refunds.iter().map(|refund| ((CauseKind::RefundLine, refund.id.get()), refund.order)));
    let shipments = ids(CauseKind::ShipmentLine).into_iter().map(ShipmentId::from_ledger);
    let shipments = store::shipments::orders_of(tx, shipments)?;
    orders.extend(shipments.iter().map(|(id, order)| ((CauseKind::ShipmentLine, id.get()), *order)));
    Ok(orders)
}

/// Goes back from the level that there is.
fn tell_levels(product: &Product, entries: &mut [Entry]) {
    let (mut on_hand, mut reserved) = (product.on_hand, product.reserved);
    for entry in entries {
        entry.after = Some((on_hand, reserved));
        on_hand -= entry.change.0;
        reserved -= entry.change.1;
    }
}
