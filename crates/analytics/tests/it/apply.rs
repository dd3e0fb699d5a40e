use analytics::{BoardOf, BoardQuery, Fact, Granularity, Kpis};
use domain::{Calendar, Currency, CustomerId, FailReason, OrderId, Period};
use jiff::civil::{Date, date};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};
use proptest::prelude::*;

use crate::naive::Naive;
use crate::{Shop, choice, confirmed, line, refunded};

const EVERY_PERIOD: [Period; 4] = [Period::Day, Period::Week, Period::Month, Period::All];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_those_of_a_plain_recount_whatever_the_order_and_batches_of_facts(
        zone in zone(),
        facts in facts(),
        sizes in prop::collection::vec(1..9_usize, 1..6),
        span in (0..70_i64, 0..70_i64),
    ) {
        let shop = Shop::new(Calendar::new(zone.clone()));
        let mut rest = &facts[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (batch, after) = rest.split_at((*size).min(rest.len()));
            shop.apply(batch);
            rest = after;
        }
        for currency in currencies() {
            check(&shop, &Naive::new(&facts, &zone, currency), currency, span);
        }
    }
}

/// Compares every report and board with the recount.
pub(crate) fn check(shop: &Shop, naive: &Naive<'_>, currency: Currency, (a, b): (i64, i64)) {
    let day = |days: i64| FIRST.checked_add(Span::new().days(days)).unwrap();
    let spans = [(day(a.min(b)), day(a.max(b))), (day(-30), day(400)), (day(a), day(a))];
    for (from, to) in spans {
        for granularity in [Granularity::Day, Granularity::Week, Granularity::Month] {
            let report = shop.kpis(from, to, granularity, Some(currency));
            let expected = naive.periods(granularity.period(), from, to);
            let found: Vec<_> = report.periods.into_iter().map(|one| (one.start, one.kpis)).collect();
            let expected: Vec<_> =
                expected.into_iter().map(|(start, figures)| (start, Kpis::new(&figures, currency))).collect();
            assert_eq!(found, expected, "{granularity:?} of {from}..{to}");
            assert_eq!(report.total, Kpis::new(&naive.figures(from, to), currency), "{from}..{to}");
        }
    }
    for of in [BoardOf::Customers, BoardOf::Products] {
        for period in EVERY_PERIOD {
            for date in naive.days() {
                check_board(
                    shop,
                    naive,
                    BoardQuery { of, period, date, currency: choice(Some(currency)), limit: 50 },
                );
            }
        }
    }
}

fn check_board(shop: &Shop, naive: &Naive<'_>, query: BoardQuery) {
    let expected = naive.board(query.of, query.period, query.date);
    let rank = |net: i64| 1 + expected.iter().filter(|(_, other)| other.net > net).count() as u64;
    let ranked: Vec<_> = expected.iter().map(|(id, score)| (rank(score.net), *id, *score)).collect();
    let found = shop.board(query).entries;
    let found: Vec<_> = found.into_iter().map(|entry| (entry.rank, entry.who, entry.score)).collect();
    assert_eq!(found, ranked, "{query:?}");
    if query.of == BoardOf::Products {
        return;
    }
    for (place, (_, id, _)) in ranked.iter().enumerate() {
        let standing = shop.standing(*id, BoardQuery { limit: 1, ..query }).unwrap();
        let near: Vec<_> =
            standing.entries.into_iter().map(|entry| (entry.rank, entry.who, entry.score)).collect();
        assert_eq!(
            near,
            &ranked[place.saturating_sub(1)..(place + 2).min(ranked.len())],
            "{id} in {query:?}"
        );
    }
}

const FIRST: Date = date(2024, 2, 24);

pub(crate) fn currencies() -> [Currency; 2] {
    [Currency::EUR, Currency::parse("JPY").unwrap()]
}

/// Zones with a change of clocks in the weeks tested, one of them at midnight, and zones of odd offsets.
pub(crate) fn zone() -> impl Strategy<Value = TimeZone> {
    prop_oneof![
        Just(TimeZone::UTC),
        Just(TimeZone::get("Europe/Berlin").unwrap()),
        Just(TimeZone::get("America/New_York").unwrap()),
        Just(TimeZone::get("America/Havana").unwrap()),
        Just(TimeZone::get("Pacific/Auckland").unwrap()),
        Just(TimeZone::fixed(Offset::from_seconds(20_700).unwrap())),
    ]
}

/// Instants of ten weeks, half of them within minutes of a midnight somewhere.
fn instant() -> impl Strategy<Value = Timestamp> {
    let start = FIRST.at(0, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
    let anywhere = 0..70 * 86_400_i64;
    let near_midnight = (0..70_i64, 0..24_i64, -3..3_i64)
        .prop_map(|(day, hour, minute)| day * 86_400 + hour * 3_600 + minute * 20);
    prop_oneof![anywhere, near_midnight]
        .prop_map(move |seconds| start.checked_add(Span::new().seconds(seconds)).unwrap())
}

#[derive(Debug, Clone)]
struct Story {
    customer: i64,
    currency: usize,
    placed_at: Timestamp,
    lines: Vec<(i64, i64, i64)>,
    refunds: Vec<(Timestamp, i64)>,
    end: u8,
}

fn story() -> impl Strategy<Value = Story> {
    (
        1..6_i64,
        prop_oneof![4 => Just(0_usize), 1 => Just(1_usize)],
        instant(),
        prop::collection::vec((1..5_i64, 1..4_i64, 0..5_i64), 1..4),
        prop::collection::vec((instant(), 1..5_i64), 0..3),
        0..9_u8,
    )
        .prop_map(|(customer, currency, placed_at, lines, refunds, end)| Story {
            customer,
            currency,
            placed_at,
            lines,
            refunds,
            end,
        })
}

/// Facts of some orders, in any order.
pub(crate) fn facts() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec(story(), 1..30)
        .prop_map(|stories| {
            (1..).zip(stories).flat_map(|(order, story)| tell(order, story)).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

fn tell(order: i64, story: Story) -> Vec<Fact> {
    let Story { customer, currency, placed_at, lines, refunds, end } = story;
    let (order_id, customer_id) = (OrderId::from_ledger(order), CustomerId::from_ledger(customer));
    let currency = currencies()[currency];
    let fail = |reason| vec![Fact::Failed { order_id, currency, placed_at, reason }];
    match end {
        0 => return fail(FailReason::OutOfStock),
        1 => return fail(FailReason::Declined),
        2 => return fail(FailReason::Expired),
        3 => return vec![Fact::Cancelled { order_id, currency, placed_at }],
        _ => {}
    }
    let sold: Vec<_> =
        lines.iter().map(|(product, units, price)| line(*product, *units, units * price)).collect();
    let mut facts = vec![Fact::Confirmed {
        order_id,
        customer_id,
        currency,
        placed_at,
        at: placed_at + Span::new().seconds(order * 40),
        units: sold.iter().map(|line| line.quantity).sum(),
        gross: sold.iter().map(|line| line.amount).sum(),
        lines: sold,
    }];
    facts.extend(refunds.into_iter().map(|(at, amount)| Fact::Refunded {
        order_id,
        customer_id,
        currency,
        at,
        amount,
        lines: vec![line(lines[0].0, 1, amount)],
    }));
    if end == 4 {
        facts.push(Fact::Cancelled { order_id, currency, placed_at });
    }
    facts
}

#[test]
fn a_customer_is_new_in_the_period_of_the_first_order_even_if_it_is_confirmed_last() {
    let shop = Shop::utc();
    let new = |shop: &Shop| {
        let report = shop.kpis(date(2024, 1, 1), date(2024, 12, 31), Granularity::Month, None);
        report.periods.iter().map(|one| (one.start.month(), one.kpis.new_customers)).collect::<Vec<_>>()
    };
    shop.apply(&[confirmed(2, 7, "2024-03-05T10:00:00Z", 100)]);
    shop.apply(&[confirmed(3, 7, "2024-04-05T10:00:00Z", 100)]);
    assert_eq!(new(&shop), [(3, 1), (4, 0)]);
    shop.apply(&[confirmed(1, 7, "2024-02-29T23:59:59Z", 100)]);
    assert_eq!(new(&shop), [(2, 1), (3, 0), (4, 0)]);
}

#[test]
fn amounts_beyond_what_json_carries_are_refused_by_order_and_change_nothing() {
    let shop = Shop::utc();
    let huge = [confirmed(1, 1, "2024-03-05T10:00:00Z", 5), confirmed(9, 1, "2024-03-05T10:00:00Z", 1 << 53)];
    let refused = shop.try_apply(&huge).unwrap_err();
    assert!(refused.to_string().contains("order 9"), "{refused}");
    assert_eq!(shop.kpis(date(2024, 3, 5), date(2024, 3, 5), Granularity::Day, None).total.orders, 0);
}

#[test]
fn a_sum_over_years_that_grows_beyond_what_json_carries_is_refused() {
    let shop = Shop::utc();
    shop.apply(&[confirmed(1, 1, "2023-03-05T10:00:00Z", (1 << 53) - 1)]);
    let more = [confirmed(2, 1, "2024-03-05T10:00:00Z", 1)];
    let refused = shop.try_apply(&more).unwrap_err();
    let in_sql = matches!(refused, analytics::Error::Sql(sql::Error::Check { .. }));
    assert!(in_sql || matches!(refused, analytics::Error::SumTooLarge { .. }), "{refused}");
}

#[test]
fn a_refund_counts_on_its_own_day_and_the_order_stays_where_it_was() {
    let shop = Shop::utc();
    shop.apply(&[confirmed(1, 1, "2024-03-05T10:00:00Z", 900), refunded(1, 1, "2024-03-07T10:00:00Z", 400)]);
    let report = shop.kpis(date(2024, 3, 1), date(2024, 3, 31), Granularity::Day, None);
    let days: Vec<_> =
        report.periods.iter().map(|day| (day.start.day(), day.kpis.orders, day.kpis.net.amount)).collect();
    assert_eq!(days, [(5, 1, 900), (7, 0, -400)]);
    assert_eq!(report.total.net.amount, 500);
}
