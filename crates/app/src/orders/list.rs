use std::collections::HashMap;

use domain::CustomerId;
use sql::Tx;
use store::Part;
use store::customers::Customer;
use store::orders::{OrderRow, Place, Search, Stages};

use crate::{App, Result};

/// An order, and whose it is.
pub type Owned = (OrderRow, Option<Customer>);

/// A part of a list of orders, each with its customer.
pub async fn list(app: &App, search: Search) -> Result<Part<Owned, Place>> {
    app.read("list_orders", move |tx: &mut Tx<'_>| -> Result<_> {
        let Part { rows, next } = store::orders::search(tx, &search)?;
        let mut ids: Vec<i64> = rows.iter().map(|order| order.customer_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let ids: Vec<CustomerId> = ids.into_iter().map(CustomerId::from_ledger).collect();
        let customers = store::customers::list(tx, &ids)?.into_iter();
        let customers: HashMap<i64, Customer> = customers.map(|one| (one.id.get(), one)).collect();
        let with_customer = |order: OrderRow| {
            let customer = customers.get(&order.customer_id).cloned();
            (order, customer)
        };
        Ok(Part { rows: rows.into_iter().map(with_customer).collect(), next })
    })
    .await
}

/// Orders whose way is looked at.
const NEWEST: u32 = 2_000;

/// How far the newest 2,000 orders came.
pub async fn stages_of_newest(app: &App) -> Result<Stages> {
    app.read("stages_of_newest", |tx: &mut Tx<'_>| Ok(store::orders::stages_of_newest(tx, NEWEST)?)).await
}
