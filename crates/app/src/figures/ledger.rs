//! The facts of the ledger, read again in bounded sets.

use analytics::Fact;
use domain::{OrderId, RefundId};
use jiff::Timestamp;
use sql::Tx;
use store::facts::Sale;

use crate::Result;
use crate::workflow::facts;

/// Orders whose facts are read at once.
const AT_ONCE: u32 = 1_000;

/// Every fact of up to `limit` orders from `first` on, how many orders these are, and the order that follows them.
pub(crate) fn facts_from(
    tx: &mut Tx<'_>,
    first: OrderId,
    limit: u32,
) -> Result<(Vec<Fact>, usize, Option<OrderId>)> {
    let mut sales = store::facts::list_sales(tx, first, limit + 1)?;
    let next = sales.get(limit as usize).map(|sale| sale.order);
    sales.truncate(limit as usize);
    let mut all = of_sales(tx, &sales)?;
    let orders: Vec<OrderId> = sales.iter().map(|sale| sale.order).collect();
    let refunds = store::facts::list_counted_refunds(tx, &orders)?;
    all.extend(refunds.iter().map(facts::of_refund));
    Ok((all, sales.len(), next))
}

/// Calls `each` with the facts that count from `from` on and before `to`, in sets.
pub(crate) fn for_each_between(
    tx: &mut Tx<'_>,
    span: (Timestamp, Timestamp),
    mut each: impl FnMut(&[Fact]) -> Result<()>,
) -> Result<()> {
    let mut after = None;
    loop {
        let sales = store::facts::list_sales_placed(tx, span, after, AT_ONCE)?;
        each(&of_sales(tx, &sales)?)?;
        after = sales.last().map(|sale| (sale.placed_at, sale.order));
        if sales.len() < AT_ONCE as usize {
            break;
        }
    }
    let mut after = RefundId::from_ledger(0);
    loop {
        let settled = store::facts::list_settled(tx, span, after, AT_ONCE)?;
        let orders: Vec<OrderId> = settled.iter().map(|(_, order)| *order).collect();
        let refunds = store::facts::list_counted_refunds(tx, &orders)?;
        // An order may have refunds outside the span, and others on the next page.
        let is_here = |id: RefundId| settled.binary_search_by_key(&id, |(settled, _)| *settled).is_ok();
        let here = refunds.iter().filter(|refund| is_here(refund.id));
        each(&here.map(facts::of_refund).collect::<Vec<_>>())?;
        match settled.last() {
            Some((last, _)) if settled.len() == AT_ONCE as usize => after = *last,
            _ => return Ok(()),
        }
    }
}

fn of_sales(tx: &mut Tx<'_>, sales: &[Sale]) -> Result<Vec<Fact>> {
    let mut telling: Vec<OrderId> =
        sales.iter().filter(|sale| sale.confirmed_at.is_some()).map(|sale| sale.order).collect();
    telling.sort_unstable();
    let lines = store::orders::list_lines(tx, &telling)?;
    let mut all = Vec::with_capacity(sales.len());
    for sale in sales {
        let first = lines.partition_point(|line| line.order < sale.order);
        let count = lines[first..].iter().take_while(|line| line.order == sale.order).count();
        all.extend(facts::of_sale(sale, &lines[first..first + count]));
    }
    Ok(all)
}
