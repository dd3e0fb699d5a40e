use std::time::Duration;

use async_trait::async_trait;
use domain::RefundId;
use queue::{Backoff, Batch, BoxError, Handler, Limits, Outcome};
use serde::{Deserialize, Serialize};

use super::{Payload, land, payloads};
use crate::{App, refunds};

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
        let answers = refunds::pay_back(&self.0, ids).await?;
        let app = self.0.clone();
        let effect = move |tx: &mut sql::Tx<'_>, kept: &[usize]| {
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
