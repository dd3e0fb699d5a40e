use domain::{MovementKind, OrderStatus};

use super::findings::{Findings, Rule, Thing};
use super::parts::Parts;

/// What the movements of a line add up to.
#[derive(Default, Clone, Copy)]
struct Moved {
    held: i64,
    shipped: i64,
}

/// Rule 2: an order holds what its state says, line by line, and a dead one nothing.
pub(super) fn check(order: &Parts<'_>, found: &mut Findings) {
    found.checked(Rule::Holding, 1);
    check_units(order, found);
    // What an order of the past shipped was never ours to count.
    if order.head.stock_untracked {
        return;
    }
    let (id, state) = (order.head.id, &order.head.state);
    let holds = matches!(state.status, OrderStatus::Reserved | OrderStatus::Confirmed);
    let moved = moved(order, found);
    for (line, moved) in order.lines.iter().zip(moved) {
        let (units, thing) = (line.line.units, Thing::Line(id, line.line.line_no));
        let held = if holds && line.tracked { units.held() } else { 0 };
        let shipped = if line.tracked { units.shipped } else { 0 };
        found.same(Rule::Holding, thing, "units held by movements", held, moved.held);
        found.same(Rule::Holding, thing, "units shipped by movements", shipped, moved.shipped);
    }
}

fn moved(order: &Parts<'_>, found: &mut Findings) -> Vec<Moved> {
    let mut sums = vec![Moved::default(); order.lines.len()];
    for movement in order.movements {
        let thing = Thing::Line(movement.order, movement.line_no);
        let Ok(index) = order.lines.binary_search_by_key(&movement.line_no, |line| line.line.line_no) else {
            found.breach(Rule::Holding, thing, "a movement", "of a line", "the line is not there");
            continue;
        };
        let product = order.lines[index].line.product;
        let (expected, moves) = (product.get(), movement.product.get());
        found.same(Rule::Holding, thing, "the product that a movement moves", expected, moves);
        let sum = &mut sums[index];
        match movement.kind {
            MovementKind::Reserve => sum.held += movement.quantity,
            MovementKind::Release => sum.held -= movement.quantity,
            MovementKind::Ship => {
                sum.held -= movement.quantity;
                sum.shipped += movement.quantity;
            }
            MovementKind::Receive | MovementKind::Return | MovementKind::Adjust => {}
        }
    }
    sums
}

/// An order's counts of units are the sums of its lines'.
fn check_units(order: &Parts<'_>, found: &mut Findings) {
    let (state, thing) = (&order.head.state, Thing::Order(order.head.id));
    let sum = |units: fn(domain::LineUnits) -> i64| -> i64 {
        order.lines.iter().map(|line| units(line.line.units)).sum()
    };
    let mut same = |what, expected, counted| found.same(Rule::Holding, thing, what, expected, counted);
    same("units", sum(|line| line.quantity), state.units);
    same("units shipped", sum(|line| line.shipped), state.units_shipped);
    same("units refunded", sum(|line| line.refunded), state.units_refunded);
    same("units in refunds under way", sum(|line| line.refund_pending), state.units_refund_pending);
    if matches!(state.status, OrderStatus::Reserved | OrderStatus::Confirmed) {
        same("units to ship", sum(domain::LineUnits::held), state.units_held());
    }
}
