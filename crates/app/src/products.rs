//! The catalogue: products that are made, and what it says of them.

use domain::{Currency, Money, ProductName, Sku};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::products::{NewProduct, Product};

use crate::access::record_in;
use crate::hex::hex;
use crate::idempotency::{self, Answer, Keyed};
use crate::{Actor, App, Error, Result};

/// A product to be made.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The shop's id for it.
    pub sku: Sku,
    /// Its name; the SKU, where it is not told.
    pub name: Option<ProductName>,
    /// Its price.
    pub price: Option<Money>,
}

/// What is to be said of a product from now on; what is none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Its name.
    pub name: Option<ProductName>,
    /// Its price; within, none where it is to have none.
    pub price: Option<Option<Money>>,
}

/// What tells two descriptions of a product apart; its stock is not part of it.
pub fn tag(product: &Product) -> String {
    let text = json!([product.sku, product.name, product.price, product.currency]).to_string();
    hex(&Sha256::digest(text.as_bytes())[..8])
}

fn described(product: &Product) -> Value {
    json!({ "name": product.name, "price": product.price, "currency": product.currency })
}

fn check_price(price: Option<Money>) -> Result<()> {
    match price.filter(|price| price.amount < 0) {
        Some(price) => Err(Error::Invalid(format!("a price of {price} is below zero"))),
        None => Ok(()),
    }
}

/// Makes a product once, however often the request comes. One that is there already is left alone.
pub async fn create_once(
    app: &App,
    who: &Actor,
    wanted: Wanted,
    keyed: Option<Keyed>,
) -> Result<Answer<Product>> {
    check_price(wanted.price)?;
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("create_product", move |tx| {
        idempotency::once(&inner, tx, keyed.as_ref(), |tx| {
            let Wanted { sku, name, price } = &wanted;
            let (price, currency): (Option<i64>, Option<Currency>) =
                price.map(|price| (price.amount, price.currency)).unzip();
            let name = name.as_ref().map_or(sku.as_str(), ProductName::as_str);
            if store::products::lock_by_sku(tx, sku.as_str())?.is_some() {
                return Err(Error::Exists { what: "product with the SKU", name: sku.to_string() });
            }
            let new = NewProduct { sku, name, price, currency, tracked: true };
            store::products::insert(tx, &[new], inner.now())?;
            let made = store::products::get_by_sku(tx, sku.as_str())?;
            record_in(&inner, tx, &who, "product_created", sku.as_str(), (None, Some(described(&made))))?;
            Ok(made)
        })
    })
    .await
}

/// Changes what the catalogue says of a product, where it still says what the caller saw: `seen` is the [`tag`] of that.
/// What was sold keeps the name and the price that it was sold under.
pub async fn change(
    app: &App,
    who: &Actor,
    sku: Sku,
    change: Change,
    seen: Option<String>,
) -> Result<Product> {
    check_price(change.price.flatten())?;
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("change_product", move |tx| {
        let before = store::products::lock_by_sku(tx, sku.as_str())?
            .ok_or_else(|| store::Error::missing("product with the SKU", &sku))?;
        if seen.as_ref().is_some_and(|seen| *seen != tag(&before)) {
            return Err(Error::ProductChanged { sku: sku.to_string() });
        }
        let name = change.name.as_ref().map_or(before.name.as_str(), ProductName::as_str);
        let (price, currency) = match change.price {
            None => (before.price, before.currency),
            Some(price) => price.map(|price| (price.amount, price.currency)).unzip(),
        };
        store::products::describe(tx, before.id, name, price, currency)?;
        let after = store::products::get_by_sku(tx, sku.as_str())?;
        let values = (Some(described(&before)), Some(described(&after)));
        if values.0 != values.1 {
            record_in(&inner, tx, &who, "product_changed", sku.as_str(), values)?;
        }
        Ok(after)
    })
    .await
}
