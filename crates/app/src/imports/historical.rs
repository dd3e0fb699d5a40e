//! Orders of the past: they enter in the state that their row tells, with payment and refund rows marked as imported.

use analytics::{Fact, FactLine};
use domain::{
    FailReason, FulfilmentStatus, Money, OrderState, OrderStatus, PaymentStatus, RefundCause, RefundId,
};
use importer::ParsedOrder;
use sql::Tx;
use store::orders::NewOrder;
use store::refunds::NewRefund;

use crate::{App, Result};

/// The state that a row tells. Money that is told to have gone back was captured first; what was never paid failed.
pub(super) fn state(order: &ParsedOrder) -> OrderState {
    let told = order.recorded;
    let returned: i64 = order.returns.iter().map(|line| line.total).sum();
    let total = order.totals.total;
    let refunded = match told.payment {
        Some(PaymentStatus::Refunded) if told.refunded == 0 => total,
        _ => told.refunded.max(returned).min(total),
    };
    let mut state = super::chunk::placed(order);
    let was_paid = match told.payment {
        None => true,
        Some(payment) => payment >= PaymentStatus::Paid,
    };
    if told.cancelled {
        state.status = OrderStatus::Cancelled;
        (state.captured, state.refunded) = (refunded, refunded);
    } else if was_paid {
        state.status = OrderStatus::Confirmed;
        (state.captured, state.refunded) = (total, refunded);
        state.confirmed_at = Some(order.placed_at);
        ship(&mut state, told.fulfilment);
    } else {
        state.status = OrderStatus::Failed;
        state.payment = PaymentStatus::Failed;
        let declined = told.payment == Some(PaymentStatus::Failed);
        state.fail_reason = Some(if declined { FailReason::Declined } else { FailReason::Expired });
    }
    if state.captured > 0 || was_paid && !told.cancelled {
        state.payment = match state.refunded {
            0 => PaymentStatus::Paid,
            refunded if refunded == state.captured => PaymentStatus::Refunded,
            _ => PaymentStatus::PartiallyRefunded,
        };
    }
    state
}

fn ship(state: &mut OrderState, told: Option<FulfilmentStatus>) {
    let fulfilment = told.unwrap_or(FulfilmentStatus::Unfulfilled);
    state.fulfilment = fulfilment;
    if fulfilment >= FulfilmentStatus::Shipped {
        state.units_shipped = state.units;
    }
    if fulfilment >= FulfilmentStatus::Delivered {
        state.status = OrderStatus::Completed;
    }
}

/// Records the payments, refunds and figures of orders of the past, on their own dates.
pub(super) fn record(
    app: &App,
    tx: &mut Tx<'_>,
    parsed: &[&ParsedOrder],
    orders: &[NewOrder<'_>],
) -> Result<()> {
    let payments: Vec<_> = orders
        .iter()
        .filter(|order| order.state.captured > 0)
        .map(|order| (order.id, money(order, order.state.captured), order.placed_at))
        .collect();
    store::payments::insert_imported(tx, &payments)?;
    let refunded = orders.iter().filter(|order| order.state.refunded > 0);
    let mut facts = Vec::with_capacity(orders.len());
    for order in refunded {
        let id = RefundId::from_ledger(tx.next_ids("refunds", 1)?.start);
        let key = format!("imported-{}", order.id);
        store::refunds::insert_imported(tx, &[refund(order, id, &key)], order.placed_at)?;
    }
    for (order, parsed) in orders.iter().zip(parsed) {
        facts.extend(figures(order, parsed));
    }
    crate::figures::tell(app, tx, &facts)
}

fn money(order: &NewOrder<'_>, amount: i64) -> Money {
    Money { amount, currency: order.state.currency }
}

/// The file tells how much went back, not of what.
fn refund<'a>(order: &NewOrder<'_>, id: RefundId, key: &'a str) -> NewRefund<'a> {
    NewRefund {
        id,
        account: "import",
        key,
        request_hash: &[],
        order: order.id,
        payment_attempt: None,
        amount: money(order, order.state.refunded),
        shipping: order.state.refunded,
        cause: RefundCause::Request,
        restock: false,
        reason: Some("as the imported file tells"),
        actor: "import",
        lines: Vec::new(),
    }
}

fn figures(order: &NewOrder<'_>, parsed: &ParsedOrder) -> Vec<Fact> {
    let (order_id, customer_id) = (order.id, order.customer);
    let (currency, placed_at) = (order.state.currency, order.placed_at);
    let mut facts = Vec::new();
    if order.state.confirmed_at.is_some() {
        let totals: Vec<i64> = order.lines.iter().map(|line| line.total).collect();
        let shares = domain::refund::line_shares(&totals, &parsed.totals);
        let lines = order
            .lines
            .iter()
            .zip(shares)
            .map(|(line, amount)| FactLine { product_id: line.product, quantity: line.quantity, amount })
            .collect();
        let (units, gross, at) = (order.state.units, order.state.total, placed_at);
        facts.push(Fact::Confirmed { order_id, customer_id, currency, placed_at, at, units, gross, lines });
        if order.state.refunded > 0 {
            let (amount, lines) = (order.state.refunded, Vec::new());
            facts.push(Fact::Refunded { order_id, customer_id, currency, at, amount, lines });
        }
    }
    match (order.state.status, order.state.fail_reason) {
        (OrderStatus::Cancelled, _) => facts.push(Fact::Cancelled { order_id, currency, placed_at }),
        (OrderStatus::Failed, Some(reason)) => {
            facts.push(Fact::Failed { order_id, currency, placed_at, reason });
        }
        _ => {}
    }
    facts
}
