use async_trait::async_trait;
use domain::{OrderId, OrderStatus};
use queue::{Batch, BoxError, Handler, Outcome};
use serde::{Deserialize, Serialize};
use sql::Tx;

use super::outlook::{self, About, Foresight, Outlook};
use super::{Payload, land, payloads};
use crate::{App, Result, orders};

/// Holds the stock of an order, or fails it for want of stock.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ReserveStock {
    /// The order.
    pub order: OrderId,
}

impl Payload for ReserveStock {
    const KIND: &'static str = "reserve_stock";
    const QUEUE: &'static str = "stock";
}

pub(super) struct Run(pub(super) App);

#[async_trait]
impl Handler for Run {
    fn kind(&self) -> &'static str {
        ReserveStock::KIND
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let payloads: Vec<ReserveStock> = payloads(batch.jobs())?;
        let app = self.0.on_behalf_of(batch, payloads.iter().map(|payload| Some(payload.order)));
        let effect = move |tx: &mut Tx<'_>, kept: &[usize]| {
            let ids: Vec<OrderId> = kept.iter().map(|position| payloads[*position].order).collect();
            orders::reserve(&app, tx, &ids)?;
            Ok(Vec::new())
        };
        Ok(land(&self.0, "reserve_stock", batch.jobs(), effect).await?)
    }
}

impl Foresight for Run {
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook> {
        let ReserveStock { order: id } = outlook::read(args)?;
        let status = outlook::order(tx, id)?.state.status;
        let why = "Stock is held for an order that is pending, and for no other, in the commit that moves the order on.";
        let about = vec![About::Order(id)];
        Ok(if status == OrderStatus::Pending {
            let told = format!(
                "Order {id} is pending: it would hold the stock of all its lines, or fail the order."
            );
            Outlook::open(about, told, why)
        } else {
            Outlook::settled(about, format!("Order {id} is {status}: it would see that, and end."), why)
        })
    }
}
