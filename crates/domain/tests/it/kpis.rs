use domain::{KpiFigures, rank_with_ties};
use proptest::prelude::*;

fn figures() -> KpiFigures {
    KpiFigures {
        orders: 3,
        gross: 1000,
        refunds: 250,
        paid: 3,
        declined: 1,
        expired: 0,
        customers: 3,
        new_customers: 1,
        ..KpiFigures::default()
    }
}

#[test]
fn derived_figures_follow_their_definitions() {
    let figures = figures();
    assert_eq!(figures.net(), 750);
    assert_eq!(figures.average_order_value(), Some(333));
    assert_eq!(figures.refund_rate(), Some(0.25));
    assert_eq!(figures.payment_success_rate(), Some(0.75));
    assert_eq!(figures.returning_customers(), 2);
}

#[test]
fn a_rate_of_nothing_is_no_rate() {
    let figures = KpiFigures { refunds: 5, ..KpiFigures::default() };
    assert_eq!(figures.average_order_value(), None);
    assert_eq!(figures.refund_rate(), None);
    assert_eq!(figures.payment_success_rate(), None);
    assert_eq!(figures.net(), -5);
}

#[test]
fn figures_add_up_field_by_field() {
    let mut sum = figures();
    sum += figures();
    assert_eq!((sum.orders, sum.gross, sum.refunds, sum.paid, sum.declined), (6, 2000, 500, 6, 2));
    assert_eq!(sum, figures() + figures());
}

#[test]
fn equal_scores_share_a_rank_and_the_next_one_skips() {
    assert_eq!(rank_with_ties(&[9, 7, 7, 3]), [1, 2, 2, 4]);
    assert_eq!(rank_with_ties(&[5, 5, 5, 1, 1]), [1, 1, 1, 4, 4]);
    assert_eq!(rank_with_ties::<i64>(&[]), [0; 0]);
}

proptest! {
    #[test]
    fn a_rank_is_one_more_than_the_scores_above(mut scores in prop::collection::vec(0_i64..20, 0..60)) {
        scores.sort_unstable_by(|a, b| b.cmp(a));
        for (score, rank) in scores.iter().zip(rank_with_ties(&scores)) {
            prop_assert_eq!(rank, 1 + scores.iter().filter(|other| *other > score).count() as u64);
        }
    }
}
