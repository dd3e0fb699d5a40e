//! What the figures are told of orders and refunds: in the transaction that makes it true, and when the ledger is read
//! again. Both say it here, so that they cannot differ.

use std::collections::BTreeMap;

use analytics::{Fact, FactLine};
use domain::order::OrderTotals;
use domain::refund::line_shares;
use domain::{OrderStatus, ProductId};
use store::facts::{CountedRefund, Sale};
use store::orders::Line;
use store::refunds::RefundLine;

/// What a confirmed order sold of each product, each with its share of the order's discount and tax.
pub(crate) fn sold(totals: &OrderTotals, lines: &[Line]) -> Vec<FactLine> {
    let plain = totals.discount == 0 && totals.tax_on_top() == 0;
    let shares = if plain {
        Vec::new()
    } else {
        let line_totals: Vec<i64> = lines.iter().map(|line| line.total).collect();
        line_shares(&line_totals, totals)
    };
    let mut sold: BTreeMap<ProductId, (i64, i64)> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        let entry = sold.entry(line.product).or_default();
        entry.0 += line.units.quantity;
        entry.1 += shares.get(index).copied().unwrap_or(line.total);
    }
    let line = |(product_id, (quantity, amount))| FactLine { product_id, quantity, amount };
    sold.into_iter().map(line).collect()
}

/// What a refund of `amount` took back, of which figures count `counted`: all of it, unless some of the money was
/// never needed.
pub(crate) fn taken_back(lines: &[RefundLine], counted: i64, amount: i64) -> Vec<FactLine> {
    let line = |line: &RefundLine| {
        let share = i128::from(line.amount) * i128::from(counted) / i128::from(amount.max(1));
        let amount = i64::try_from(share).unwrap_or(line.amount);
        FactLine { product_id: line.product, quantity: line.quantity, amount }
    };
    lines.iter().map(line).collect()
}

/// What an order of the ledger, with its lines, tells the figures.
pub(crate) fn of_sale(sale: &Sale, lines: &[Line]) -> impl Iterator<Item = Fact> + use<> {
    let Sale { order: order_id, customer: customer_id, currency, placed_at, units, totals, .. } = *sale;
    let confirmed = sale.confirmed_at.map(|at| {
        let (gross, lines) = (totals.total, sold(&totals, lines));
        Fact::Confirmed { order_id, customer_id, currency, placed_at, at, units, gross, lines }
    });
    let ended = match (sale.status, sale.fail_reason) {
        (OrderStatus::Failed, Some(reason)) => Some(Fact::Failed { order_id, currency, placed_at, reason }),
        (OrderStatus::Cancelled, _) => Some(Fact::Cancelled { order_id, currency, placed_at }),
        _ => None,
    };
    confirmed.into_iter().chain(ended)
}

/// What a refund of the ledger tells the figures.
pub(crate) fn of_refund(refund: &CountedRefund) -> Fact {
    Fact::Refunded {
        order_id: refund.order,
        customer_id: refund.customer,
        currency: refund.amount.currency,
        at: refund.at,
        amount: refund.counted,
        lines: taken_back(&refund.lines, refund.counted, refund.amount.amount),
    }
}
