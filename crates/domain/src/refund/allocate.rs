//! Working a refund out: money per line, within the caps.

use std::collections::BTreeMap;

use super::{PlannedLine, RefundPlan, RefundRefused, RefundRequest, RefundableLine, RefundableOrder};
use crate::money::{Money, share, split_pro_rata};
use crate::order::{OrderTotals, RefundedUnits};

/// Works out what a request gives back, or why it cannot.
pub fn allocate(order: &RefundableOrder, request: &RefundRequest) -> Result<RefundPlan, RefundRefused> {
    if order.left() <= 0 {
        return Err(RefundRefused::NothingLeft);
    }
    let shares = shares_of(order);
    match request {
        RefundRequest::Amount(amount) => Ok(spread(order, &shares, positive(*amount)?, false)),
        RefundRequest::All => Ok(spread(order, &shares, order.left(), true)),
        RefundRequest::Lines { lines, shipping } => by_lines(order, &shares, lines, *shipping),
    }
    .and_then(|plan| within_left(order, plan))
}

/// What each line is worth to the customer: its total, its share of the order's discount and of the tax on top.
///
/// Pro rata by line total; the shares add up to the order's total without shipping and adjustment.
pub fn line_shares(line_totals: &[i64], totals: &OrderTotals) -> Vec<i64> {
    let discounts = split_pro_rata(totals.discount, line_totals);
    let taxes = split_pro_rata(totals.tax_on_top(), line_totals);
    let parts = line_totals.iter().zip(discounts).zip(taxes);
    parts.map(|((total, discount), tax)| total - discount + tax).collect()
}

fn shares_of(order: &RefundableOrder) -> Vec<i64> {
    let totals: Vec<i64> = order.lines.iter().map(|line| line.total).collect();
    line_shares(&totals, &order.totals)
}

fn positive(amount: i64) -> Result<i64, RefundRefused> {
    if amount > 0 { Ok(amount) } else { Err(RefundRefused::ZeroAmount) }
}

fn within_left(order: &RefundableOrder, plan: RefundPlan) -> Result<RefundPlan, RefundRefused> {
    positive(plan.amount)?;
    if plan.amount > order.left() {
        let money = |amount| Money::new(amount, order.currency);
        return Err(RefundRefused::AboveLeft { asked: money(plan.amount), left: money(order.left()) });
    }
    Ok(plan)
}

/// Spreads money over what the lines are still worth; what exceeds that is for no line.
fn spread(order: &RefundableOrder, shares: &[i64], amount: i64, with_units: bool) -> RefundPlan {
    let worth = |(line, share): (&RefundableLine, &i64)| (share - line.amount_refunded).max(0);
    let left: Vec<i64> = order.lines.iter().zip(shares).map(worth).collect();
    let left_in_all = left.iter().fold(0_i64, |sum, left| sum.saturating_add(*left));
    let for_lines = amount.min(left_in_all);
    let parts = split_pro_rata(for_lines, &left);
    let planned = order.lines.iter().zip(parts).map(|(line, amount)| {
        let count = if with_units { line.units.refundable() } else { 0 };
        PlannedLine::new(line, amount, line.units.on_request(count))
    });
    let lines = planned.filter(|line| line.amount != 0 || line.units.total != 0).collect();
    RefundPlan { amount, shipping: amount - for_lines, lines }
}

fn by_lines(
    order: &RefundableOrder,
    shares: &[i64],
    asked: &[(i64, i64)],
    shipping: i64,
) -> Result<RefundPlan, RefundRefused> {
    check_shipping(order, shipping)?;
    let mut lines = Vec::with_capacity(asked.len());
    let mut amount = shipping;
    for (line_no, count) in summed(asked)? {
        let found = order.lines.iter().zip(shares).find(|(line, _)| line.line_no == line_no);
        let (line, share) = found.ok_or(RefundRefused::UnknownLine(line_no))?;
        let planned = PlannedLine::of_units(line, *share, count)?;
        amount = amount.saturating_add(planned.amount);
        lines.push(planned);
    }
    Ok(RefundPlan { amount, shipping, lines })
}

fn check_shipping(order: &RefundableOrder, asked: i64) -> Result<(), RefundRefused> {
    let left = (order.totals.shipping - order.shipping_refunded).max(0);
    if (0..=left).contains(&asked) {
        return Ok(());
    }
    let money = |amount| Money::new(amount, order.currency);
    Err(RefundRefused::AboveShipping { asked: money(asked), left: money(left) })
}

/// The request by line number, each line once.
fn summed(asked: &[(i64, i64)]) -> Result<BTreeMap<i64, i64>, RefundRefused> {
    let mut lines = BTreeMap::new();
    for (line_no, count) in asked {
        if *count <= 0 {
            return Err(RefundRefused::BadQuantity(*line_no));
        }
        let sum: &mut i64 = lines.entry(*line_no).or_default();
        *sum = sum.saturating_add(*count);
    }
    Ok(lines)
}

impl PlannedLine {
    const fn new(line: &RefundableLine, amount: i64, units: RefundedUnits) -> Self {
        Self { line_no: line.line_no, product: line.product, amount, units }
    }

    /// The next `count` units of a line that is worth `worth`.
    ///
    /// Reckoned from the first unit on, so that unit by unit gives what the whole line gives: each time what was
    /// cut off stays with the units to come, and the last one gets the rest.
    fn of_units(line: &RefundableLine, worth: i64, count: i64) -> Result<Self, RefundRefused> {
        let left = line.units.refundable();
        if count > left {
            return Err(RefundRefused::AboveQuantity { line_no: line.line_no, asked: count, left });
        }
        let quantity = line.units.quantity;
        let before = quantity - left;
        let amount = share(worth, before + count, quantity) - share(worth, before, quantity);
        Ok(Self::new(line, amount, line.units.on_request(count)))
    }
}
