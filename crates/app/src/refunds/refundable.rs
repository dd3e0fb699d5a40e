use std::collections::HashMap;

use domain::RefundStatus;
use domain::refund::{RefundableLine, RefundableOrder};
use sql::Tx;
use store::orders::Head;

use crate::Result;

/// What must be known of an order to refund it.
pub(crate) fn load(tx: &mut Tx<'_>, head: &Head) -> Result<RefundableOrder> {
    // What went back or is to is the sum of refunds that have not failed: where it is 0, none of them counts here.
    let refunds = match head.state.refunded + head.state.refund_pending {
        0 => Vec::new(),
        _ => store::refunds::list_of_order(tx, head.id)?,
    };
    let live: Vec<_> = refunds.iter().filter(|refund| refund.status != RefundStatus::Failed).collect();
    let ids: Vec<_> = live.iter().map(|refund| refund.id).collect();
    let mut of_line: HashMap<i64, i64> = HashMap::new();
    for (_, line) in store::refunds::list_lines(tx, &ids)? {
        *of_line.entry(line.line_no).or_default() += line.amount;
    }
    let lines = store::orders::list_lines(tx, &[head.id])?
        .into_iter()
        .map(|line| RefundableLine {
            line_no: line.line_no,
            product: line.product,
            units: line.units,
            total: line.total,
            amount_refunded: of_line.get(&line.line_no).copied().unwrap_or_default(),
        })
        .collect();
    Ok(RefundableOrder {
        currency: head.state.currency,
        totals: head.totals,
        captured: head.state.captured,
        refunded: head.state.refunded,
        refund_pending: head.state.refund_pending,
        shipping_refunded: live.iter().map(|refund| refund.shipping).sum(),
        lines,
    })
}
