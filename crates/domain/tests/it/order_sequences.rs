//! Random lives of an order, and what no life may break.

use domain::{
    Action, ActionKind, Currency, EventKind, LineUnits, Money, OrderState, OrderStatus, RefundedUnits,
    Transition,
};
use proptest::prelude::*;

use crate::world::{AT, World, euro};

const TOTAL: i64 = 1000;

#[derive(Debug, Clone)]
enum Step {
    Act(Action),
    Ship { line: usize, units: i64 },
    Request { amount: i64, line: usize, units: i64 },
    Settle { which: usize, succeeds: bool, restock: bool },
}

fn steps() -> impl Strategy<Value = Step> {
    let plain = prop::sample::select(vec![
        Action::Reserve,
        Action::FailReservation,
        Action::AcceptCharge { deadline: AT },
        Action::Capture { money: euro(TOTAL) },
        Action::Capture { money: euro(TOTAL - 1) },
        Action::Capture { money: Money::new(TOTAL, Currency::GBP) },
        Action::Decline { attempts_left: true },
        Action::Decline { attempts_left: false },
        Action::Expire,
        Action::Cancel,
        Action::Deliver,
    ]);
    prop_oneof![
        6 => plain.prop_map(Step::Act),
        4 => (0..3_usize, 0..5_i64).prop_map(|(line, units)| Step::Ship { line, units }),
        4 => (0..700_i64, 0..3_usize, 0..5_i64)
            .prop_map(|(amount, line, units)| Step::Request { amount, line, units }),
        4 => (any::<usize>(), prop::bool::weighted(0.8), any::<bool>())
            .prop_map(|(which, succeeds, restock)| Step::Settle { which, succeeds, restock }),
    ]
}

/// Lives that begin with any steps, and lives that get as far as being confirmed.
fn lives() -> impl Strategy<Value = Vec<Step>> {
    let paid = [Action::Reserve, Action::Capture { money: euro(TOTAL) }].map(Step::Act).to_vec();
    let begin = prop_oneof![Just(Vec::new()), Just(paid)];
    (begin, prop::collection::vec(steps(), 0..60)).prop_map(|(mut begin, rest)| {
        begin.extend(rest);
        begin
    })
}

fn take(world: &mut World, step: &Step) -> Option<Transition> {
    match *step {
        Step::Act(action) => world.act(action).ok(),
        Step::Ship { line, units } => world.ship(line, units),
        Step::Request { amount, line, units } => world.request_refund(amount, line, units),
        Step::Settle { which, succeeds, restock } => world.settle(which, succeeds, restock),
    }
}

fn sum(world: &World, of: impl Fn(&LineUnits) -> i64) -> i64 {
    world.lines.iter().map(of).sum()
}

fn holds_together(world: &World) -> Result<(), TestCaseError> {
    let state = &world.state;
    prop_assert!(state.refunded >= 0 && state.refund_pending >= 0);
    prop_assert!(state.refunded + state.refund_pending <= state.captured);
    prop_assert!((0..=state.refunded).contains(&state.surplus_refunded));
    prop_assert!(world.lines.iter().all(|line| line.refundable() >= 0 && line.shipped <= line.quantity));
    if state.status.is_dead() && !world.refund_was_given_up {
        prop_assert_eq!(state.refundable(), 0, "a dead order keeps no money");
    }
    prop_assert_eq!(state.fail_reason.is_some(), state.status == OrderStatus::Failed);
    Ok(())
}

fn lines_and_order_agree(world: &World) -> Result<(), TestCaseError> {
    let state = &world.state;
    let unshipped = |line: &LineUnits, taken: i64| taken.min(line.quantity - line.shipped);
    prop_assert_eq!(state.units_shipped, sum(world, |line| line.shipped));
    prop_assert_eq!(state.units_refunded, sum(world, |line| line.refunded));
    prop_assert_eq!(state.units_refund_pending, sum(world, |line| line.refund_pending));
    prop_assert_eq!(state.units_released, sum(world, |line| unshipped(line, line.refunded)));
    prop_assert_eq!(
        state.units_released + state.units_release_pending,
        sum(world, |line| unshipped(line, line.refunded + line.refund_pending))
    );
    prop_assert_eq!(state.units_to_ship() - state.units_release_pending, sum(world, |line| line.shippable()));
    let reserved: i64 = world.stock.iter().map(|level| level.reserved).sum();
    prop_assert_eq!(reserved, state.units_held(), "stock is held for exactly what may still leave");
    Ok(())
}

fn goes_forward(before: &OrderState, after: &OrderState) -> Result<(), TestCaseError> {
    use OrderStatus::{Cancelled, Completed, Confirmed, Failed, Pending, Reserved};
    let moves = (before.status, after.status);
    let allowed = matches!(
        moves,
        (Pending, Reserved | Failed | Cancelled)
            | (Reserved, Confirmed | Failed | Cancelled)
            | (Confirmed, Completed | Cancelled)
    );
    prop_assert!(before.status == after.status || allowed, "{moves:?}");
    prop_assert!(before.payment <= after.payment, "{:?} → {:?}", before.payment, after.payment);
    prop_assert!(before.fulfilment <= after.fulfilment);
    prop_assert!(before.confirmed_at.is_none() || before.confirmed_at == after.confirmed_at);
    Ok(())
}

/// One action of each kind, with amounts and units that are often within reach.
fn one_of_each(amount: i64, units: i64) -> Vec<Action> {
    let refunded = RefundedUnits { total: units, unshipped: 0, returned: 0 };
    vec![
        Action::Reserve,
        Action::FailReservation,
        Action::AcceptCharge { deadline: AT },
        Action::Capture { money: euro(TOTAL) },
        Action::Decline { attempts_left: amount % 2 == 0 },
        Action::Expire,
        Action::Cancel,
        Action::Ship { units },
        Action::Deliver,
        Action::RequestRefund { amount, units: refunded },
        Action::RefundSucceeded { amount, units: refunded, surplus: false },
        Action::RefundFailed { amount, units: refunded },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_life_of_an_order_breaks_a_rule(life in lives()) {
        let mut world = World::new(&[1, 3, 4], TOTAL);
        let (mut confirmed, mut ended, mut refunded) = (0, 0, 0);
        for step in &life {
            let before = world.state;
            if let Some(transition) = take(&mut world, step) {
                let effects = transition.effects;
                confirmed += i32::from(effects.count_confirmed);
                ended += i32::from(effects.count_failed) + i32::from(effects.count_cancelled);
                refunded += effects.count_refund;
            } else {
                prop_assert_eq!(world.state, before, "what was refused changed nothing");
            }
            goes_forward(&before, &world.state)?;
            holds_together(&world)?;
            lines_and_order_agree(&world)?;
        }
        prop_assert_eq!(confirmed, i32::from(world.state.confirmed_at.is_some()));
        prop_assert_eq!(ended, i32::from(world.state.status.is_dead()));
        prop_assert_eq!(refunded, if confirmed == 1 { world.state.refunded - world.state.surplus_refunded } else { 0 });
        prop_assert!(refunded <= TOTAL, "never more refunded in the KPIs than counted as gross");
    }

    #[test]
    fn once_its_refunds_are_done_a_dead_order_keeps_nothing(life in lives()) {
        let mut world = World::new(&[1, 3, 4], TOTAL);
        for step in &life {
            let gives_up = matches!(step, Step::Settle { succeeds: false, .. });
            if !gives_up {
                take(&mut world, step);
            }
        }
        while world.settle(0, true, true).is_some() {}
        if world.state.status.is_dead() {
            prop_assert_eq!(world.state.refunded, world.state.captured);
            prop_assert!(world.stock.iter().all(|level| level.reserved == 0));
        }
    }

    #[test]
    fn what_is_not_allowed_is_refused_and_what_is_refused_says_what_is_allowed(
        life in lives(),
        amount in -1_i64..1100,
        units in -1_i64..9,
    ) {
        let mut world = World::new(&[1, 3, 4], TOTAL);
        for step in &life {
            take(&mut world, step);
        }
        for action in one_of_each(amount, units) {
            match world.state.apply(action, AT) {
                Ok(_) => prop_assert!(world.state.allows(action.kind()), "{action:?}"),
                Err(refused) => {
                    prop_assert_eq!(refused.action, action.kind());
                    prop_assert_eq!(refused.allowed, world.state.allowed_actions());
                }
            }
        }
    }

    #[test]
    fn wrong_money_never_changes_anything(
        life in lives(),
        amount in prop_oneof![-1_i64..2000, Just(TOTAL)],
        pounds in any::<bool>(),
    ) {
        let mut world = World::new(&[1, 3, 4], TOTAL);
        for step in &life {
            take(&mut world, step);
        }
        let currency = if pounds { Currency::GBP } else { Currency::EUR };
        let amount = if pounds || amount != TOTAL { amount } else { TOTAL + 1 };
        let transition = world.state.apply(Action::Capture { money: Money::new(amount, currency) }, AT).unwrap();
        prop_assert_eq!(transition.state, world.state);
        prop_assert_eq!(transition.event, EventKind::CaptureMismatch);
        prop_assert!(transition.effects.alert && transition.effects.request_refund.is_none());
    }
}

#[test]
fn the_sequences_try_every_kind_of_action() {
    let tried: Vec<ActionKind> = one_of_each(1, 1).iter().map(Action::kind).collect();
    assert_eq!(tried, ActionKind::ALL);
}
