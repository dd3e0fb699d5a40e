use analytics::{Fact, Granularity};
use domain::{Currency, FailReason, OrderId};
use jiff::civil::date;

use crate::{Shop, confirmed, refunded, time};

fn in_currency(fact: Fact, other: Currency) -> Fact {
    match fact {
        Fact::Confirmed { order_id, customer_id, placed_at, at, units, gross, lines, .. } => {
            Fact::Confirmed { order_id, customer_id, currency: other, placed_at, at, units, gross, lines }
        }
        fact => fact,
    }
}

#[test]
fn without_a_name_the_currency_is_the_only_one_with_figures_else_the_shops() {
    let shop = Shop::utc();
    let (from, to) = (date(2024, 3, 1), date(2024, 3, 31));
    let read = |shop: &Shop, named| {
        let report = shop.kpis(from, to, Granularity::Day, named);
        (report.currency.code(), report.total.orders, report.other_currencies)
    };
    assert_eq!(read(&shop, None), ("EUR", 0, vec![]));
    let pounds = in_currency(confirmed(1, 1, "2024-03-05T10:00:00Z", 5), Currency::GBP);
    shop.apply(&[pounds]);
    assert_eq!(read(&shop, None), ("GBP", 1, vec![]));
    let dollars = in_currency(confirmed(2, 1, "2024-03-05T10:00:00Z", 5), Currency::USD);
    shop.apply(&[dollars]);
    assert_eq!(read(&shop, None), ("EUR", 0, vec![Currency::GBP, Currency::USD]));
    assert_eq!(read(&shop, Some(Currency::USD)), ("USD", 1, vec![Currency::GBP]));
}

#[test]
fn a_customer_is_new_once_in_each_currency() {
    let shop = Shop::utc();
    let orders = [1, 2].map(|id| confirmed(id, 1, "2024-03-05T10:00:00Z", 5));
    let [first, second] = orders;
    shop.apply(&[first, in_currency(second, Currency::USD)]);
    for currency in [Currency::EUR, Currency::USD] {
        let report = shop.kpis(date(2024, 3, 5), date(2024, 3, 5), Granularity::Day, Some(currency));
        assert_eq!(report.total.new_customers, 1);
    }
}

/// Of a week or month that number is stored; of other spans it is counted.
#[test]
fn a_customer_counts_once_in_a_span_however_long_it_is() {
    let shop = Shop::utc();
    let order = |id, customer, day| confirmed(id, customer, &format!("2024-{day}T10:00:00Z"), 5);
    shop.apply(&[
        order(1, 1, "03-05"),
        order(2, 1, "03-06"),
        order(3, 2, "03-20"),
        order(4, 2, "03-31"),
        order(5, 1, "04-02"),
    ]);
    let counted = |from: (i8, i8), to: (i8, i8)| {
        let (from, to) = (date(2024, from.0, from.1), date(2024, to.0, to.1));
        let total = shop.kpis(from, to, Granularity::Day, None).total;
        (total.orders, total.new_customers, total.returning_customers)
    };
    assert_eq!(counted((3, 4), (3, 10)), (2, 1, 0), "a week");
    assert_eq!(counted((3, 1), (3, 31)), (4, 2, 0), "a month");
    assert_eq!(counted((3, 5), (3, 31)), (4, 2, 0), "all orders of a month");
    assert_eq!(counted((3, 1), (3, 10)), (2, 1, 0), "some orders of a month");
    assert_eq!(counted((3, 6), (4, 2)), (4, 1, 1), "parts of two months");
    assert_eq!(counted((3, 1), (4, 30)), (5, 2, 0), "all there is");
}

#[test]
fn a_span_that_ends_before_it_begins_is_refused() {
    let shop = Shop::utc();
    let query = analytics::KpiQuery {
        from: date(2024, 3, 2),
        to: date(2024, 3, 1),
        granularity: Granularity::Day,
        currency: crate::choice(None),
    };
    let refused = shop.try_kpis(query).unwrap_err();
    insta::assert_snapshot!(refused, @"the span ends on 2024-03-01, before it begins on 2024-03-02; swap the two");
}

#[test]
fn a_report_has_the_shape_that_others_parse() {
    let shop = Shop::utc();
    let (order_id, currency, placed_at) =
        (OrderId::from_ledger(3), Currency::EUR, time("2024-03-06T10:00:00Z"));
    shop.apply(&[
        confirmed(1, 1, "2024-03-05T10:00:00Z", 2_000),
        confirmed(2, 1, "2024-03-05T11:00:00Z", 1_001),
        refunded(1, 1, "2024-03-05T12:00:00Z", 750),
        Fact::Failed { order_id, currency, placed_at, reason: FailReason::OutOfStock },
    ]);
    let report = shop.kpis(date(2024, 3, 1), date(2024, 3, 31), Granularity::Day, None);
    insta::assert_json_snapshot!(report);
}
