use std::collections::{HashMap, HashSet};

use analytics::Fact;
use domain::{
    Action, CauseKind, ChargeStatus, LineUnits, MovementKind, OrderId, ProductId, RefundCause, RefundId,
    RefundStatus, RefundedUnits, refund,
};
use serde_json::json;
use sql::Tx;
use store::orders::UnitChange;
use store::payments::{Payment, PaymentRef};
use store::refunds::{Refund, RefundLine};
use store::stock::Movement;

use crate::gateways::{GatewayError, RefundAnswer, RefundRequest};
use crate::workflow::{Goods, PaymentKey, Step, facts};
use crate::{Actor, App, Result};

/// What the gateway said about refunds; those that are settled already were not asked about.
pub(crate) type Answers = HashMap<RefundId, Result<RefundAnswer, GatewayError>>;

static GATEWAY: Actor = Actor::GATEWAY;

/// Marks refunds as being carried out, then asks the gateway to pay them back. Each has a key of its own, so asking
/// again pays nothing twice.
pub(crate) async fn pay_back(app: &App, ids: Vec<RefundId>) -> Result<Answers> {
    let (refunds, payments, surplus) = app
        .transaction("begin_refunds", move |tx| -> Result<_> {
            store::refunds::mark_processing(tx, &ids)?;
            let refunds = store::refunds::list(tx, &ids)?;
            let orders: Vec<OrderId> = refunds.iter().map(|refund| refund.order).collect();
            let payments = store::payments::list(tx, &orders)?;
            let surplus = surplus_of(tx, &payments)?;
            Ok((refunds, payments, surplus))
        })
        .await?;
    let open: Vec<Refund> = refunds.into_iter().filter(|refund| !refund.status.is_final()).collect();
    let mut answers = Answers::new();
    let mut requests = Vec::with_capacity(open.len());
    let mut asked = Vec::with_capacity(open.len());
    for refund in &open {
        if let Some(payment) = charge_of(refund, &payments, &surplus) {
            let charge_key = PaymentKey::of(app.instance(), payment);
            let key = format!("{}-r{:012}", app.instance(), refund.id.get());
            requests.push(RefundRequest { key, charge_key, amount: refund.amount });
            asked.push(refund.id);
        } else {
            let reason = "no captured payment of this order is known to the gateway".to_owned();
            answers.insert(refund.id, Ok(RefundAnswer::Refused { reason }));
        }
    }
    answers.extend(asked.into_iter().zip(app.gateway().refund(requests).await));
    Ok(answers)
}

/// The captures that refunds name: their money went back because another had paid for the order.
fn surplus_of(tx: &mut Tx<'_>, payments: &[Payment]) -> Result<HashSet<PaymentRef>> {
    let mut surplus = HashSet::new();
    let mut captured: Vec<OrderId> = payments
        .iter()
        .filter(|payment| payment.status == ChargeStatus::Captured)
        .map(|payment| payment.key.order)
        .collect();
    captured.sort_unstable();
    for twice in captured.chunk_by(|a, b| a == b).filter(|captures| captures.len() > 1) {
        let order = twice[0];
        let named =
            store::refunds::list_of_order(tx, order)?.into_iter().filter_map(|one| one.payment_attempt);
        surplus.extend(named.map(|attempt| PaymentRef { order, attempt }));
    }
    Ok(surplus)
}

/// The capture whose money goes back: the one that is named, else the one that confirmed the order. Whatever else was
/// captured went back as surplus.
fn charge_of(refund: &Refund, payments: &[Payment], surplus: &HashSet<PaymentRef>) -> Option<PaymentRef> {
    if let Some(attempt) = refund.payment_attempt {
        return Some(PaymentRef { order: refund.order, attempt });
    }
    let paid_for_it = |payment: &&Payment| {
        payment.key.order == refund.order
            && payment.status == ChargeStatus::Captured
            && !surplus.contains(&payment.key)
    };
    payments.iter().filter(paid_for_it).min_by_key(|payment| payment.decided_at).map(|payment| payment.key)
}

/// Settles refunds that the gateway answered: money, units, stock, figures, notification.
pub(crate) fn settle(app: &App, tx: &mut Tx<'_>, ids: &[RefundId], answers: &Answers) -> Result<()> {
    let refunds: Vec<Refund> = store::refunds::list(tx, ids)?;
    let orders: Vec<OrderId> = refunds.iter().map(|refund| refund.order).collect();
    let at = app.now();
    let step = Step::begin(app, tx, &GATEWAY, at, &orders)?;
    let mut lines: HashMap<RefundId, Vec<RefundLine>> = HashMap::new();
    for (refund, line) in store::refunds::list_lines(tx, ids)? {
        lines.entry(refund).or_default().push(line);
    }
    let goods = Goods::lock(tx, &orders)?;
    let units = orders
        .iter()
        .flat_map(|order| goods.lines(*order))
        .map(|line| ((line.order, line.line_no), line.units))
        .collect();
    let mut settling = Settling { step, goods, units, changes: Vec::new(), settled: Vec::new() };
    for refund in refunds.iter().filter(|refund| !refund.status.is_final()) {
        let lines = lines.get(&refund.id).map_or(&[][..], Vec::as_slice);
        match answers.get(&refund.id) {
            Some(Ok(RefundAnswer::Succeeded { reference })) => {
                settling.succeed(refund, lines, reference, at)?;
            }
            Some(Ok(RefundAnswer::Refused { reason })) => settling.fail(refund, lines, reason)?,
            Some(Err(_)) | None => {}
        }
    }
    settling.finish(tx, at)
}

struct Settling<'a> {
    step: Step<'a>,
    goods: Goods,
    units: HashMap<(OrderId, i64), LineUnits>,
    changes: Vec<UnitChange>,
    settled: Vec<(RefundId, std::result::Result<String, String>)>,
}

impl Settling<'_> {
    fn succeed(
        &mut self,
        refund: &Refund,
        lines: &[RefundLine],
        reference: &str,
        at: jiff::Timestamp,
    ) -> Result<()> {
        let taken: Vec<(RefundLine, RefundedUnits)> = lines
            .iter()
            .map(|line| (*line, self.units_of(refund.order, line).on_success(line.quantity, line.restock)))
            .collect();
        let units: RefundedUnits = taken.iter().map(|(_, units)| *units).sum();
        let (amount, surplus) = (refund.amount.amount, refund.cause == RefundCause::Surplus);
        let data = json!({"refund": refund.id, "amount": amount, "reference": reference}).to_string();
        let action = Action::RefundSucceeded { amount, units, surplus };
        let effects = self.step.apply(refund.order, action, Some(data))??.effects;
        let head =
            *self.step.head(refund.order).ok_or_else(|| store::Error::missing("order", refund.order))?;
        if effects.restock && !head.stock_untracked {
            self.restock(refund.id, &taken);
        }
        for (line, _) in &taken {
            self.change(UnitChange {
                refunded: line.quantity,
                refund_pending: -line.quantity,
                ..UnitChange::none(refund.order, line.line_no)
            });
        }
        if effects.count_refund > 0 {
            let lines = facts::taken_back(lines, effects.count_refund, amount);
            let (order_id, customer_id, currency) = (head.id, head.customer, head.state.currency);
            let amount = effects.count_refund;
            self.step.add_fact(Fact::Refunded { order_id, customer_id, currency, at, amount, lines });
        }
        self.settled.push((refund.id, Ok(reference.to_owned())));
        debug_assert_eq!(refund.status, RefundStatus::Processing, "a refund is marked before it is paid");
        Ok(())
    }

    fn fail(&mut self, refund: &Refund, lines: &[RefundLine], reason: &str) -> Result<()> {
        let units: RefundedUnits =
            lines.iter().map(|line| self.units_of(refund.order, line).on_failure(line.quantity)).sum();
        let amount = refund.amount.amount;
        let data = json!({"refund": refund.id, "amount": amount, "reason": reason}).to_string();
        self.step.apply(refund.order, Action::RefundFailed { amount, units }, Some(data))??;
        for line in lines {
            let none = UnitChange::none(refund.order, line.line_no);
            self.change(UnitChange { refund_pending: -line.quantity, ..none });
        }
        self.settled.push((refund.id, Err(reason.to_owned())));
        Ok(())
    }

    fn units_of(&self, order: OrderId, line: &RefundLine) -> LineUnits {
        self.units.get(&(order, line.line_no)).copied().unwrap_or_default()
    }

    /// Changes a line's counts, here and, at the end, in the ledger.
    fn change(&mut self, change: UnitChange) {
        if change.refund_pending == 0 {
            return;
        }
        if let Some(units) = self.units.get_mut(&(change.order, change.line_no)) {
            units.refunded += change.refunded;
            units.refund_pending += change.refund_pending;
        }
        self.changes.push(change);
    }

    fn restock(&mut self, refund: RefundId, taken: &[(RefundLine, RefundedUnits)]) {
        let mut moved = Vec::new();
        for (line, units) in taken {
            if self.goods.level_mut(line.product).is_none() {
                continue;
            }
            for (kind, quantity) in refund::movements(*units, line.restock) {
                moved.push(movement(refund, line.line_no, line.product, kind, quantity));
            }
        }
        self.step.add_movements(moved);
    }

    fn finish(self, tx: &mut Tx<'_>, at: jiff::Timestamp) -> Result<()> {
        store::orders::change_units(tx, &self.changes)?;
        store::refunds::mark_settled(tx, &self.settled, at)?;
        self.step.finish(tx)
    }
}

fn movement(
    refund: RefundId,
    line_no: i64,
    product: ProductId,
    kind: MovementKind,
    quantity: i64,
) -> Movement {
    Movement { cause: CauseKind::RefundLine, cause_id: refund.get(), line_no, kind, product, quantity }
}
