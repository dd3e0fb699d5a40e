use domain::stock::Shortfall;
use domain::{Demand, MovementKind, ProductId, StockError, StockLevel};
use proptest::prelude::*;

fn product(id: i64) -> ProductId {
    ProductId::from_ledger(id)
}

#[test]
fn movements_do_what_they_say() {
    let level = StockLevel { on_hand: 10, reserved: 4 };
    let after = |kind, quantity| {
        level.apply(kind, quantity).map(|StockLevel { on_hand, reserved }| (on_hand, reserved))
    };
    assert_eq!(after(MovementKind::Receive, 5), Ok((15, 4)));
    assert_eq!(after(MovementKind::Reserve, 6), Ok((10, 10)));
    assert_eq!(after(MovementKind::Release, 4), Ok((10, 0)));
    assert_eq!(after(MovementKind::Ship, 3), Ok((7, 1)));
    assert_eq!(after(MovementKind::Return, 2), Ok((12, 4)));
    assert_eq!(after(MovementKind::Adjust, -6), Ok((4, 4)));
    assert_eq!(after(MovementKind::Adjust, 1), Ok((11, 4)));
}

#[test]
fn what_is_not_there_cannot_move() {
    let level = StockLevel { on_hand: 10, reserved: 4 };
    let refused = |kind, quantity| level.apply(kind, quantity).unwrap_err();
    assert_eq!(refused(MovementKind::Reserve, 7), StockError::Short { wanted: 7, available: 6 });
    assert_eq!(refused(MovementKind::Adjust, -7), StockError::Short { wanted: 7, available: 6 });
    assert_eq!(refused(MovementKind::Release, 5), StockError::NotReserved { wanted: 5, reserved: 4 });
    assert_eq!(refused(MovementKind::Ship, 5), StockError::NotReserved { wanted: 5, reserved: 4 });
    assert_eq!(refused(MovementKind::Receive, i64::MAX), StockError::TooLarge);
    for kind in MovementKind::ALL {
        assert_eq!(refused(*kind, 0), StockError::BadQuantity(0));
    }
    assert_eq!(refused(MovementKind::Receive, -1), StockError::BadQuantity(-1));
}

#[test]
fn two_lines_of_one_product_are_checked_as_one() {
    let demand: Demand = [(product(2), 3), (product(1), 1), (product(2), 3)].into_iter().collect();
    assert_eq!(demand.iter().collect::<Vec<_>>(), [(product(1), 1), (product(2), 6)]);
    let short = demand.shortfalls(|_| Some(5));
    assert_eq!(short, [Shortfall { product: product(2), wanted: 6, available: 5 }]);
    assert!(demand.shortfalls(|_| Some(6)).is_empty());
}

#[test]
fn an_untracked_product_is_never_short() {
    let demand: Demand = [(product(1), i64::MAX), (product(1), 1)].into_iter().collect();
    assert!(demand.shortfalls(|_| None).is_empty());
}

proptest! {
    #[test]
    fn reserved_stays_between_zero_and_on_hand(
        moves in prop::collection::vec((prop::sample::select(MovementKind::ALL), -20_i64..60), 0..100),
    ) {
        let mut level = StockLevel::default();
        for (kind, quantity) in moves {
            level = level.apply(kind, quantity).unwrap_or(level);
            prop_assert!(0 <= level.reserved && level.reserved <= level.on_hand, "{level:?}");
        }
    }

    #[test]
    fn demand_is_the_sum_per_product_in_order_of_ids(
        lines in prop::collection::vec((1_i64..6, 1_i64..100), 0..30),
    ) {
        let demand: Demand = lines.iter().map(|(id, quantity)| (product(*id), *quantity)).collect();
        let summed: Vec<_> = demand.iter().collect();
        prop_assert!(summed.is_sorted_by(|(a, _), (b, _)| a < b));
        for (id, sum) in summed {
            let expected: i64 = lines.iter().filter(|(line, _)| product(*line) == id).map(|(_, q)| q).sum();
            prop_assert_eq!(sum, expected);
        }
    }
}
