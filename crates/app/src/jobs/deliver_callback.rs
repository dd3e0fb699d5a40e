use async_trait::async_trait;
use queue::{Batch, BoxError, Handler, Job, Outcome};

use super::land;
use crate::gateways::CALLBACKS;
use crate::gateways::simulator::DueCallback;
use crate::payments::{self, Incoming};
use crate::{App, Result};

/// Carries the callbacks of the simulated gateway in this process to the inbox, signed, as if they had come over
/// HTTP.
pub struct DeliverCallback;

pub(super) struct Run(pub(super) App);

#[async_trait]
impl Handler for Run {
    fn kind(&self) -> &'static str {
        CALLBACKS.1
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let deliveries = deliveries(&self.0, batch.jobs()).await?;
        let app = self.0.clone();
        let checked: Vec<_> = deliveries
            .into_iter()
            .map(|delivery| delivery.map(|delivery| payments::check(&app, delivery)))
            .collect();
        let effect = move |tx: &mut sql::Tx<'_>, kept: &[usize]| {
            let mine: Vec<_> = kept.iter().filter_map(|position| checked[*position].as_ref()).collect();
            payments::record(&app, tx, &mine)?;
            Ok(Vec::new())
        };
        Ok(land(&self.0, "receive_callbacks", batch.jobs(), effect).await?)
    }
}

/// One signed delivery a job; none for a charge that was called off.
async fn deliveries(app: &App, jobs: &[Job]) -> Result<Vec<Option<Incoming>>> {
    let due = jobs.iter().map(Job::parse).collect::<queue::Result<Vec<DueCallback>>>()?;
    let Some(simulator) = app.simulator() else {
        return Err(crate::Error::Config(
            "a callback of the simulated gateway waits, but [gateway] mode is not `in_process`".to_owned(),
        ));
    };
    let charges = simulator.charges(due.iter().map(|callback| callback.key.clone()).collect()).await?;
    let now = app.now();
    let sign = |callback: &DueCallback| {
        let body = callback.body(charges.get(&callback.key), now)?;
        let body = serde_json::to_vec(&body).expect("a callback is plain data");
        let headers = app.secrets().sign(&callback.event_id(), now, &body)?;
        Some(Incoming { headers, body })
    };
    Ok(due.iter().map(sign).collect())
}
