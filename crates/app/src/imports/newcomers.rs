//! Products and customers that a chunk brings.
//!
//! Chunks that bring the same ones wait for each other, from where they insert them to their end. So these come last, after
//! all that takes long, under ids that the chunk's orders bear by then. Whoever was second takes over what the first has
//! inserted.

use std::collections::{HashMap, HashSet};

use domain::{CauseKind, CustomerId, MovementKind, OrderId, ProductId};
use importer::ParsedOrder;
use jiff::Timestamp;
use sql::Tx;
use store::customers::{CustomerRef, Found};
use store::orders::NewOrder;
use store::products::NewProduct;

use crate::{Result, stock};

/// The products that orders of a chunk name.
pub(super) struct Products<'p> {
    ids: HashMap<&'p str, ProductId>,
    fresh: Vec<(ProductId, NewProduct<'p>)>,
}

impl<'p> Products<'p> {
    /// All of them are there.
    pub(super) fn known(ids: HashMap<&'p str, ProductId>) -> Self {
        Products { ids, fresh: Vec::new() }
    }

    /// Those that are not among `ids` get an id, and are to be [inserted](Self::insert).
    pub(super) fn with_new(
        tx: &mut Tx<'_>,
        mut ids: HashMap<&'p str, ProductId>,
        orders: &[&'p ParsedOrder],
    ) -> Result<Self> {
        let mut named = HashSet::new();
        let mut new: Vec<NewProduct<'p>> = Vec::new();
        for order in orders {
            for line in order.rows() {
                let sku = line.sku.as_str();
                if !ids.contains_key(sku) && named.insert(sku) {
                    let (price, currency) = (Some(line.unit_price), Some(order.currency));
                    let name = line.name.as_str();
                    new.push(NewProduct { sku: &line.sku, name, price, currency, tracked: true });
                }
            }
        }
        // In one order, so that of two who insert the same ones one waits for the other.
        new.sort_unstable_by_key(|product| product.sku.as_str());
        let new_ids = tx.next_ids("products", new.len() as u64)?.map(ProductId::from_ledger);
        let fresh: Vec<_> = new_ids.zip(new).collect();
        ids.extend(fresh.iter().map(|(id, product)| (product.sku.as_str(), *id)));
        Ok(Products { ids, fresh })
    }

    /// The product that a row of the chunk names.
    pub(super) fn id(&self, sku: &str) -> ProductId {
        self.ids[sku]
    }

    /// Inserts those that were not there, with their stock. Returns under which id others have inserted some meanwhile, by
    /// the id that they had here.
    pub(super) fn insert(
        &mut self,
        tx: &mut Tx<'_>,
        initial_stock: i64,
        at: Timestamp,
    ) -> Result<HashMap<ProductId, ProductId>> {
        let fresh = std::mem::take(&mut self.fresh);
        store::products::insert_missing(tx, &fresh, at)?;
        let skus = fresh.iter().map(|(_, product)| product.sku.as_str());
        let there = store::products::find_ids(tx, skus)?;
        let is_moved = |(id, product): &(ProductId, NewProduct<'_>)| {
            there.get(product.sku.as_str()).filter(|now| **now != *id).map(|now| (*id, *now))
        };
        let moved: HashMap<ProductId, ProductId> = fresh.iter().filter_map(is_moved).collect();
        let own = fresh.iter().map(|(id, _)| *id).filter(|id| !moved.contains_key(id));
        let stocked: Vec<_> = own.map(|id| (id, initial_stock)).collect();
        stock::record(tx, CauseKind::Receipt, MovementKind::Receive, &stocked, "initial stock", at)?;
        for (_, product) in &fresh {
            let sku = product.sku.as_str();
            self.ids.extend(there.get(sku).map(|now| (sku, *now)));
        }
        Ok(moved)
    }

    /// [`insert`](Self::insert) for orders that are inserted already.
    pub(super) fn insert_of(
        &mut self,
        tx: &mut Tx<'_>,
        initial_stock: i64,
        orders: &[NewOrder<'_>],
        at: Timestamp,
    ) -> Result<()> {
        let moved = self.insert(tx, initial_stock, at)?;
        let lines = orders.iter().flat_map(|order| (1..).zip(&order.lines).map(|line| (order.id, line)));
        let lines =
            lines.filter_map(|(order, (line_no, line))| Some((order, line_no, *moved.get(&line.product)?)));
        Ok(store::orders::set_products(tx, &lines.collect::<Vec<_>>())?)
    }
}

/// Inserts the customers of orders that are inserted already.
pub(super) fn insert_customers<'a>(
    tx: &mut Tx<'_>,
    (source, wanted): (&'a str, &[CustomerRef<'a>]),
    mut customers: Found<'a>,
    orders: &[NewOrder<'_>],
    at: Timestamp,
) -> Result<()> {
    while !customers.insert(tx, at)? {
        customers = store::customers::find(tx, source, wanted)?;
    }
    let moved = orders.iter().zip(&customers.ids).filter(|(order, now)| order.customer != **now);
    let moved: Vec<(OrderId, CustomerId)> = moved.map(|(order, now)| (order.id, *now)).collect();
    Ok(store::orders::set_customers(tx, &moved)?)
}
