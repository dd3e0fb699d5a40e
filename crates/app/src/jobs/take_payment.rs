use std::time::Duration;

use async_trait::async_trait;
use domain::{OrderId, OrderStatus};
use queue::{Backoff, Batch, BoxError, Handler, Limits, Outcome};
use serde::{Deserialize, Serialize};
use sql::Tx;
use store::payments::PaymentRef;

use super::outlook::{self, About, Foresight, Outlook};
use super::{Payload, land, payloads};
use crate::gateways::{ChargeAnswer, ChargeRequest, GatewayError};
use crate::payments::Settlement;
use crate::workflow::PaymentKey;
use crate::{App, Result};

/// Charges an order. The intent is recorded already; the gateway knows the charge by its key, however often this
/// job runs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct TakePayment {
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub attempt: i64,
}

impl TakePayment {
    pub(crate) fn new(payment: PaymentRef) -> Self {
        TakePayment { order: payment.order, attempt: payment.attempt }
    }

    fn payment(self) -> PaymentRef {
        PaymentRef { order: self.order, attempt: self.attempt }
    }
}

impl Payload for TakePayment {
    const KIND: &'static str = "take_payment";
    const QUEUE: &'static str = "payments";
}

pub(super) struct Run(pub(super) App);

/// What the gateway said to a job's charge; none where the order was no longer to be charged.
type Answer = Option<Result<ChargeAnswer, GatewayError>>;

#[async_trait]
impl Handler for Run {
    fn kind(&self) -> &'static str {
        TakePayment::KIND
    }

    /// A gateway that is down is asked again until the order's deadline, which ends the job.
    fn limits(&self) -> Limits {
        let longest = Duration::from_secs(30);
        Limits { attempts: u32::MAX, backoff: Backoff { longest, ..Backoff::default() }, ..Limits::default() }
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let payloads: Vec<TakePayment> = payloads(batch.jobs())?;
        let answers = self.charge(batch, &payloads).await?;
        let app = self.0.on_behalf_of(batch, payloads.iter().map(|payload| Some(payload.order)));
        let effect = move |tx: &mut Tx<'_>, kept: &[usize]| {
            let mine: Vec<_> =
                kept.iter().map(|position| (*position, payloads[*position].payment())).collect();
            let payments: Vec<PaymentRef> = mine.iter().map(|(_, payment)| *payment).collect();
            let mut settlement = Settlement::begin(&app, tx, &payments)?;
            let mut again = Vec::new();
            for (position, payment) in mine {
                if let Some(outcome) = record(&mut settlement, payment, &answers[position])? {
                    again.push((position, outcome));
                }
            }
            settlement.finish(tx)?;
            Ok(again)
        };
        Ok(land(&self.0, "record_charges", batch.jobs(), effect).await?)
    }
}

impl Run {
    /// Charges the orders that are still reserved.
    async fn charge(&self, batch: &Batch, payloads: &[TakePayment]) -> Result<Vec<Answer>> {
        let ids: Vec<OrderId> = payloads.iter().map(|payload| payload.order).collect();
        let reserved = move |tx: &mut Tx<'_>| store::orders::list_totals(tx, &ids, OrderStatus::Reserved);
        let totals = self.0.read("orders_to_charge", reserved).await?;
        let instance = self.0.instance();
        let request = |(position, payload): (usize, &TakePayment)| {
            let found = totals.binary_search_by_key(&payload.order, |(order, _)| *order).ok()?;
            let amount = totals[found].1;
            let key = PaymentKey::of(instance, payload.payment());
            let traceparent = batch.trace(position).map(|trace| trace.to_string());
            Some(ChargeRequest { key, amount, traceparent })
        };
        let requests: Vec<Option<ChargeRequest>> = payloads.iter().enumerate().map(request).collect();
        let answers = self.0.gateway().charge(requests.iter().flatten().cloned().collect()).await;
        let mut answers = answers.into_iter();
        Ok(requests.iter().map(|request| request.as_ref().and_then(|_| answers.next())).collect())
    }
}

/// Records an answer; says so where the job must run again.
fn record(settlement: &mut Settlement<'_>, payment: PaymentRef, answer: &Answer) -> Result<Option<Outcome>> {
    match answer {
        None => {}
        Some(Ok(ChargeAnswer::Accepted { reference })) => settlement.accept(payment, reference)?,
        Some(Ok(ChargeAnswer::Declined { reason })) => {
            settlement.decline(payment, reason)?;
        }
        Some(Err(_)) if settlement.is_past_deadline(payment) => {
            settlement.give_up(payment, "the payment gateway gave no answer in time")?;
        }
        Some(Err(error)) => return Ok(Some(Outcome::Retry(error.to_string()))),
    }
    Ok(None)
}

impl Foresight for Run {
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook> {
        let payload: TakePayment = outlook::read(args)?;
        let TakePayment { order: id, attempt } = payload;
        let status = outlook::order(tx, id)?.state.status;
        let payments = store::payments::list(tx, &[id])?;
        let payment = payments.iter().find(|payment| payment.key.attempt == attempt);
        let payment =
            payment.ok_or_else(|| store::Error::missing("payment", format!("{attempt} of order {id}")))?;
        let key = PaymentKey::of(self.0.instance(), payment.key);
        let why = "The gateway knows the charge by its key, which is the same however often it is asked: it takes the \
                   money once. What it answers is recorded once.";
        let stands = format!(
            "Order {id} is {status}, and attempt {attempt} to charge it is {}",
            payment.status.as_str()
        );
        let about = vec![About::Order(id)];
        Ok(if status == OrderStatus::Reserved && payment.status.is_open() {
            Outlook::open(
                about,
                format!("{stands}: it would ask the gateway once more, with the key {key}."),
                why,
            )
        } else if status == OrderStatus::Reserved {
            let told = format!(
                "{stands}: asked with the key {key}, the gateway would say the same again, and nothing follows."
            );
            Outlook::settled(about, told, why)
        } else {
            Outlook::settled(about, format!("{stands}: it would not ask the gateway, and end."), why)
        })
    }
}
