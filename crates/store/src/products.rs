//! Products and their stock levels.

use std::collections::HashMap;

use domain::{Currency, ProductId, Sku};
use jiff::Timestamp;
use sql::{Conflict, Insert, Row, Tx, Value};

use crate::customers::distinct;
use crate::{Error, Result, rows};

/// A product.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Product {
    /// Our id.
    pub id: ProductId,
    /// The shop's id for it.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Its price in minor units, where one is recorded.
    pub price: Option<i64>,
    /// The currency of `price`.
    pub currency: Option<Currency>,
    /// Whether its stock is counted.
    pub tracked: bool,
    /// Units in the house.
    pub on_hand: i64,
    /// Units of them that orders hold.
    pub reserved: i64,
}

impl Product {
    /// Units that can be sold.
    pub fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }
}

/// A product to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewProduct<'a> {
    /// The shop's id for it.
    pub sku: &'a Sku,
    /// Its name.
    pub name: &'a str,
    /// Its price in minor units.
    pub price: Option<i64>,
    /// The currency of `price`.
    pub currency: Option<Currency>,
    /// Whether its stock is counted.
    pub tracked: bool,
}

/// What a reservation needs to know of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Whether its stock is counted.
    pub tracked: bool,
    /// Units in the house.
    pub on_hand: i64,
    /// Units of them that orders hold.
    pub reserved: i64,
}

const INSERTED: &[&str] =
    &["id", "sku", "name", "price", "currency", "tracked", "on_hand", "reserved", "created_at"];
const SELECTED: &str = "SELECT id, sku, name, price, currency, tracked, on_hand, reserved FROM products";

/// The ids of the products with these SKUs, where they exist.
pub fn find_ids<'a>(
    tx: &mut Tx<'_>,
    skus: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, ProductId>> {
    let pairs =
        tx.query_in("SELECT sku, id FROM products WHERE sku IN ({in})", &[], &distinct(skus), |row| {
            Ok((row.get(0)?, ProductId::from_ledger(row.get(1)?)))
        })?;
    Ok(pairs.into_iter().collect())
}

/// Makes products, without stock. Their SKUs must be new and distinct. Returns their ids in their order.
pub fn insert(tx: &mut Tx<'_>, products: &[NewProduct<'_>], at: Timestamp) -> Result<Vec<ProductId>> {
    let ids = tx.next_ids("products", products.len() as u64)?.map(ProductId::from_ledger);
    let products: Vec<_> = ids.zip(products.iter().copied()).collect();
    insert_or(Conflict::Error, tx, &products, at)?;
    Ok(products.into_iter().map(|(id, _)| id).collect())
}

/// Makes products under these ids, without stock. Those whose SKU is there already are left out.
pub fn insert_missing(
    tx: &mut Tx<'_>,
    products: &[(ProductId, NewProduct<'_>)],
    at: Timestamp,
) -> Result<()> {
    insert_or(Conflict::Ignore, tx, products, at)
}

fn insert_or(
    conflict: Conflict<'_>,
    tx: &mut Tx<'_>,
    products: &[(ProductId, NewProduct<'_>)],
    at: Timestamp,
) -> Result<()> {
    let values: Vec<Value<'_>> = products
        .iter()
        .flat_map(|(id, product)| {
            [
                Value::Int(id.get()),
                product.sku.as_str().into(),
                product.name.into(),
                product.price.into(),
                product.currency.map(Currency::code).into(),
                product.tracked.into(),
                Value::Int(0),
                Value::Int(0),
                at.into(),
            ]
        })
        .collect();
    Ok(tx.insert_rows(&Insert { table: "products", columns: INSERTED, conflict }, &values)?)
}

/// Locks the products, in the order of their ids, and reads their levels. `ids` sorted, without repetition.
pub fn lock_levels(tx: &mut Tx<'_>, ids: &[ProductId]) -> Result<HashMap<ProductId, Level>> {
    let sql = format!(
        "SELECT id, tracked, on_hand, reserved FROM products WHERE id IN ({{in}}) ORDER BY id{}",
        tx.dialect().for_update()
    );
    let levels = tx.query_in(&sql, &[], &rows::keys(ids.iter().copied()), |row| {
        let level = Level { tracked: row.get(1)?, on_hand: row.get(2)?, reserved: row.get(3)? };
        Ok((ProductId::from_ledger(row.get(0)?), level))
    })?;
    Ok(levels.into_iter().collect())
}

/// The product with this SKU.
pub fn get_by_sku(tx: &mut Tx<'_>, sku: &str) -> Result<Product> {
    tx.query_opt(&format!("{SELECTED} WHERE sku = ?"), &[sku.into()], read)?
        .ok_or_else(|| Error::missing("product with the SKU", sku))
}

/// The product with this SKU, where there is one, locked until the transaction ends.
pub fn lock_by_sku(tx: &mut Tx<'_>, sku: &str) -> Result<Option<Product>> {
    let sql = format!("{SELECTED} WHERE sku = ?{}", tx.dialect().for_update());
    Ok(tx.query_opt(&sql, &[sku.into()], read)?)
}

/// Changes what the catalogue says of a product.
pub fn describe(
    tx: &mut Tx<'_>,
    id: ProductId,
    name: &str,
    price: Option<i64>,
    currency: Option<Currency>,
) -> Result<()> {
    let params = [name.into(), price.into(), currency.map(Currency::code).into(), Value::Int(id.get())];
    tx.execute("UPDATE products SET name = ?, price = ?, currency = ? WHERE id = ?", &params)?;
    Ok(())
}

/// The products with these ids, in no order.
pub fn list(tx: &mut Tx<'_>, ids: &[ProductId]) -> Result<Vec<Product>> {
    Ok(tx.query_in(
        &format!("{SELECTED} WHERE id IN ({{in}})"),
        &[],
        &rows::keys(ids.iter().copied()),
        read,
    )?)
}

/// Up to `limit` products in the order of their SKUs, from the one after `after`.
pub fn list_from(tx: &mut Tx<'_>, after: &str, limit: u32) -> Result<Vec<Product>> {
    let sql = format!("{SELECTED} WHERE sku > ? ORDER BY sku LIMIT ?");
    Ok(tx.query(&sql, &[after.into(), limit.into()], read)?)
}

/// Up to `limit` products whose SKUs begin with a text, in the order of their SKUs, from the one after `after`.
pub fn list_beginning(tx: &mut Tx<'_>, text: &str, after: &str, limit: u32) -> Result<Vec<Product>> {
    // No character sorts after this one.
    let end = format!("{text}\u{10ffff}");
    Ok(tx.query(&beginning(), &[after.into(), text.into(), end.as_str().into(), limit.into()], read)?)
}

/// The statement that goes on with products whose SKUs begin alike.
pub(crate) fn beginning() -> String {
    format!("{SELECTED} WHERE sku > ? AND sku >= ? AND sku < ? ORDER BY sku LIMIT ?")
}

fn read(row: &Row<'_>) -> sql::Result<Product> {
    let currency = match row.get::<Option<String>>(4)? {
        Some(_) => Some(rows::currency(row, 4)?),
        None => None,
    };
    Ok(Product {
        id: ProductId::from_ledger(row.get(0)?),
        sku: row.get(1)?,
        name: row.get(2)?,
        price: row.get(3)?,
        currency,
        tracked: row.get(5)?,
        on_hand: row.get(6)?,
        reserved: row.get(7)?,
    })
}
