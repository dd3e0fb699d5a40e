//! Refunds that nobody asked for: of a cancelled order, and of money that an order does not need.

use domain::{Money, OrderId, RefundCause, RefundId, refund};
use jiff::Timestamp;
use queue::NewJob;
use sql::Tx;
use store::orders::Head;
use store::refunds::{NewRefund, RefundLine};

use crate::jobs::{Payload as _, RefundPayment};
use crate::{Actor, Result};

/// A refund that a transition asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owed {
    /// The order.
    pub order: OrderId,
    /// The version of the order that the transition led to: it makes the refund's key.
    pub version: i64,
    /// The attempt whose capture was not needed; none for a cancelled order.
    pub attempt: Option<i64>,
}

/// Records the refund, whose money the order's state counts as pending already. Returns its job.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    before: &Head,
    owed: Owed,
    amount: i64,
    at: Timestamp,
) -> Result<NewJob> {
    let id = RefundId::from_ledger(tx.next_ids("refunds", 1)?.start);
    let key = format!("{}-{}", owed.order, owed.version);
    let (cause, reason) = match owed.attempt {
        Some(_) => (RefundCause::Surplus, "the order did not need this money"),
        None => (RefundCause::Cancellation, "the order was cancelled"),
    };
    let (shipping, lines) = match cause {
        RefundCause::Cancellation => spread(tx, before)?,
        RefundCause::Request | RefundCause::Surplus => (amount, Vec::new()),
    };
    let new = NewRefund {
        id,
        account: Actor::SYSTEM.as_str(),
        key: &key,
        request_hash: &[],
        order: owed.order,
        payment_attempt: owed.attempt,
        amount: Money { amount, currency: before.state.currency },
        shipping,
        cause,
        restock: true,
        reason: Some(reason),
        actor: Actor::SYSTEM.as_str(),
        lines,
    };
    store::refunds::insert(tx, &[new], at)?;
    Ok(RefundPayment { refund: id }.job())
}

/// The money that is left of a cancelled order, line by line. Its units were let go with the order, so none are
/// refunded.
fn spread(tx: &mut Tx<'_>, before: &Head) -> Result<(i64, Vec<RefundLine>)> {
    let order = super::refundable::load(tx, before)?;
    let plan = refund::allocate(&order, &domain::RefundRequest::All)?;
    let line = |line: &refund::PlannedLine| RefundLine {
        line_no: line.line_no,
        product: line.product,
        quantity: 0,
        amount: line.amount,
        restock: false,
    };
    let lines = plan.lines.iter().filter(|line| line.amount > 0).map(line).collect();
    Ok((plan.shipping, lines))
}
