use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::{OrderId, RefundId};
use queue::{Backoff, Batch, BoxError, Handler, Limits, Outcome};
use serde::{Deserialize, Serialize};
use sql::Tx;

use super::outlook::{self, About, Foresight, Outlook};
use super::{Payload, land, payloads};
use crate::{App, Result, refunds};

/// Gives the money of a refund back and settles it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct RefundPayment {
    /// The refund.
    pub refund: RefundId,
}

impl Payload for RefundPayment {
    const KIND: &'static str = "refund_payment";
    const QUEUE: &'static str = "refunds";
}

pub(super) struct Run(pub(super) App);

#[async_trait]
impl Handler for Run {
    fn kind(&self) -> &'static str {
        RefundPayment::KIND
    }

    /// A gateway that gives no answer may have paid: it is asked again, with the same key, for as long as it takes.
    fn limits(&self) -> Limits {
        let longest = Duration::from_mins(5);
        Limits { attempts: u32::MAX, backoff: Backoff { longest, ..Backoff::default() }, ..Limits::default() }
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let payloads: Vec<RefundPayment> = payloads(batch.jobs())?;
        let ids: Vec<RefundId> = payloads.iter().map(|payload| payload.refund).collect();
        let orders = self.orders(batch, ids.clone()).await?;
        let app = self.0.on_behalf_of(batch, orders);
        let answers = refunds::pay_back(&app, ids).await?;
        let effect = move |tx: &mut Tx<'_>, kept: &[usize]| {
            let ids: Vec<RefundId> = kept.iter().map(|position| payloads[*position].refund).collect();
            refunds::settle(&app, tx, &ids, &answers)?;
            let again = |position: &usize| {
                let error = answers.get(&payloads[*position].refund)?.as_ref().err()?;
                Some((*position, Outcome::Retry(error.to_string())))
            };
            Ok(kept.iter().filter_map(again).collect())
        };
        Ok(land(&self.0, "settle_refunds", batch.jobs(), effect).await?)
    }
}

impl Foresight for Run {
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook> {
        let RefundPayment { refund: id } = outlook::read(args)?;
        let refund = store::refunds::get(tx, id)?;
        let (status, about) = (refund.status.as_str(), vec![About::Refund(id), About::Order(refund.order)]);
        let why = "The gateway knows the refund by a key of its own: it pays once, however often it is asked. Money, \
                   units and stock are settled in one commit, and never again after it.";
        Ok(if refund.status.is_final() {
            let told = format!("Refund {id} has {status} already: it would see that, ask nobody, and end.");
            Outlook::settled(about, told, why)
        } else {
            let told = format!(
                "Refund {id} over {} is {status}: it would ask the gateway with the refund's key. If the gateway has paid, \
                 it says so, and the refund is settled.",
                refund.amount
            );
            Outlook::open(about, told, why)
        })
    }
}

impl Run {
    /// The orders of refunds, where it matters that each has a trace of its own.
    async fn orders(&self, batch: &Batch, ids: Vec<RefundId>) -> Result<Vec<Option<OrderId>>> {
        if !batch.is_traced() {
            return Ok(Vec::new());
        }
        let find = move |tx: &mut Tx<'_>| -> Result<_> {
            let refunds = store::refunds::list(tx, &ids)?;
            let orders: HashMap<RefundId, OrderId> =
                refunds.iter().map(|refund| (refund.id, refund.order)).collect();
            Ok(ids.iter().map(|id| orders.get(id).copied()).collect())
        };
        self.0.read("orders_of_refunds", find).await
    }
}
