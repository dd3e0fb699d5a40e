use std::collections::HashMap;

use analytics::{Board, BoardOf};
use domain::{CustomerId, ProductId};
use schemars::JsonSchema;
use serde::Serialize;
use sql::Tx;

use crate::Result;

/// Whom an entry of a leaderboard is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Ranked {
    /// A customer.
    Customer(RankedCustomer),
    /// A product.
    Product(RankedProduct),
}

/// A customer on a leaderboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RankedCustomer {
    /// Our id.
    pub id: CustomerId,
    /// Their id in the shop's source.
    pub external_id: Option<String>,
    /// Their e-mail.
    pub email: Option<String>,
    /// Their name.
    pub name: Option<String>,
}

/// A product on a leaderboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RankedProduct {
    /// Our id.
    pub id: ProductId,
    /// Its SKU.
    pub sku: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// Puts names in the place of ids.
pub(super) fn named(tx: &mut Tx<'_>, board: Board<i64>) -> Result<Board<Ranked>> {
    let ids = board.entries.iter().map(|entry| entry.who);
    Ok(match board.of {
        BoardOf::Customers => {
            let ids: Vec<_> = ids.map(CustomerId::from_ledger).collect();
            let mut known: HashMap<i64, _> = store::customers::list(tx, &ids)?
                .into_iter()
                .map(|customer| (customer.id.get(), customer))
                .collect();
            board.name(|id| {
                let customer = known.remove(&id);
                let (external_id, email, name) =
                    customer.map(|known| (known.external_id, known.email, known.name)).unwrap_or_default();
                Ranked::Customer(RankedCustomer { id: CustomerId::from_ledger(id), external_id, email, name })
            })
        }
        BoardOf::Products => {
            let ids: Vec<_> = ids.map(ProductId::from_ledger).collect();
            let mut known: HashMap<i64, _> = store::products::list(tx, &ids)?
                .into_iter()
                .map(|product| (product.id.get(), product))
                .collect();
            board.name(|id| {
                let (sku, name) = known.remove(&id).map(|known| (known.sku, known.name)).unzip();
                Ranked::Product(RankedProduct { id: ProductId::from_ledger(id), sku, name })
            })
        }
    })
}
