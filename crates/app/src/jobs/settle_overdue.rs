use std::time::Duration;

use async_trait::async_trait;
use queue::{Backoff, Batch, BoxError, Handler, Limits, NewJob, Outcome, Scope};
use serde::{Deserialize, Serialize};
use sql::Tx;

use super::Payload;
use super::outlook::{Foresight, Outlook};
use crate::{App, Result, payments};

/// Gives up the payments whose deadline has passed, after asking the gateway. One such job exists at a time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SettleOverdue {}

impl Payload for SettleOverdue {
    const KIND: &'static str = "settle_overdue";
    const QUEUE: &'static str = "payments";
}

impl SettleOverdue {
    /// The job, where none is waiting.
    pub fn unique_job() -> NewJob {
        SettleOverdue {}.job().unique(Self::KIND, Scope::UntilFinished)
    }
}

pub(super) struct Run(pub(super) App);

/// Payments settled in one go.
const AT_ONCE: u32 = 500;

#[async_trait]
impl Handler for Run {
    fn kind(&self) -> &'static str {
        SettleOverdue::KIND
    }

    fn limits(&self) -> Limits {
        let longest = Duration::from_secs(30);
        Limits { attempts: u32::MAX, backoff: Backoff { longest, ..Backoff::default() }, ..Limits::default() }
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        while payments::settle_overdue(&self.0, AT_ONCE).await? == AT_ONCE as usize {}
        Ok(batch.all_done())
    }
}

impl Foresight for Run {
    fn foresee(&self, tx: &mut Tx<'_>, _: &str) -> Result<Outlook> {
        let next = store::payments::next_deadline(tx)?;
        let why = "It looks at the deadlines as they are then. A payment that is decided has none.";
        Ok(if next.is_some_and(|deadline| deadline <= self.0.now()) {
            let told = "Payments are overdue: it would ask the gateway to call them off, and give them up."
                .to_owned();
            Outlook::open(Vec::new(), told, why)
        } else {
            Outlook::settled(
                Vec::new(),
                "No payment is overdue: it would find none, and end.".to_owned(),
                why,
            )
        })
    }
}
