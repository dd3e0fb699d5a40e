use async_trait::async_trait;
use domain::OrderId;
use queue::{Batch, BoxError, Handler, Outcome};
use serde::{Deserialize, Serialize};

use super::{Payload, land, payloads};
use crate::{App, orders};

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
        let effect = move |tx: &mut sql::Tx<'_>, kept: &[usize]| {
            let ids: Vec<OrderId> = kept.iter().map(|position| payloads[*position].order).collect();
            orders::reserve(&app, tx, &ids)?;
            Ok(Vec::new())
        };
        Ok(land(&self.0, "reserve_stock", batch.jobs(), effect).await?)
    }
}
