use domain::Quantity;
use domain::order::{LineTotals, OrderTotals, TotalsError};
use proptest::prelude::*;

fn quantity(count: i64) -> Quantity {
    Quantity::new(count).unwrap()
}

#[test]
fn a_total_is_lines_less_discount_plus_shipping_and_tax() {
    let totals = OrderTotals::new([1000, 500], 100, 300, 266, false).unwrap();
    assert_eq!((totals.subtotal, totals.total), (1500, 1966));
    let included = OrderTotals::new([1000, 500], 100, 300, 266, true).unwrap();
    assert_eq!((included.total, included.tax_on_top()), (1700, 0));
}

#[test]
fn an_adjustment_takes_up_the_difference_to_a_told_total() {
    let totals = OrderTotals::new([1000], 0, 0, 0, true).unwrap().adjusted_to(995).unwrap();
    assert_eq!((totals.total, totals.adjustment), (995, -5));
    assert!(totals.is_consistent());
    let again = totals.adjusted_to(1001).unwrap();
    assert_eq!((again.total, again.adjustment), (1001, 1));
    assert!(!OrderTotals { total: 1000, ..again }.is_consistent());
}

#[test]
fn a_line_is_quantity_times_price_less_its_discount() {
    assert_eq!(LineTotals::new(quantity(3), 999, 97).unwrap().total, 2900);
    assert_eq!(LineTotals::new(quantity(3), 999, 2998), Err(TotalsError::BelowZero("line total")));
    assert_eq!(LineTotals::new(quantity(1), -1, 0), Err(TotalsError::Negative("unit price")));
    assert_eq!(LineTotals::new(quantity(2), i64::MAX, 0), Err(TotalsError::TooLarge("line total")));
}

#[test]
fn figures_that_make_no_order_are_refused() {
    assert_eq!(OrderTotals::new([10], 11, 0, 0, false), Err(TotalsError::BelowZero("order total")));
    assert_eq!(OrderTotals::new([10], -1, 0, 0, false), Err(TotalsError::Negative("discount")));
    assert_eq!(OrderTotals::new([i64::MAX, 1], 0, 0, 0, false), Err(TotalsError::TooLarge("subtotal")));
    assert_eq!(OrderTotals::new([i64::MAX], 0, 1, 0, false), Err(TotalsError::TooLarge("order total")));
}

proptest! {
    #[test]
    fn totals_are_consistent_or_refused(
        lines in prop::collection::vec(0_i64..i64::MAX / 4, 0..6),
        parts in prop::array::uniform3(0_i64..i64::MAX / 2),
        tax_included in any::<bool>(),
        told in 0_i64..i64::MAX,
    ) {
        let [discount, shipping, tax] = parts;
        if let Ok(totals) = OrderTotals::new(lines, discount, shipping, tax, tax_included) {
            prop_assert!(totals.is_consistent() && totals.total >= 0);
            if let Ok(adjusted) = totals.adjusted_to(told) {
                prop_assert!(adjusted.is_consistent() && adjusted.total == told);
            }
        }
    }
}
