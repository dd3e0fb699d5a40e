use domain::{ChargeStatus, RefundCause, RefundStatus};

use super::findings::{Findings, Rule, Thing};
use super::parts::Parts;

/// Rule 3: money adds up and stays within its caps, and a dead order keeps none.
pub(super) fn check(order: &Parts<'_>, found: &mut Findings) {
    found.checked(Rule::Money, 1);
    check_totals(order, found);
    check_captures(order, found);
    check_refunds(order, found);
    check_lines(order, found);
}

fn check_totals(order: &Parts<'_>, found: &mut Findings) {
    let (totals, thing) = (&order.head.totals, Thing::Order(order.head.id));
    let lines: i128 = order.lines.iter().map(|line| i128::from(line.line.total)).sum();
    if lines != i128::from(totals.subtotal) {
        found.breach(
            Rule::Money,
            thing,
            "subtotal",
            format_args!("{lines}, the sum of its lines"),
            totals.subtotal,
        );
    }
    if !totals.is_consistent() {
        let (total, parts) = (totals.total, "subtotal − discount + shipping + tax on top + adjustment");
        found.breach(Rule::Money, thing, "total", parts, total);
    }
}

fn check_captures(order: &Parts<'_>, found: &mut Findings) {
    let (state, thing) = (&order.head.state, Thing::Order(order.head.id));
    let captured = order.payments.iter().map(|payment| payment.captured).sum();
    found.same(Rule::Money, thing, "money captured", captured, state.captured);
    for payment in order.payments.iter().filter(|payment| payment.status != ChargeStatus::Captured) {
        let thing = Thing::Payment(payment.order, payment.attempt);
        found.same(Rule::Money, thing, "money captured before it is captured", 0, payment.captured);
    }
    let given = state.refunded.saturating_add(state.refund_pending);
    if state.refunded < 0 || state.refund_pending < 0 || given > state.captured {
        let most = format_args!("at most the {} captured", state.captured);
        found.breach(Rule::Money, thing, "money refunded and under way", most, given);
    }
}

fn check_refunds(order: &Parts<'_>, found: &mut Findings) {
    let (state, thing) = (&order.head.state, Thing::Order(order.head.id));
    let sum = |wanted: &dyn Fn(RefundStatus) -> bool| -> i64 {
        order.refunds.iter().filter(|refund| wanted(refund.status)).map(|refund| refund.amount).sum()
    };
    let succeeded = sum(&|status| status == RefundStatus::Succeeded);
    let failed = sum(&|status| status == RefundStatus::Failed);
    found.same(Rule::Money, thing, "money refunded", succeeded, state.refunded);
    let under_way = sum(&|status| !status.is_final());
    found.same(Rule::Money, thing, "money of refunds under way", under_way, state.refund_pending);

    let needed = order
        .refunds
        .iter()
        .filter(|refund| refund.status == RefundStatus::Succeeded && refund.cause != RefundCause::Surplus);
    let counted = needed.map(|refund| refund.amount).sum::<i64>().min(state.needed_money());
    // What a file tells of an order of the past is refunded, whether the order was ever confirmed or not.
    if !order.head.stock_untracked {
        found.same(Rule::Money, thing, "surplus money refunded", succeeded - counted, state.surplus_refunded);
    }
    // A refund that the gateway refused for good waits for a person, who was alerted.
    let kept = state.captured - state.refunded - state.refund_pending;
    if state.status.is_dead() && kept > failed {
        found.breach(
            Rule::Money,
            thing,
            "captured money of a dead order",
            "all of it in refunds",
            format_args!("{kept} kept"),
        );
    }
    for refund in order.refunds {
        let lines = order.refund_lines.iter().filter(|line| line.refund == refund.id);
        let parts = refund.shipping + lines.map(|line| line.amount).sum::<i64>();
        let thing = Thing::Refund(refund.order, refund.id);
        found.same(Rule::Money, thing, "amount, as the sum of its parts", parts, refund.amount);
    }
}

fn check_lines(order: &Parts<'_>, found: &mut Findings) {
    for line in order.lines {
        let (units, thing) = (line.line.units, Thing::Line(line.line.order, line.line.line_no));
        let counts = [units.quantity, units.shipped, units.refunded, units.refund_pending];
        let given = units.refunded.saturating_add(units.refund_pending);
        if counts.iter().any(|count| *count < 0) || given > units.quantity || units.shipped > units.quantity {
            let most = format_args!("from 0 to its quantity, {}", units.quantity);
            let has = format_args!("{given} refunded and under way, {} shipped", units.shipped);
            found.breach(Rule::Money, thing, "units", most, has);
        }
        if order.refunds.is_empty() && given == 0 {
            continue;
        }
        let sum = |wanted: &dyn Fn(RefundStatus) -> bool| -> i64 {
            let of_line = order.refund_lines.iter().filter(|refunded| refunded.line_no == line.line.line_no);
            let status = |refund| order.refunds.iter().find(|one| one.id == refund).map(|one| one.status);
            of_line.filter(|part| status(part.refund).is_some_and(wanted)).map(|part| part.quantity).sum()
        };
        let succeeded = sum(&|status| status == RefundStatus::Succeeded);
        found.same(Rule::Money, thing, "units refunded", succeeded, units.refunded);
        let under_way = sum(&|status| !status.is_final());
        found.same(Rule::Money, thing, "units of refunds under way", under_way, units.refund_pending);
    }
}
