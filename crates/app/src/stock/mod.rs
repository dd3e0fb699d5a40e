//! Stock that comes in or is put right, and what has moved it.

mod ledger;

pub use ledger::{Entry, Ledger, Which, ledger};

use domain::{CauseKind, Currency, Label, MovementKind, ProductId, Sku};
use serde_json::{Value, json};
use sql::Tx;
use store::products::{NewProduct, Product};
use store::stock::Movement;

use crate::access::record_in;
use crate::idempotency::{self, Answer, Keyed};
use crate::{Actor, App, Error, Result};

/// Goods that arrive.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Which product; it is made where it is not there.
    pub sku: Sku,
    /// Its name, where it is made.
    pub name: Option<Label>,
    /// Its price in minor units, where it is made.
    pub price: Option<(i64, Currency)>,
    /// Units.
    pub quantity: i64,
    /// Why.
    pub note: Option<String>,
}

/// Receives goods.
pub async fn receive(app: &App, who: &Actor, receipts: Vec<Receipt>) -> Result<Vec<Product>> {
    Ok(receive_once(app, who, receipts, None).await?.result)
}

/// Receives goods once, however often the request comes.
pub async fn receive_once(
    app: &App,
    who: &Actor,
    receipts: Vec<Receipt>,
    keyed: Option<Keyed>,
) -> Result<Answer<Vec<Product>>> {
    if let Some(wrong) = receipts.iter().find(|receipt| receipt.quantity < 0) {
        let sku = &wrong.sku;
        return Err(Error::Invalid(format!(
            "{} units of {sku} cannot be received; adjust instead",
            wrong.quantity
        )));
    }
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("receive_stock", move |tx| {
        idempotency::once(&inner, tx, keyed.as_ref(), |tx| {
            let products = receive_in(&inner, tx, &who, &receipts)?;
            let units: Vec<Value> =
                receipts.iter().map(|one| json!({ "sku": one.sku, "quantity": one.quantity })).collect();
            let subject = match receipts.as_slice() {
                [one] => one.sku.to_string(),
                several => format!("{} products", several.len()),
            };
            record_in(&inner, tx, &who, "stock_received", &subject, (None, Some(units.into())))?;
            Ok(products)
        })
    })
    .await
}

fn receive_in(app: &App, tx: &mut Tx<'_>, who: &Actor, receipts: &[Receipt]) -> Result<Vec<Product>> {
    let at = app.now();
    let mut ids = store::products::find_ids(tx, receipts.iter().map(|receipt| receipt.sku.as_str()))?;
    let mut fresh: Vec<NewProduct<'_>> = Vec::new();
    for receipt in receipts {
        let is_listed = fresh.iter().any(|product| product.sku == &receipt.sku);
        if !ids.contains_key(receipt.sku.as_str()) && !is_listed {
            let name = receipt.name.as_ref().map_or(receipt.sku.as_str(), Label::as_str);
            let (price, currency) = receipt.price.unzip();
            fresh.push(NewProduct { sku: &receipt.sku, name, price, currency, tracked: true });
        }
    }
    let made = store::products::insert(tx, &fresh, at)?;
    ids.extend(fresh.iter().map(|product| product.sku.as_str().to_owned()).zip(made));
    let products: Vec<ProductId> = receipts.iter().map(|receipt| ids[receipt.sku.as_str()]).collect();
    let moved: Vec<(ProductId, i64)> =
        products.iter().copied().zip(receipts.iter().map(|r| r.quantity)).collect();
    check_room(tx, &products, &moved)?;
    let note = receipts.iter().find_map(|receipt| receipt.note.as_deref()).unwrap_or(who.as_str());
    record(tx, CauseKind::Receipt, MovementKind::Receive, &moved, note, at)?;
    Ok(store::products::list(tx, &products)?)
}

/// Refuses goods of which there would be more than an exact number can tell.
fn check_room(tx: &mut Tx<'_>, products: &[ProductId], moved: &[(ProductId, i64)]) -> Result<()> {
    /// Above it, JSON and scores no longer tell neighbours apart.
    const MOST: i64 = 1 << 53;
    for product in store::products::list(tx, products)? {
        let arriving = moved.iter().filter(|(id, _)| *id == product.id).map(|(_, units)| i128::from(*units));
        let units: i128 = i128::from(product.on_hand) + arriving.sum::<i128>();
        if units > i128::from(MOST) {
            let sku = &product.sku;
            return Err(Error::Invalid(format!(
                "{sku} would have {units} units; more than {MOST} cannot be counted"
            )));
        }
    }
    Ok(())
}

/// Puts the count of a product right by `change` units.
pub async fn adjust(app: &App, who: &Actor, sku: Sku, change: i64, note: String) -> Result<Product> {
    Ok(adjust_once(app, who, sku, change, note, None).await?.result)
}

/// Puts the count of a product right once, however often the request comes.
pub async fn adjust_once(
    app: &App,
    who: &Actor,
    sku: Sku,
    change: i64,
    note: String,
    keyed: Option<Keyed>,
) -> Result<Answer<Product>> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("adjust_stock", move |tx| {
        idempotency::once(&inner, tx, keyed.as_ref(), |tx| {
            let product = adjust_in(&inner, tx, &sku, change, &note)?;
            let before = json!({ "on_hand": product.on_hand - change });
            let after = json!({ "on_hand": product.on_hand, "note": note });
            record_in(&inner, tx, &who, "stock_adjusted", sku.as_str(), (Some(before), Some(after)))?;
            Ok(product)
        })
    })
    .await
}

fn adjust_in(app: &App, tx: &mut Tx<'_>, sku: &Sku, change: i64, note: &str) -> Result<Product> {
    let id = store::products::get_by_sku(tx, sku.as_str())?.id;
    // What is held for orders must not grow between the look and the change.
    store::products::lock_levels(tx, &[id])?;
    let product = store::products::get_by_sku(tx, sku.as_str())?;
    check_room(tx, &[id], &[(id, change)])?;
    let left = product.on_hand.checked_add(change);
    if left.is_none_or(|left| left < product.reserved) {
        let (on_hand, reserved) = (product.on_hand, product.reserved);
        return Err(Error::Invalid(format!(
            "{sku} has {on_hand} units on hand, {reserved} of them held for orders; {change} would leave too few"
        )));
    }
    record(tx, CauseKind::Adjustment, MovementKind::Adjust, &[(id, change)], note, app.now())?;
    Ok(store::products::get_by_sku(tx, sku.as_str())?)
}

/// Records movements that no order caused, each with a cause of its own.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    cause: CauseKind,
    kind: MovementKind,
    moved: &[(ProductId, i64)],
    note: &str,
    at: jiff::Timestamp,
) -> Result<()> {
    let moved: Vec<_> = moved.iter().filter(|(_, quantity)| *quantity != 0).collect();
    let ids = tx.next_ids("stock_causes", moved.len() as u64)?;
    let movements: Vec<Movement> = ids
        .zip(moved)
        .map(|(cause_id, (product, quantity))| Movement {
            cause,
            cause_id,
            line_no: 0,
            kind,
            product: *product,
            quantity: *quantity,
        })
        .collect();
    Ok(store::stock::insert_movements(tx, &movements, at, Some(note))?)
}
