//! The rows of the transition table, one by one, where the table in the docs does not tell enough.

use domain::order::Reason;
use domain::{
    Action, ActionKind, Currency, EventKind, FailReason, FulfilmentStatus, LineUnits, Money,
    NotificationKind, OrderState, OrderStatus, PaymentStatus, RefundedUnits, Transition,
};

use crate::world::{AT, World, euro};

const CAPTURE: Action = Action::Capture { money: euro(1000) };

fn after(actions: &[Action]) -> OrderState {
    let placed = OrderState::placed(euro(1000), 4);
    actions.iter().fold(placed, |state, action| state.apply(*action, AT).unwrap().state)
}

fn done(state: OrderState, action: Action) -> Transition {
    state.apply(action, AT).unwrap()
}

fn reason(state: OrderState, action: Action) -> Reason {
    state.apply(action, AT).unwrap_err().reason
}

fn refund(amount: i64) -> Action {
    Action::RequestRefund { amount, units: RefundedUnits::NONE }
}

fn refunded(amount: i64, surplus: bool) -> Action {
    Action::RefundSucceeded { amount, units: RefundedUnits::NONE, surplus }
}

#[test]
fn a_capture_may_come_before_the_charge_was_accepted() {
    let transition = done(after(&[Action::Reserve]), CAPTURE);
    assert_eq!(transition.state.status, OrderStatus::Confirmed);
    assert_eq!(transition.state.payment, PaymentStatus::Paid);
    assert_eq!(transition.state.confirmed_at, Some(AT));
    assert_eq!(transition.effects.notify, Some(NotificationKind::Confirmation));
}

#[test]
fn an_order_of_nothing_is_confirmed_once_without_a_gateway() {
    let reserved = done(OrderState::placed(euro(0), 1), Action::Reserve).state;
    let free = Action::Capture { money: euro(0) };
    let confirmed = done(reserved, free).state;
    assert_eq!((confirmed.status, confirmed.payment), (OrderStatus::Confirmed, PaymentStatus::Paid));
    assert_eq!(reason(confirmed, free), Reason::WrongState);
    assert_eq!(done(confirmed, Action::Cancel).effects.request_refund, None);
}

#[test]
fn a_late_failure_never_undoes_a_payment() {
    let paid = after(&[Action::Reserve, CAPTURE]);
    for late in [
        Action::Decline { attempts_left: false },
        Action::Decline { attempts_left: true },
        Action::Expire,
        Action::AcceptCharge { deadline: AT },
    ] {
        assert_eq!(reason(paid, late), Reason::WrongState);
    }
}

#[test]
fn a_declined_attempt_is_followed_by_the_next() {
    let pending = after(&[Action::Reserve, Action::AcceptCharge { deadline: AT }]);
    let transition = done(pending, Action::Decline { attempts_left: true });
    assert_eq!(transition.state, pending);
    assert!(transition.effects.take_payment && !transition.effects.release_stock);
    let accepted = done(transition.state, Action::AcceptCharge { deadline: AT });
    assert_eq!(accepted.effects.watch_deadline, Some(AT));
}

#[test]
fn a_capture_on_a_dead_order_goes_back() {
    for death in [Action::Cancel, Action::Expire, Action::Decline { attempts_left: false }] {
        let dead = after(&[Action::Reserve, death]);
        let transition = done(dead, CAPTURE);
        assert_eq!(transition.event, EventKind::LateCaptureRefunded);
        assert_eq!(transition.effects.request_refund, Some(1000));
        assert_eq!(transition.state, OrderState { captured: 1000, refund_pending: 1000, ..dead });
        let settled = done(transition.state, refunded(1000, true));
        assert_eq!(settled.effects.count_refund, 0, "it never counted as gross");
        assert_eq!(settled.state.payment, PaymentStatus::Refunded);
    }
}

#[test]
fn a_second_capture_goes_back_and_the_order_stays_paid() {
    let twice = done(after(&[Action::Reserve, CAPTURE]), CAPTURE);
    assert_eq!(twice.effects.request_refund, Some(1000));
    let settled = done(twice.state, refunded(1000, true));
    assert_eq!(settled.state.payment, PaymentStatus::Paid);
    assert_eq!(settled.effects.count_refund, 0);
    let customer = [refund(1000), refunded(1000, false)];
    let all = customer.iter().fold(settled.state, |state, action| done(state, *action).state);
    assert_eq!((all.payment, all.refundable()), (PaymentStatus::Refunded, 0));
}

#[test]
fn a_surplus_whose_refund_failed_still_counts_as_surplus_when_a_person_refunds_it() {
    let failed = Action::RefundFailed { amount: 1000, units: RefundedUnits::NONE };
    let state = after(&[Action::Reserve, CAPTURE, CAPTURE, failed, refund(2000)]);
    let settled = done(state, refunded(2000, false));
    assert_eq!(settled.effects.count_refund, 1000);
    assert_eq!(settled.state.surplus_refunded, 1000);
    assert_eq!(settled.state.payment, PaymentStatus::Refunded);
}

#[test]
fn cancelling_returns_what_is_captured_and_not_on_its_way_back() {
    let state = after(&[Action::Reserve, CAPTURE, refund(300), refunded(300, false), refund(200)]);
    let transition = done(state, Action::Cancel);
    assert_eq!(transition.effects.request_refund, Some(500));
    assert!(transition.effects.release_stock && transition.effects.count_cancelled);
    assert_eq!(transition.state.refundable(), 0);
    let settled = [refunded(200, false), refunded(500, false)]
        .iter()
        .fold(transition.state, |state, action| done(state, *action).state);
    assert_eq!(settled.payment, PaymentStatus::Refunded);
}

#[test]
fn cancelling_an_open_payment_voids_it() {
    let unpaid = done(after(&[]), Action::Cancel);
    assert!(!unpaid.effects.void_charge && !unpaid.effects.release_stock);
    assert_eq!(unpaid.state.payment, PaymentStatus::Unpaid);
    let pending = after(&[Action::Reserve, Action::AcceptCharge { deadline: AT }]);
    let transition = done(pending, Action::Cancel);
    assert!(transition.effects.void_charge && transition.effects.release_stock);
    assert_eq!(transition.state.payment, PaymentStatus::Failed);
}

#[test]
fn what_was_shipped_cannot_be_cancelled() {
    let shipped = after(&[Action::Reserve, CAPTURE, Action::Ship { units: 1 }]);
    let refused = shipped.apply(Action::Cancel, AT).unwrap_err();
    assert_eq!(refused.allowed, [ActionKind::Capture, ActionKind::Ship, ActionKind::RequestRefund]);
    assert_eq!(
        refused.to_string(),
        "cannot cancel: its state does not allow that; the order is confirmed, its payment paid, its goods \
         partially_shipped; possible now: ship, refund"
    );
}

#[test]
fn a_failure_names_its_reason() {
    let failed = |action| {
        let state = after(&[Action::Reserve, action]);
        (state.fail_reason, state.payment)
    };
    let short = after(&[Action::FailReservation]);
    assert_eq!((short.fail_reason, short.payment), (Some(FailReason::OutOfStock), PaymentStatus::Unpaid));
    let declined = failed(Action::Decline { attempts_left: false });
    assert_eq!(declined, (Some(FailReason::Declined), PaymentStatus::Failed));
    assert_eq!(failed(Action::Expire), (Some(FailReason::Expired), PaymentStatus::Failed));
}

#[test]
fn refunds_stay_within_captured_money() {
    let paid = after(&[Action::Reserve, CAPTURE, refund(400)]);
    assert_eq!(reason(paid, refund(601)), Reason::AboveCaptured(euro(600)));
    assert_eq!(reason(paid, refund(0)), Reason::AmountNotPositive);
    assert_eq!(reason(paid, refunded(401, false)), Reason::NotPending(euro(400)));
    assert_eq!(reason(after(&[Action::Reserve]), refund(1)), Reason::WrongState);
    assert_eq!(done(paid, refund(600)).state.refundable(), 0);
}

#[test]
fn units_in_a_refund_wait_and_the_others_ship() {
    let units = RefundedUnits { total: 2, unshipped: 2, returned: 0 };
    let state = after(&[Action::Reserve, CAPTURE, Action::RequestRefund { amount: 500, units }]);
    assert_eq!(reason(state, Action::Ship { units: 3 }), Reason::RefundUnderWay(2));
    assert_eq!(reason(state, Action::Ship { units: 5 }), Reason::AboveUnits(4));
    assert_eq!(reason(state, Action::Ship { units: 0 }), Reason::BadUnits);
    let rest = done(state, Action::Ship { units: 2 });
    assert_eq!(rest.state.fulfilment, FulfilmentStatus::PartiallyShipped);
    let settled = done(rest.state, Action::RefundSucceeded { amount: 500, units, surplus: false });
    assert_eq!(settled.state.fulfilment, FulfilmentStatus::Shipped, "nothing is left to ship");
    assert_eq!(done(settled.state, Action::Deliver).state.status, OrderStatus::Completed);
}

#[test]
fn a_delivered_order_is_returned_when_every_shipped_unit_came_back() {
    let shipped = after(&[Action::Reserve, CAPTURE, Action::Ship { units: 4 }, Action::Deliver]);
    let back = |state: OrderState, total, returned| {
        let units = RefundedUnits { total, unshipped: 0, returned: 0 };
        let requested = done(state, Action::RequestRefund { amount: 250 * total, units }).state;
        let units = RefundedUnits { returned, ..units };
        done(requested, Action::RefundSucceeded { amount: 250 * total, units, surplus: false }).state
    };
    let some = back(shipped, 3, 3);
    assert_eq!(some.fulfilment, FulfilmentStatus::Delivered);
    assert_eq!(back(some, 1, 1).fulfilment, FulfilmentStatus::Returned);
    assert_eq!(back(some, 1, 0).fulfilment, FulfilmentStatus::Delivered, "one unit stayed away");
}

#[test]
fn a_refund_that_outlives_its_order_moves_no_stock() {
    let mut world = World::new(&[4], 1000);
    world.act(Action::Reserve).unwrap();
    world.act(CAPTURE).unwrap();
    world.request_refund(500, 0, 2).unwrap();
    world.act(Action::Cancel).unwrap();
    assert_eq!(world.stock[0].reserved, 0);
    let settled = world.settle(0, true, true).unwrap();
    assert!(!settled.effects.restock);
    assert_eq!((world.stock[0].on_hand, world.stock[0].reserved), (5, 0));
}

#[test]
fn contradictory_unit_counts_are_refused() {
    let paid = after(&[Action::Reserve, CAPTURE]);
    for units in [
        RefundedUnits { total: -1, unshipped: 0, returned: 0 },
        RefundedUnits { total: 1, unshipped: 2, returned: 0 },
        RefundedUnits { total: 1, unshipped: 1, returned: 1 },
        RefundedUnits { total: 1, unshipped: -1, returned: 0 },
    ] {
        assert_eq!(reason(paid, Action::RequestRefund { amount: 1, units }), Reason::BadUnits, "{units:?}");
    }
    let too_many = RefundedUnits { total: 5, unshipped: 4, returned: 0 };
    assert_eq!(reason(paid, Action::RequestRefund { amount: 1, units: too_many }), Reason::AboveUnits(4));
    let units = RefundedUnits { total: 2, unshipped: 2, returned: 0 };
    let waiting = done(paid, Action::Ship { units: 1 }).state;
    let waiting = done(waiting, Action::RequestRefund { amount: 1, units }).state;
    assert_eq!(reason(waiting, Action::RequestRefund { amount: 1, units }), Reason::BadUnits, "one is left");
}

#[test]
fn the_right_amount_in_another_currency_never_confirms() {
    let pounds = Action::Capture { money: Money::new(1000, Currency::GBP) };
    let transition = done(after(&[Action::Reserve]), pounds);
    assert_eq!((transition.state, transition.event), (after(&[Action::Reserve]), EventKind::CaptureMismatch));
}

#[test]
fn an_imported_order_that_was_paid_in_part_is_refunded_by_that_part() {
    let paid = after(&[Action::Reserve, CAPTURE]);
    let in_part = OrderState { captured: 600, ..paid };
    let settled = done(done(in_part, refund(600)).state, refunded(600, false));
    assert_eq!(settled.state.payment, PaymentStatus::Refunded);
    assert_eq!(settled.effects.count_refund, 600);
}

#[test]
fn a_refund_takes_units_that_were_not_shipped_first() {
    let line = LineUnits { quantity: 5, shipped: 3, refunded: 0, refund_pending: 0 };
    let units = line.on_success(3, true);
    assert_eq!((units.total, units.unshipped, units.returned), (3, 2, 1));
    assert_eq!(line.on_success(3, false).returned, 0);
    assert_eq!((line.shippable(), line.held(), line.refundable()), (2, 2, 5));
    let pending = LineUnits { refund_pending: 1, ..line };
    assert_eq!((pending.shippable(), pending.held(), pending.refundable()), (1, 2, 4));
}

#[test]
fn money_beyond_64_bits_is_refused() {
    let total = i64::MAX - 1;
    let capture = Action::Capture { money: euro(total) };
    let reserved = done(OrderState::placed(euro(total), 1), Action::Reserve).state;
    assert_eq!(reason(done(reserved, capture).state, capture), Reason::TooLarge);
}
