use std::time::Duration;

use async_trait::async_trait;
use domain::OrderId;
use queue::{Backoff, Batch, BoxError, Handler, Limits, Outcome};
use serde::{Deserialize, Serialize};
use sql::Tx;

use super::outlook::{self, About, Foresight, Outlook};
use super::{Payload, land, payloads};
use crate::{App, Result, payments};

/// Calls off whatever charge of an order is still open. What was captured in the meantime goes back.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct VoidCharge {
    /// The order.
    pub order: OrderId,
}

impl Payload for VoidCharge {
    const KIND: &'static str = "void_charge";
    const QUEUE: &'static str = "payments";
}

pub(super) struct Run(pub(super) App);

#[async_trait]
impl Handler for Run {
    fn kind(&self) -> &'static str {
        VoidCharge::KIND
    }

    fn limits(&self) -> Limits {
        let longest = Duration::from_mins(5);
        Limits { attempts: u32::MAX, backoff: Backoff { longest, ..Backoff::default() }, ..Limits::default() }
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let payloads: Vec<VoidCharge> = payloads(batch.jobs())?;
        let orders: Vec<OrderId> = payloads.iter().map(|payload| payload.order).collect();
        let app = self.0.on_behalf_of(batch, orders.iter().copied().map(Some));
        let voided = payments::void_open(&app, orders).await?;
        let effect = move |tx: &mut Tx<'_>, kept: &[usize]| {
            let orders: Vec<OrderId> = kept.iter().map(|position| payloads[*position].order).collect();
            let unanswered = payments::record_voided(&app, tx, &orders, &voided)?;
            let again = |position: &usize| {
                let reason = unanswered.get(&payloads[*position].order)?;
                Some((*position, Outcome::Retry(reason.clone())))
            };
            Ok(kept.iter().filter_map(again).collect())
        };
        Ok(land(&self.0, "record_voided", batch.jobs(), effect).await?)
    }
}

impl Foresight for Run {
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook> {
        let VoidCharge { order: id } = outlook::read(args)?;
        outlook::order(tx, id)?;
        let payments = store::payments::list(tx, &[id])?;
        let is_open = payments.iter().any(|payment| payment.status.is_open());
        let why = "A charge that is called off twice is called off. What was captured goes back by one refund, whose key \
                   is its own.";
        let about = vec![About::Order(id)];
        Ok(if is_open {
            let told =
                format!("A charge of order {id} is still open: it would ask the gateway to call it off.");
            Outlook::open(about, told, why)
        } else {
            let told = format!("No charge of order {id} is open: it would ask nobody, and end.");
            Outlook::settled(about, told, why)
        })
    }
}
