use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use queue::{Clock, NewJob, Queue};
use sql::{Database, Tx};
use store::simulator::{Charge, Refund};
use telemetry::Trace;

use crate::Result;
use crate::config::GatewaySettings;
use crate::gateways::simulator::{self, DueCallback, Fate};
use crate::gateways::{
    ChargeAnswer, ChargeRequest, ChargeState, GatewayError, PaymentGateway, RefundAnswer, RefundRequest,
};

/// The queue and the kind of the jobs that carry the simulated gateway's callbacks.
pub const CALLBACKS: (&str, &str) = ("callbacks", "deliver_callback");

/// The simulated gateway over a database of its own, or tables of its own in ours. What it has promised survives the
/// process: charges and due callbacks are rows.
#[derive(Clone)]
pub struct InProcess {
    database: Database,
    queue: Queue,
    clock: Arc<dyn Clock>,
    settings: Arc<GatewaySettings>,
}

impl InProcess {
    /// The gateway whose charges are in `database` and whose callbacks wait in `queue`.
    pub fn new(
        database: Database,
        queue: Queue,
        clock: Arc<dyn Clock>,
        settings: Arc<GatewaySettings>,
    ) -> Self {
        InProcess { database, queue, clock, settings }
    }

    /// The charges with these keys.
    pub async fn charges(&self, keys: Vec<String>) -> Result<HashMap<String, Charge>> {
        let find = move |tx: &mut Tx<'_>| {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            Ok(store::simulator::find_charges(tx, &keys)?)
        };
        self.database.read("find_charges", find).await
    }

    fn accept_in(&self, tx: &mut Tx<'_>, requests: &[ChargeRequest]) -> Result<Vec<ChargeAnswer>> {
        let now = self.clock.now();
        let keys: Vec<&str> = requests.iter().map(|request| request.key.as_str()).collect();
        let mut known = store::simulator::find_references(tx, &keys)?;
        let (mut charges, mut jobs) = (Vec::new(), Vec::new());
        for request in requests {
            if known.contains_key(&request.key) {
                continue;
            }
            let fate = Fate::of(&self.settings, &request.key);
            let charge = simulator::accept(request, fate, self.settings.latency, now);
            let due = (charge.due_at > now).then_some(charge.due_at);
            let trace = request.traceparent.as_deref().and_then(Trace::parse);
            for callback in simulator::callbacks(&request.key, fate) {
                jobs.push(callback_job(&callback, due).traced(trace.as_ref()));
            }
            known.insert(charge.key.clone(), charge.reference.clone());
            charges.push(charge);
        }
        store::simulator::insert_charges(tx, &charges, now)?;
        self.queue.push_in(tx, &jobs)?;
        let answer = |request: &ChargeRequest| ChargeAnswer::Accepted {
            reference: known.get(&request.key).cloned().unwrap_or_default(),
        };
        Ok(requests.iter().map(answer).collect())
    }

    fn void_in(&self, tx: &mut Tx<'_>, keys: &[String]) -> Result<Vec<ChargeState>> {
        let now = self.clock.now();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let charges = store::simulator::find_charges(tx, &keys)?;
        let undecided = |key: &&str| {
            charges.get(*key).is_some_and(|charge| simulator::state(charge, now) == ChargeState::Pending)
        };
        let undecided: Vec<&str> = keys.iter().copied().filter(undecided).collect();
        store::simulator::mark_voided(tx, &undecided, now)?;
        let state = |key: &&str| match charges.get(*key).map(|charge| simulator::state(charge, now)) {
            None => ChargeState::Unknown,
            Some(ChargeState::Pending) => ChargeState::Voided,
            Some(state) => state,
        };
        Ok(keys.iter().map(state).collect())
    }

    fn refund_in(&self, tx: &mut Tx<'_>, requests: &[RefundRequest]) -> Result<Vec<RefundAnswer>> {
        let now = self.clock.now();
        let keys: Vec<&str> = requests.iter().map(|request| request.key.as_str()).collect();
        let mut made = store::simulator::find_refunds(tx, &keys)?;
        let keys: Vec<&str> = requests.iter().map(|request| request.charge_key.as_str()).collect();
        let mut charges = store::simulator::find_charges(tx, &keys)?;
        let (mut new, mut answers) = (Vec::new(), Vec::with_capacity(requests.len()));
        for request in requests {
            let RefundRequest { key, charge_key, amount } = request;
            let taken = match made.get(key) {
                Some(reference) => Ok(reference.clone()),
                None => take(&mut charges, request, now).map(|()| format!("re_{key}")),
            };
            answers.push(match taken {
                Err(reason) => RefundAnswer::Refused { reason },
                Ok(reference) => {
                    if made.insert(key.clone(), reference.clone()).is_none() {
                        new.push(Refund {
                            key,
                            charge_key,
                            reference: reference.clone(),
                            amount: amount.amount,
                        });
                    }
                    RefundAnswer::Succeeded { reference }
                }
            });
        }
        store::simulator::insert_refunds(tx, &new, now)?;
        Ok(answers)
    }
}

/// Takes the money of a refund from what is left of its charge, or says why it cannot.
fn take(
    charges: &mut HashMap<String, Charge>,
    request: &RefundRequest,
    now: Timestamp,
) -> std::result::Result<(), String> {
    let RefundRequest { charge_key: key, amount, .. } = request;
    let charge = charges.get_mut(key).ok_or_else(|| format!("there is no charge {key}"))?;
    let ChargeState::Captured { amount: captured, .. } = simulator::state(charge, now) else {
        return Err(format!("the charge {key} is not captured"));
    };
    let left = captured.amount - charge.refunded;
    if amount.currency != captured.currency || amount.amount > left {
        return Err(format!("the charge {key} has only {left} minor units left"));
    }
    charge.refunded += amount.amount;
    Ok(())
}

fn callback_job(callback: &DueCallback, due: Option<Timestamp>) -> NewJob {
    let args = serde_json::to_string(callback).expect("a callback is plain data");
    let job = NewJob::new(CALLBACKS.0, CALLBACKS.1, args);
    match due {
        Some(at) => job.run_at(at),
        None => job,
    }
}

/// One answer for each of `count` requests, or the same fault for all.
fn spread<T: Clone>(answers: Result<Vec<T>>, count: usize) -> Vec<Result<T, GatewayError>> {
    match answers {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(GatewayError::passing(error)); count],
    }
}

#[async_trait]
impl PaymentGateway for InProcess {
    async fn charge(&self, requests: Vec<ChargeRequest>) -> Vec<Result<ChargeAnswer, GatewayError>> {
        let (count, gateway) = (requests.len(), self.clone());
        let accept = move |tx: &mut Tx<'_>| gateway.accept_in(tx, &requests);
        spread(self.database.write("simulator_charge", accept).await, count)
    }

    async fn void(&self, keys: Vec<String>) -> Vec<Result<ChargeState, GatewayError>> {
        let (count, gateway) = (keys.len(), self.clone());
        let void = move |tx: &mut Tx<'_>| gateway.void_in(tx, &keys);
        spread(self.database.write("simulator_void", void).await, count)
    }

    async fn refund(&self, requests: Vec<RefundRequest>) -> Vec<Result<RefundAnswer, GatewayError>> {
        let (count, gateway) = (requests.len(), self.clone());
        let refund = move |tx: &mut Tx<'_>| gateway.refund_in(tx, &requests);
        spread(self.database.write("simulator_refund", refund).await, count)
    }
}
