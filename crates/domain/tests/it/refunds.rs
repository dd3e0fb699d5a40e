//! What a refund gives back, line by line.

use domain::order::OrderTotals;
use domain::refund::{RefundableLine, RefundableOrder, allocate, line_shares, movements};
use domain::{
    Currency, LineUnits, MovementKind, ProductId, RefundPlan, RefundRefused, RefundRequest, RefundedUnits,
};
use proptest::prelude::*;

use crate::world::euro;

/// A paid order with lines of `(quantity, line total)`.
fn order(lines: &[(i64, i64)], discount: i64, shipping: i64, tax: i64, adjustment: i64) -> RefundableOrder {
    let totals = OrderTotals::new(lines.iter().map(|line| line.1), discount, shipping, tax, false).unwrap();
    let totals = totals.adjusted_to(totals.total + adjustment).unwrap();
    let line = |(line_no, (quantity, total)): (i64, &(i64, i64))| RefundableLine {
        line_no,
        product: ProductId::from_ledger(line_no + 100),
        units: LineUnits { quantity: *quantity, ..LineUnits::default() },
        total: *total,
        amount_refunded: 0,
    };
    RefundableOrder {
        currency: Currency::EUR,
        totals,
        captured: totals.total,
        refunded: 0,
        refund_pending: 0,
        shipping_refunded: 0,
        lines: (1..).zip(lines).map(line).collect(),
    }
}

fn lines(lines: &[(i64, i64)]) -> RefundRequest {
    RefundRequest::Lines { lines: lines.to_vec(), shipping: 0 }
}

/// Books a plan as succeeded.
fn book(order: &mut RefundableOrder, plan: &RefundPlan) {
    order.refunded += plan.amount;
    order.shipping_refunded += plan.shipping;
    for planned in &plan.lines {
        let line = order.lines.iter_mut().find(|line| line.line_no == planned.line_no).unwrap();
        line.units.refunded += planned.units.total;
        line.amount_refunded += planned.amount;
    }
}

#[test]
fn a_line_refund_is_its_share_of_total_discount_and_tax() {
    let order = order(&[(2, 3000), (1, 1000)], 400, 500, 760, 0);
    let plan = allocate(&order, &lines(&[(1, 2)])).unwrap();
    assert_eq!(plan.amount, 3000 - 300 + 570);
    assert_eq!(plan.shipping, 0);
    let half = allocate(&order, &lines(&[(1, 1)])).unwrap();
    assert_eq!(half.amount, 1635);
}

#[test]
fn tax_that_prices_contain_is_not_added() {
    let mut order = order(&[(1, 1000)], 0, 0, 0, 0);
    order.totals = OrderTotals { tax: 160, tax_included: true, ..order.totals };
    assert_eq!(allocate(&order, &lines(&[(1, 1)])).unwrap().amount, 1000);
}

#[test]
fn the_last_unit_gets_the_remainder() {
    let mut order = order(&[(3, 100)], 0, 0, 0, 0);
    let mut amounts = Vec::new();
    for _ in 0..3 {
        let plan = allocate(&order, &lines(&[(1, 1)])).unwrap();
        amounts.push(plan.amount);
        book(&mut order, &plan);
    }
    assert_eq!(amounts, [33, 33, 34]);
    assert_eq!(allocate(&order, &lines(&[(1, 1)])), Err(RefundRefused::NothingLeft));
}

#[test]
fn shipping_is_given_back_only_when_asked_for() {
    let mut order = order(&[(1, 1000)], 0, 500, 0, 0);
    assert_eq!(allocate(&order, &lines(&[(1, 1)])).unwrap().amount, 1000);
    let shipping = |shipping| RefundRequest::Lines { lines: vec![], shipping };
    let plan = allocate(&order, &shipping(200)).unwrap();
    assert_eq!((plan.amount, plan.shipping, plan.lines.len()), (200, 200, 0));
    book(&mut order, &plan);
    let refused = RefundRefused::AboveShipping { asked: euro(301), left: euro(300) };
    assert_eq!(allocate(&order, &shipping(301)), Err(refused));
    assert!(allocate(&order, &shipping(-1)).is_err());
}

#[test]
fn money_alone_is_spread_over_the_lines_and_takes_no_units() {
    let order = order(&[(1, 300), (1, 600)], 0, 100, 0, 0);
    let plan = allocate(&order, &RefundRequest::Amount(90)).unwrap();
    let amounts: Vec<i64> = plan.lines.iter().map(|line| line.amount).collect();
    assert_eq!((amounts, plan.shipping), (vec![30, 60], 0));
    assert_eq!(plan.units(), RefundedUnits::NONE);
    let most = allocate(&order, &RefundRequest::Amount(950)).unwrap();
    assert_eq!(most.shipping, 50, "what exceeds the lines is for none of them");
}

#[test]
fn a_refund_of_all_is_what_is_left_units_too() {
    let mut order = order(&[(2, 1000), (3, 900)], 100, 500, 0, -1);
    for request in [lines(&[(2, 1)]), RefundRequest::Amount(250)] {
        let plan = allocate(&order, &request).unwrap();
        book(&mut order, &plan);
    }
    let plan = allocate(&order, &RefundRequest::All).unwrap();
    assert_eq!(plan.amount, order.left());
    assert_eq!(plan.units().total, 4);
    book(&mut order, &plan);
    assert_eq!(order.refunded, order.captured);
}

#[test]
fn a_line_that_got_more_than_its_share_gets_nothing_of_the_rest() {
    let mut order = order(&[(1, 100), (1, 100)], 0, 100, 0, 0);
    for request in [RefundRequest::Amount(150), lines(&[(1, 1)])] {
        let plan = allocate(&order, &request).unwrap();
        book(&mut order, &plan);
    }
    let plan = allocate(&order, &RefundRequest::All).unwrap();
    let amounts: Vec<(i64, i64)> = plan.lines.iter().map(|line| (line.line_no, line.amount)).collect();
    assert_eq!((plan.amount, amounts, plan.shipping), (50, vec![(2, 25)], 25));
}

#[test]
fn caps_refuse_with_what_is_left() {
    let mut order = order(&[(2, 1000)], 0, 0, 0, 0);
    order.lines[0].units.refund_pending = 1;
    order.refund_pending = 500;
    let above = RefundRefused::AboveQuantity { line_no: 1, asked: 2, left: 1 };
    assert_eq!(allocate(&order, &lines(&[(1, 2)])), Err(above));
    assert_eq!(allocate(&order, &lines(&[(1, 1), (1, 1)])), Err(above), "a line named twice is summed first");
    let refused = RefundRefused::AboveLeft { asked: euro(501), left: euro(500) };
    assert_eq!(allocate(&order, &RefundRequest::Amount(501)), Err(refused));
    assert_eq!(refused.to_string(), "5.01 EUR asked for, 5.00 EUR left to refund");
    order.refunded = 400;
    let refused = RefundRefused::AboveLeft { asked: euro(500), left: euro(100) };
    assert_eq!(allocate(&order, &lines(&[(1, 1)])), Err(refused));
}

#[test]
fn senseless_requests_are_refused() {
    let order = order(&[(1, 1000), (1, 0)], 0, 0, 0, 0);
    let refused = |request| allocate(&order, &request).unwrap_err();
    assert_eq!(refused(RefundRequest::Amount(0)), RefundRefused::ZeroAmount);
    assert_eq!(refused(RefundRequest::Amount(-5)), RefundRefused::ZeroAmount);
    assert_eq!(refused(lines(&[])), RefundRefused::ZeroAmount);
    assert_eq!(refused(lines(&[(2, 1)])), RefundRefused::ZeroAmount);
    assert_eq!(refused(lines(&[(3, 1)])), RefundRefused::UnknownLine(3));
    assert_eq!(refused(lines(&[(1, 0)])), RefundRefused::BadQuantity(1));
}

#[test]
fn refunded_stock_moves_by_what_was_shipped_and_whether_it_is_sold_again() {
    let units = RefundedUnits { total: 5, unshipped: 3, returned: 2 };
    let moved = |units, restock| movements(units, restock).collect::<Vec<_>>();
    assert_eq!(moved(units, true), [(MovementKind::Release, 3), (MovementKind::Return, 2)]);
    let gone = RefundedUnits { returned: 0, ..units };
    assert_eq!(moved(gone, false), [(MovementKind::Release, 3), (MovementKind::Adjust, -3)]);
    assert_eq!(moved(RefundedUnits::NONE, true), []);
}

fn orders() -> impl Strategy<Value = RefundableOrder> {
    let line = (1_i64..9, 0_i64..5000);
    (prop::collection::vec(line, 1..6), 0_i64..300, 0_i64..900, 0_i64..700, -50_i64..50).prop_filter_map(
        "an order costs something",
        |(lines, discount, shipping, tax, adjustment)| {
            let worth: i64 = lines.iter().map(|line| line.1).sum();
            (worth - discount + adjustment > 0).then(|| order(&lines, discount, shipping, tax, adjustment))
        },
    )
}

fn requests() -> impl Strategy<Value = RefundRequest> {
    let some = prop::collection::vec((1_i64..7, 1_i64..5), 0..4);
    prop_oneof![
        2 => (1_i64..4000).prop_map(RefundRequest::Amount),
        5 => (some, 0_i64..300).prop_map(|(lines, shipping)| RefundRequest::Lines { lines, shipping }),
        1 => Just(RefundRequest::All),
    ]
}

proptest! {
    #[test]
    fn shares_add_up_to_the_order_without_shipping_and_adjustment(order in orders()) {
        let totals = order.totals;
        let line_totals: Vec<i64> = order.lines.iter().map(|line| line.total).collect();
        let shares: i64 = line_shares(&line_totals, &totals).iter().sum();
        prop_assert_eq!(shares, totals.total - totals.shipping - totals.adjustment);
    }

    #[test]
    fn unit_by_unit_gives_what_the_whole_line_gives(order in orders(), shipped in 0_i64..9) {
        for (place, line) in order.lines.iter().enumerate() {
            let mut order = order.clone();
            order.captured = i64::MAX / 2;
            order.lines[place].units.shipped = shipped.min(line.units.quantity);
            let whole = allocate(&order, &lines(&[(line.line_no, line.units.quantity)]));
            let (mut amount, mut unshipped) = (0, 0);
            for _ in 0..line.units.quantity {
                // A unit may be worth less than a cent; the next one makes up for it.
                match allocate(&order, &lines(&[(line.line_no, 1)])) {
                    Ok(plan) => {
                        amount += plan.amount;
                        unshipped += plan.units().unshipped;
                        book(&mut order, &plan);
                    }
                    Err(RefundRefused::ZeroAmount) => {
                        unshipped += order.lines[place].units.on_request(1).unshipped;
                        order.lines[place].units.refunded += 1;
                    }
                    Err(refused) => panic!("{refused}"),
                }
            }
            match whole {
                Ok(plan) => prop_assert_eq!((plan.amount, plan.units().unshipped), (amount, unshipped)),
                Err(refused) => prop_assert_eq!((refused, amount), (RefundRefused::ZeroAmount, 0)),
            }
        }
    }

    #[test]
    fn no_sequence_of_refunds_exceeds_a_cap(
        mut order in orders(),
        asked in prop::collection::vec(requests(), 1..25),
    ) {
        for request in &asked {
            let Ok(plan) = allocate(&order, request) else { continue };
            prop_assert!(plan.amount > 0 && plan.shipping >= 0);
            let for_lines: i64 = plan.lines.iter().map(|line| line.amount).sum();
            prop_assert_eq!(for_lines + plan.shipping, plan.amount);
            prop_assert!(plan.lines.iter().all(|line| line.amount >= 0));
            prop_assert!(plan.lines.is_sorted_by_key(|line| line.line_no));
            book(&mut order, &plan);
            prop_assert!(order.refunded <= order.captured);
            prop_assert!(order.lines.iter().all(|line| line.units.refundable() >= 0));
        }
        if let Ok(rest) = allocate(&order, &RefundRequest::All) {
            book(&mut order, &rest);
            prop_assert!(order.lines.iter().all(|line| line.units.refundable() == 0));
        }
        prop_assert!(order.left() == 0);
    }

    #[test]
    fn refunding_all_at_once_gives_each_line_its_share(order in orders()) {
        let line_totals: Vec<i64> = order.lines.iter().map(|line| line.total).collect();
        let shares = line_shares(&line_totals, &order.totals);
        let plan = allocate(&order, &RefundRequest::All).unwrap();
        if shares.iter().sum::<i64>() > order.captured || shares.iter().any(|share| *share < 0) {
            return Ok(());
        }
        prop_assert_eq!(plan.lines.iter().map(|line| line.amount).collect::<Vec<_>>(), shares);
        prop_assert_eq!(plan.shipping, order.totals.shipping + order.totals.adjustment);
    }
}
