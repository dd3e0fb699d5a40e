use std::collections::HashMap;

use domain::{Action, ChargeStatus, EventKind, Money, OrderId, OrderStatus, Verdict};
use jiff::Timestamp;
use serde_json::json;
use sql::Tx;
use store::payments::{Acceptance, Decision, Payment, PaymentRef};

use crate::workflow::Step;
use crate::{Actor, App, Result};

/// What is learnt about charges in one transaction, from whichever side: answers, callbacks, deadlines.
///
/// Whatever is learnt twice, late or out of order changes nothing the second time; the verdict says why.
pub(crate) struct Settlement<'a> {
    app: &'a App,
    step: Step<'a>,
    at: Timestamp,
    payments: HashMap<PaymentRef, Payment>,
    accepted: Vec<Acceptance>,
    decisions: Vec<Decision>,
}

/// What was done about a piece of news, and why.
pub(crate) type Judgement = (Verdict, Option<String>);

static GATEWAY: Actor = Actor::GATEWAY;

impl<'a> Settlement<'a> {
    /// Locks the orders of these attempts and reads all their attempts.
    pub(crate) fn begin(app: &'a App, tx: &mut Tx<'_>, attempts: &[PaymentRef]) -> Result<Self> {
        let mut orders: Vec<OrderId> = attempts.iter().map(|attempt| attempt.order).collect();
        orders.sort_unstable();
        orders.dedup();
        let at = app.now();
        let step = Step::begin(app, tx, &GATEWAY, at, &orders)?;
        let payments = store::payments::list(tx, &orders)?;
        let payments = payments.into_iter().map(|payment| (payment.key, payment)).collect();
        Ok(Settlement { app, step, at, payments, accepted: Vec::new(), decisions: Vec::new() })
    }

    /// The attempts of these orders that the gateway may still capture.
    pub(crate) fn is_open(&self, key: PaymentRef) -> bool {
        self.payments.get(&key).is_some_and(|payment| payment.status.is_open())
    }

    /// Whether an attempt has waited for an answer for as long as stock may be held.
    pub(crate) fn is_past_deadline(&self, key: PaymentRef) -> bool {
        let held_for = self.app.config().gateway.reservation_deadline;
        let deadline = |payment: &Payment| payment.created_at.saturating_add(held_for).ok();
        self.payments.get(&key).and_then(deadline).is_some_and(|deadline| deadline <= self.at)
    }

    /// The gateway took a charge on; its deadline begins.
    pub(crate) fn accept(&mut self, key: PaymentRef, reference: &str) -> Result<()> {
        match self.payments.get(&key).map(|payment| payment.status) {
            Some(ChargeStatus::Requested) => {}
            // Called off before it arrived: whatever becomes of it is asked at once.
            Some(ChargeStatus::Voided) => {
                self.watch(key, reference, self.at);
                return Ok(());
            }
            _ => return Ok(()),
        }
        let held_for = self.app.config().gateway.reservation_deadline;
        let deadline = self.at.saturating_add(held_for).unwrap_or(Timestamp::MAX);
        let data = json!({"attempt": key.attempt, "reference": reference}).to_string();
        let accepted = self.step.apply(key.order, Action::AcceptCharge { deadline }, Some(data))?;
        // An order that died in the meantime keeps the attempt on watch, so that it is called off.
        if accepted.is_err() {
            tracing::info!(
                order = key.order.get(),
                "a charge was accepted for an order that is no longer reserved"
            );
        }
        self.watch(key, reference, deadline);
        Ok(())
    }

    /// The gateway took the money.
    pub(crate) fn capture(&mut self, key: PaymentRef, money: Money, reference: &str) -> Result<Judgement> {
        match self.payments.get(&key).map(|payment| payment.status) {
            None => return Ok((Verdict::Ignored, Some("no payment of ours has this key".to_owned()))),
            Some(ChargeStatus::Captured) => {
                return Ok((Verdict::Stale, Some("this charge is recorded as captured already".to_owned())));
            }
            Some(_) => {}
        }
        let data = json!({"attempt": key.attempt, "reference": reference, "amount": money.amount, "currency": money.currency});
        let before = self.step.head(key.order).map(|head| head.state);
        let transition =
            match self.step.apply(key.order, Action::Capture { money }, Some(data.to_string()))? {
                Ok(transition) => transition,
                Err(refused) => return Ok((Verdict::Stale, Some(refused.to_string()))),
            };
        if transition.event == EventKind::CaptureMismatch {
            let expected = before.map(|state| Money { amount: state.total, currency: state.currency });
            let expected = expected.map(|money| money.to_string()).unwrap_or_default();
            return Ok((Verdict::Rejected, Some(format!("{money} was captured where {expected} is owed"))));
        }
        self.decide(key, ChargeStatus::Captured, money.amount, Some(reference), None);
        if transition.event == EventKind::LateCaptureRefunded {
            self.step.owe_attempt(key.attempt);
            let status = before.map_or("", |state| state.status.as_str());
            return Ok((Verdict::Applied, Some(format!("the order is {status}: the money goes back"))));
        }
        Ok((Verdict::Applied, None))
    }

    /// The gateway said no.
    pub(crate) fn decline(&mut self, key: PaymentRef, reason: &str) -> Result<Judgement> {
        let Some(payment) = self.payments.get(&key) else {
            return Ok((Verdict::Ignored, Some("no payment of ours has this key".to_owned())));
        };
        if !payment.status.is_open() {
            let status = payment.status;
            return Ok((Verdict::Stale, Some(format!("this charge is recorded as {status} already"))));
        }
        let is_last = !self.payments.contains_key(&PaymentRef { attempt: key.attempt + 1, ..key });
        let attempts_left = key.attempt < i64::from(self.app.config().gateway.payment_attempts);
        let data = json!({"attempt": key.attempt, "reason": reason}).to_string();
        let declined = if is_last {
            self.step.apply(key.order, Action::Decline { attempts_left }, Some(data))?.map_err(Some)
        } else {
            Err(None)
        };
        self.decide(key, ChargeStatus::Declined, 0, None, Some(reason));
        match declined {
            Ok(_) => {
                self.step.set_next_attempt(key.attempt + 1);
                Ok((Verdict::Applied, None))
            }
            Err(Some(refused)) => Ok((Verdict::Stale, Some(refused.to_string()))),
            Err(None) => Ok((Verdict::Stale, Some("a later attempt has taken its place".to_owned()))),
        }
    }

    /// No capture came in time, and none will.
    pub(crate) fn expire(&mut self, key: PaymentRef, reason: &str) -> Result<()> {
        if self.is_open(key) {
            self.give_up(key, reason)?;
            self.decide(key, ChargeStatus::Voided, 0, None, Some(reason));
        }
        Ok(())
    }

    /// The gateway gave no answer in time: the order fails. The charge stays open, because the gateway may have it, and
    /// is called off as soon as it answers.
    pub(crate) fn give_up(&mut self, key: PaymentRef, reason: &str) -> Result<()> {
        let data = json!({"attempt": key.attempt, "reason": reason}).to_string();
        if let Err(refused) = self.step.apply(key.order, Action::Expire, Some(data))? {
            tracing::debug!(order = key.order.get(), %refused, "an overdue payment of an order that moved on");
        }
        Ok(())
    }

    /// The gateway will never capture it: it was called off, or never arrived.
    pub(crate) fn void(&mut self, key: PaymentRef) {
        if self.is_open(key) {
            self.decide(key, ChargeStatus::Voided, 0, None, Some("called off"));
        }
    }

    /// Whether the attempt is one of ours.
    pub(crate) fn knows(&self, key: PaymentRef) -> bool {
        self.payments.contains_key(&key)
    }

    /// Whether the gateway accepted the attempt, so that its deadline is watched.
    pub(crate) fn is_watched(&self, key: PaymentRef) -> bool {
        self.payments.get(&key).is_some_and(|payment| payment.deadline.is_some())
    }

    /// Whether the order waits for a payment.
    pub(crate) fn is_reserved(&self, order: OrderId) -> bool {
        self.step.head(order).is_some_and(|head| head.state.status == OrderStatus::Reserved)
    }

    /// Writes what was learnt and all that follows from it.
    pub(crate) fn finish(self, tx: &mut Tx<'_>) -> Result<()> {
        store::payments::mark_accepted(tx, &self.accepted)?;
        store::payments::mark_decided(tx, &self.decisions, self.at)?;
        self.step.finish(tx)
    }

    fn watch(&mut self, key: PaymentRef, reference: &str, deadline: Timestamp) {
        if let Some(payment) = self.payments.get_mut(&key) {
            payment.status = ChargeStatus::Accepted;
            payment.deadline = Some(deadline);
            self.accepted.push(Acceptance { key, reference: reference.to_owned(), deadline });
        }
    }

    fn decide(
        &mut self,
        key: PaymentRef,
        status: ChargeStatus,
        captured: i64,
        reference: Option<&str>,
        reason: Option<&str>,
    ) {
        let Some(payment) = self.payments.get_mut(&key) else { return };
        payment.status = status;
        self.decisions.push(Decision {
            key,
            status,
            captured,
            reference: reference.map(str::to_owned),
            reason: reason.map(str::to_owned),
            deadline: payment.deadline.take(),
        });
    }
}
