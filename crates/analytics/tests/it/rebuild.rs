use analytics::{DayDiff, Error, Fact, Rebuild, sweep};
use domain::{Calendar, Currency, OrderId, Period};
use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use crate::apply::{check, currencies, facts, zone};
use crate::naive::Naive;
use crate::verify::faults;
use crate::{Shop, confirmed, customers, refunded};

/// Reads the next orders from those told so far; false when all are read.
fn step(shop: &Shop, rebuild: Rebuild, told: &[Fact], orders: i64) -> analytics::Result<bool> {
    let told = told.to_vec();
    shop.write(move |tx, calendar| {
        let Some(position) = rebuild.position(tx, calendar)? else { return Ok(false) };
        let next = position.get() + orders;
        let read = told.iter().filter(|fact| (position.get()..next).contains(&fact.order_id().get()));
        let read: Vec<_> = read.cloned().collect();
        let next = told.iter().any(|fact| fact.order_id().get() >= next).then(|| OrderId::from_ledger(next));
        rebuild.add(tx, calendar, &read, next)?;
        Ok(true)
    })
}

fn compare(shop: &Shop, rebuild: Rebuild) -> Vec<DayDiff> {
    shop.read(move |tx, calendar| {
        let Some((from, to)) = rebuild.days(tx)? else { return Ok(Vec::new()) };
        rebuild.compare(tx, calendar, from, to)
    })
    .unwrap()
}

fn rebuild(shop: &Shop, told: &[Fact]) -> Vec<DayDiff> {
    let rebuild = shop.write(Rebuild::start).unwrap();
    while step(shop, rebuild, told, 3).unwrap() {}
    let diffs = compare(shop, rebuild);
    shop.write(move |tx, calendar| rebuild.switch(tx, calendar)).unwrap();
    while shop.write(|tx, _| sweep(tx, 5)).unwrap() {}
    diffs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rebuild_counts_each_fact_once_however_many_arrive_meanwhile(
        zones in (zone(), zone()),
        facts in facts(),
        cuts in (0..40_usize, 0..40_usize),
        orders in 1..8_i64,
        span in (0..70_i64, 0..70_i64),
    ) {
        let (before, rest) = facts.split_at(cuts.0.min(facts.len()));
        let (meanwhile, after) = rest.split_at(cuts.1.min(rest.len()));
        let mut shop = Shop::new(Calendar::new(zones.0.clone()));
        shop.apply(before);
        shop.calendar = Calendar::new(zones.1.clone());
        let rebuild = shop.write(Rebuild::start).unwrap();
        let mut told = before.to_vec();
        let mut arriving = meanwhile.iter();
        while step(&shop, rebuild, &told, orders).unwrap() {
            if let Some(fact) = arriving.next() {
                shop.apply(std::slice::from_ref(fact));
                told.push(fact.clone());
            }
        }
        shop.apply(arriving.as_slice());
        told.extend(arriving.cloned());

        // Readers see the old figures, in the old zone, up to the switch. The first fact ever founds the figures.
        let live = if before.is_empty() { &zones.1 } else { &zones.0 };
        for currency in currencies() {
            check(&shop, &Naive::new(&told, live, currency), currency, span);
        }
        if live == &zones.1 {
            prop_assert_eq!(compare(&shop, rebuild), vec![]);
        }
        shop.write(move |tx, calendar| rebuild.switch(tx, calendar)).unwrap();
        while shop.write(|tx, _| sweep(tx, 5)).unwrap() {}
        shop.apply(after);
        for currency in currencies() {
            check(&shop, &Naive::new(&facts, &zones.1, currency), currency, span);
        }
        prop_assert_eq!(faults(&shop, &facts), Vec::<String>::new());
    }
}

#[test]
fn a_rebuild_names_the_day_that_was_wrong_and_mends_it() {
    let shop = Shop::utc();
    let told = [
        confirmed(1, 1, "2024-03-05T10:00:00Z", 500),
        confirmed(2, 2, "2024-03-06T10:00:00Z", 700),
        refunded(2, 2, "2024-03-08T10:00:00Z", 100),
    ];
    shop.apply(&told);
    shop.execute("UPDATE kpi_periods SET gross = gross + 5 WHERE period = 1 AND start_day = 19787");
    shop.execute("UPDATE customer_days SET net = net - 5 WHERE customer_id = 2 AND orders = 1");
    let diffs: Vec<_> = rebuild(&shop, &told).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(diffs.join("\n"), @r"
    2024-03-05 EUR: gross stored 505, ledger 500
    2024-03-06 EUR: customer 2 stored 1 for 695 at 2024-03-06T10:00:00Z, ledger 1 for 700 at 2024-03-06T10:00:00Z
    ");
    assert_eq!(faults(&shop, &told), Vec::<String>::new());
    assert_eq!(rebuild(&shop, &told), vec![]);
}

#[test]
fn a_diff_has_a_shape_that_others_parse() {
    let shop = Shop::utc();
    let told = [confirmed(1, 1, "2024-03-05T10:00:00Z", 500)];
    shop.apply(&told);
    shop.execute("UPDATE kpi_periods SET orders = 2 WHERE period = 1");
    shop.execute("DELETE FROM customer_days");
    insta::assert_json_snapshot!(rebuild(&shop, &told));
}

#[test]
fn a_rebuild_cannot_be_switched_to_before_all_orders_are_in() {
    let shop = Shop::utc();
    shop.apply(&[confirmed(1, 1, "2024-03-05T10:00:00Z", 500)]);
    let rebuild = shop.write(Rebuild::start).unwrap();
    let refused = shop.write(move |tx, calendar| rebuild.switch(tx, calendar)).unwrap_err();
    assert!(matches!(refused, Error::Unfinished), "{refused}");
}

#[test]
fn orders_outside_the_range_that_is_read_are_passed_over() {
    let shop = Shop::utc();
    let told = [1, 2, 3].map(|id| confirmed(id, id, "2024-03-05T10:00:00Z", 500));
    shop.apply(&told);
    let rebuild = shop.write(Rebuild::start).unwrap();
    for next in [Some(OrderId::from_ledger(3)), None] {
        let all = told.to_vec();
        shop.write(move |tx, calendar| rebuild.add(tx, calendar, &all, next)).unwrap();
    }
    assert_eq!(compare(&shop, rebuild), vec![]);
}

#[test]
fn the_last_of_two_rebuilds_wins_and_the_first_is_told() {
    let shop = Shop::utc();
    let told = [confirmed(1, 1, "2024-03-05T10:00:00Z", 500)];
    shop.apply(&told);
    let first = shop.write(Rebuild::start).unwrap();
    let second = shop.write(Rebuild::start).unwrap();
    let refused = step(&shop, first, &told, 10).unwrap_err();
    assert!(matches!(refused, Error::Superseded), "{refused}");
    assert!(step(&shop, second, &told, 10).unwrap());
}

#[test]
fn a_rebuild_that_is_given_up_leaves_no_rows_and_the_figures_as_they_were() {
    let shop = Shop::utc();
    let told = [confirmed(1, 1, "2024-03-05T10:00:00Z", 500)];
    shop.apply(&told);
    let abandoned = shop.write(Rebuild::start).unwrap();
    step(&shop, abandoned, &told, 10).unwrap();
    shop.write(move |tx, _| abandoned.discard(tx)).unwrap();
    while shop.write(|tx, _| sweep(tx, 1)).unwrap() {}
    let rows = |table: &'static str| {
        shop.read(move |tx, _| {
            Ok(tx.query_one(&format!("SELECT COUNT(*) FROM {table}"), &[], |row| row.get(0))?)
        })
        .unwrap()
    };
    let counts: [i64; 4] = ["kpi_generations", "kpi_series", "customer_days", "product_months"].map(rows);
    assert_eq!(counts, [1, 1, 1, 1]);
    assert_eq!(faults(&shop, &told), Vec::<String>::new());
}

#[test]
fn another_time_zone_is_told_and_figures_stay_in_the_old_one_until_rebuilt() {
    let mut shop = Shop::utc();
    let mut told = vec![confirmed(1, 1, "2024-03-05T23:30:00Z", 500)];
    shop.apply(&told);
    shop.calendar = Calendar::new(TimeZone::get("Europe/Berlin").unwrap());
    let zone = |shop: &Shop| shop.read(analytics::other_zone).unwrap();
    assert_eq!(zone(&shop).as_deref(), Some("UTC"));
    told.push(confirmed(2, 2, "2024-03-05T23:40:00Z", 300));
    shop.apply(&told[1..]);
    let customers_of =
        |shop: &Shop, day| shop.board(customers(Period::Day, date(2024, 3, day), 9)).entries.len();
    assert_eq!((customers_of(&shop, 5), customers_of(&shop, 6)), (2, 0));

    let moved = rebuild(&shop, &told);
    assert_eq!(
        moved.iter().map(|day| (day.date, day.currency)).collect::<Vec<_>>(),
        [(date(2024, 3, 5), Currency::EUR), (date(2024, 3, 6), Currency::EUR)]
    );
    assert_eq!(zone(&shop), None);
    assert_eq!((customers_of(&shop, 5), customers_of(&shop, 6)), (0, 2));
}

#[test]
fn figures_in_a_zone_that_is_not_known_say_so_and_a_rebuild_replaces_them() {
    let shop = Shop::utc();
    let mut told = vec![confirmed(1, 1, "2024-03-05T10:00:00Z", 500)];
    shop.apply(&told);
    shop.execute("UPDATE kpi_generations SET time_zone = 'Mars/Olympus'");
    told.push(confirmed(2, 2, "2024-03-06T10:00:00Z", 700));
    shop.apply(&told[1..]);
    let query = customers(Period::All, date(2024, 3, 5), 9);
    let refused = shop.read(move |tx, calendar| analytics::leaderboard(tx, calendar, &query)).unwrap_err();
    insta::assert_snapshot!(refused, @"the stored figures name `Mars/Olympus`, which is no time zone that this program knows; run `ordermill analytics rebuild`");

    let rebuild = shop.write(Rebuild::start).unwrap();
    while step(&shop, rebuild, &told, 10).unwrap() {}
    assert_eq!(compare(&shop, rebuild).len(), 2);
    shop.write(move |tx, calendar| rebuild.switch(tx, calendar)).unwrap();
    while shop.write(|tx, _| sweep(tx, 5)).unwrap() {}
    assert_eq!(faults(&shop, &told), Vec::<String>::new());
}
