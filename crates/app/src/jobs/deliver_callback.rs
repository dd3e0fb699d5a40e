use std::time::Duration;

use async_trait::async_trait;
use queue::{Batch, BoxError, Handler, Job, Outcome};
use sql::Tx;

use super::land;
use super::outlook::{self, About, Foresight, Outlook};
use crate::gateways::simulator::{self, DueCallback};
use crate::gateways::{CALLBACKS, ChargeState};
use crate::payments::{self, Checked, Incoming};
use crate::workflow::PaymentKey;
use crate::{App, Result};

/// Carries the callbacks of the simulated gateway in this process to the inbox, signed, as if they had come over
/// HTTP.
pub(super) struct Run(pub(super) App);

#[async_trait]
impl Handler for Run {
    fn kind(&self) -> &'static str {
        CALLBACKS.1
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let due = due(&self.0, batch.jobs()).await?;
        let app = self.0.on_behalf_of(batch, due.iter().map(|due| due.delivery()?.order()));
        let effect = move |tx: &mut Tx<'_>, kept: &[usize]| {
            let mine: Vec<&Checked> = kept.iter().filter_map(|position| due[*position].delivery()).collect();
            payments::record(&app, tx, &mine)?;
            let early = kept.iter().filter(|position| matches!(due[**position], Due::NotYet));
            Ok(early.map(|position| (*position, Outcome::Snooze(Duration::from_secs(1)))).collect())
        };
        Ok(land(&self.0, "receive_callbacks", batch.jobs(), effect).await?)
    }
}

/// What is to be done about a callback.
enum Due {
    /// Hand it to the inbox.
    Deliver(Box<Checked>),
    /// The charge is not decided yet: the clock was turned back.
    NotYet,
    /// The charge was called off.
    Nothing,
}

impl Due {
    fn delivery(&self) -> Option<&Checked> {
        match self {
            Due::Deliver(delivery) => Some(delivery),
            Due::NotYet | Due::Nothing => None,
        }
    }
}

/// What is to be done about each job's callback.
async fn due(app: &App, jobs: &[Job]) -> Result<Vec<Due>> {
    let callbacks = jobs.iter().map(Job::parse).collect::<queue::Result<Vec<DueCallback>>>()?;
    let Some(gateway) = app.simulator() else {
        return Err(crate::Error::Config(
            "a callback of the simulated gateway waits, but [gateway] mode is not `in_process`".to_owned(),
        ));
    };
    let charges = gateway.charges(callbacks.iter().map(|callback| callback.key.clone()).collect()).await?;
    let now = app.now();
    let sign = |callback: &DueCallback| {
        let charge = charges.get(&callback.key);
        if charge.is_some_and(|charge| simulator::state(charge, now) == ChargeState::Pending) {
            return Due::NotYet;
        }
        let body = callback
            .body(charge, now)
            .map(|body| serde_json::to_vec(&body).expect("a callback is plain data"));
        let signed = body.and_then(|body| {
            let headers = app.secrets().sign(&callback.event_id(), now, &body)?;
            Some(Box::new(payments::check(app, Incoming { headers, body })))
        });
        signed.map_or(Due::Nothing, Due::Deliver)
    };
    Ok(callbacks.iter().map(sign).collect())
}

impl Foresight for Run {
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook> {
        let callback: DueCallback = outlook::read(args)?;
        let event = callback.event_id();
        let payment = PaymentKey::parse(self.0.instance(), &callback.key);
        let about = payment.map(|payment| About::Order(payment.order)).into_iter().collect();
        let why = "The inbox knows each event by its id, and does what it says once.";
        Ok(if store::webhooks::find_known(tx, &[&event])?.is_empty() {
            let told = format!(
                "The event {event} has not come yet: it would be delivered to the inbox, which judges it."
            );
            Outlook::open(about, told, why)
        } else {
            let told = format!(
                "The event {event} has come already: it would be recorded as a duplicate, and change nothing."
            );
            Outlook::settled(about, told, why)
        })
    }
}
