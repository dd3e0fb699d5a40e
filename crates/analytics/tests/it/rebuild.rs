use std::sync::Arc;

use analytics::redis::RedisRebuild;
use analytics::{DayDiff, Error, Rebuild, sweep};
use domain::{Calendar, Currency, OrderId, Period};
use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use sql::Tx;

use crate::apply::{check, currencies, facts, zone};
use crate::naive::Naive;
use crate::verify::{faults, in_sql};
use crate::{Shop, confirmed, customers, read_ledger, refunded};

/// A rebuild, wherever figures are.
#[derive(Clone, Copy)]
pub(crate) enum Building {
    Sql(Rebuild),
    Redis(RedisRebuild),
}

pub(crate) fn start(shop: &Shop) -> Building {
    match &shop.store {
        Some(store) => Building::Redis(shop.runtime.block_on(store.start_rebuild()).unwrap()),
        None => Building::Sql(shop.write(Rebuild::start).unwrap()),
    }
}

/// Reads the next orders from those told so far; false when all are read.
pub(crate) fn step(shop: &Shop, building: Building, orders: i64) -> analytics::Result<bool> {
    let facts = Arc::clone(&shop.facts);
    match building {
        Building::Sql(rebuild) => shop.write(move |tx, calendar| {
            let Some(position) = rebuild.position(tx, calendar)? else { return Ok(false) };
            let (read, next) = read_ledger(tx, &facts, position, orders)?;
            rebuild.add(tx, calendar, &read, next)?;
            Ok(true)
        }),
        Building::Redis(rebuild) => {
            let store = shop.store.as_ref().unwrap();
            let read = move |tx: &mut Tx<'_>, first| read_ledger(tx, &facts, first, orders);
            shop.runtime.block_on(store.rebuild_step(rebuild, read))
        }
    }
}

pub(crate) fn compare(shop: &Shop, building: Building) -> Vec<DayDiff> {
    match building {
        Building::Sql(rebuild) => shop.read(move |tx, calendar| {
            let Some((from, to)) = rebuild.days(tx)? else { return Ok(Vec::new()) };
            rebuild.compare(tx, calendar, from, to)
        }),
        Building::Redis(rebuild) => shop.runtime.block_on(async {
            let store = shop.store.as_ref().unwrap();
            let Some((from, to)) = store.days(rebuild).await? else { return Ok(Vec::new()) };
            store.compare(rebuild, from, to).await
        }),
    }
    .unwrap()
}

pub(crate) fn switch(shop: &Shop, building: Building) -> analytics::Result<()> {
    match building {
        Building::Sql(rebuild) => shop.write(move |tx, calendar| rebuild.switch(tx, calendar)),
        Building::Redis(rebuild) => shop.runtime.block_on(shop.store.as_ref().unwrap().switch(rebuild)),
    }
}

pub(crate) fn discard(shop: &Shop, building: Building) {
    match building {
        Building::Sql(rebuild) => shop.write(move |tx, _| rebuild.discard(tx)),
        Building::Redis(rebuild) => shop.runtime.block_on(shop.store.as_ref().unwrap().discard(rebuild)),
    }
    .unwrap();
}

pub(crate) fn sweep_all(shop: &Shop) {
    match &shop.store {
        Some(store) => while shop.runtime.block_on(store.sweep()).unwrap() {},
        None => while shop.write(|tx, _| sweep(tx, 5)).unwrap() {},
    }
}

fn other_zone(shop: &Shop) -> Option<String> {
    match &shop.store {
        Some(store) => shop.runtime.block_on(store.other_zone()),
        None => shop.read(analytics::other_zone),
    }
    .unwrap()
}

pub(crate) fn rebuild(shop: &Shop) -> Vec<DayDiff> {
    let building = start(shop);
    while step(shop, building, 3).unwrap() {}
    let diffs = compare(shop, building);
    switch(shop, building).unwrap();
    sweep_all(shop);
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
        shop.set_calendar(Calendar::new(zones.1.clone()));
        let rebuild = start(&shop);
        let mut told = before.to_vec();
        let mut arriving = meanwhile.iter();
        while step(&shop, rebuild, orders).unwrap() {
            if let Some(fact) = arriving.next() {
                shop.apply(std::slice::from_ref(fact));
                told.push(fact.clone());
            }
        }
        shop.apply(arriving.as_slice());
        told.extend(arriving.cloned());

        // Readers see the old figures, in the old zone, up to the switch. In SQL the first fact ever founds the figures.
        let is_founded = !before.is_empty() || shop.store.is_some();
        let live = if is_founded { &zones.0 } else { &zones.1 };
        for currency in currencies() {
            check(&shop, &Naive::new(&told, live, currency), currency, span);
        }
        if live == &zones.1 {
            prop_assert_eq!(compare(&shop, rebuild), vec![]);
        }
        switch(&shop, rebuild).unwrap();
        sweep_all(&shop);
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
    shop.spoil(
        &[
            "UPDATE kpi_periods SET gross = gross + 5 WHERE period = 1 AND start_day = 19787",
            "UPDATE customer_days SET net = net - 5 WHERE customer_id = 2 AND orders = 1",
        ],
        &[
            "HINCRBY EUR:day:2024-03-05:kpis gross 5",
            "HSET EUR:day:2024-03-06:customers:scores 2 1:695:1709719200000000",
        ],
    );
    let diffs: Vec<_> = rebuild(&shop).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(diffs.join("\n"), @r"
    2024-03-05 EUR: gross stored 505, ledger 500
    2024-03-06 EUR: customer 2 stored 1 for 695 at 2024-03-06T10:00:00Z, ledger 1 for 700 at 2024-03-06T10:00:00Z
    ");
    assert_eq!(faults(&shop, &told), Vec::<String>::new());
    assert_eq!(rebuild(&shop), vec![]);
}

#[test]
fn a_diff_has_a_shape_that_others_parse() {
    let shop = Shop::utc();
    let told = [confirmed(1, 1, "2024-03-05T10:00:00Z", 500)];
    shop.apply(&told);
    shop.spoil(
        &["UPDATE kpi_periods SET orders = 2 WHERE period = 1", "DELETE FROM customer_days"],
        &["HSET EUR:day:2024-03-05:kpis orders 2", "DEL EUR:day:2024-03-05:customers:scores"],
    );
    insta::assert_json_snapshot!(rebuild(&shop));
}

#[test]
fn a_rebuild_cannot_be_switched_to_before_all_orders_are_in() {
    let shop = Shop::utc();
    shop.apply(&[confirmed(1, 1, "2024-03-05T10:00:00Z", 500)]);
    let rebuild = start(&shop);
    let refused = switch(&shop, rebuild).unwrap_err();
    assert!(matches!(refused, Error::Unfinished), "{refused}");
}

#[test]
fn orders_outside_the_range_that_is_read_are_passed_over() {
    let shop = in_sql();
    let told = [1, 2, 3].map(|id| confirmed(id, id, "2024-03-05T10:00:00Z", 500));
    shop.apply(&told);
    let rebuild = shop.write(Rebuild::start).unwrap();
    for next in [Some(OrderId::from_ledger(3)), None] {
        let all = told.to_vec();
        shop.write(move |tx, calendar| rebuild.add(tx, calendar, &all, next)).unwrap();
    }
    assert_eq!(compare(&shop, Building::Sql(rebuild)), vec![]);
}

#[test]
fn the_last_of_two_rebuilds_wins_and_the_first_is_told() {
    let shop = Shop::utc();
    let told = [confirmed(1, 1, "2024-03-05T10:00:00Z", 500)];
    shop.apply(&told);
    let first = start(&shop);
    let second = start(&shop);
    let refused = step(&shop, first, 10).unwrap_err();
    assert!(matches!(refused, Error::Superseded), "{refused}");
    assert!(step(&shop, second, 10).unwrap());
}

#[test]
fn a_rebuild_that_is_given_up_leaves_no_rows_and_the_figures_as_they_were() {
    let shop = Shop::utc();
    let told = [confirmed(1, 1, "2024-03-05T10:00:00Z", 500)];
    shop.apply(&told);
    let keys = shop.keys();
    let abandoned = start(&shop);
    step(&shop, abandoned, 10).unwrap();
    discard(&shop, abandoned);
    sweep_all(&shop);
    assert_eq!(shop.keys(), keys);
    let rows = |table: &'static str| {
        shop.read(move |tx, _| {
            Ok(tx.query_one(&format!("SELECT COUNT(*) FROM {table}"), &[], |row| row.get(0))?)
        })
        .unwrap()
    };
    let counts: [i64; 4] = ["kpi_generations", "kpi_series", "customer_days", "product_months"].map(rows);
    assert_eq!(counts, if shop.store.is_some() { [0; 4] } else { [1; 4] });
    assert_eq!(faults(&shop, &told), Vec::<String>::new());
}

#[test]
fn another_time_zone_is_told_and_figures_stay_in_the_old_one_until_rebuilt() {
    let mut shop = Shop::utc();
    let mut told = vec![confirmed(1, 1, "2024-03-05T23:30:00Z", 500)];
    shop.apply(&told);
    shop.set_calendar(Calendar::new(TimeZone::get("Europe/Berlin").unwrap()));
    assert_eq!(other_zone(&shop).as_deref(), Some("UTC"));
    told.push(confirmed(2, 2, "2024-03-05T23:40:00Z", 300));
    shop.apply(&told[1..]);
    let customers_of =
        |shop: &Shop, day| shop.board(customers(Period::Day, date(2024, 3, day), 9)).entries.len();
    assert_eq!((customers_of(&shop, 5), customers_of(&shop, 6)), (2, 0));

    let moved = rebuild(&shop);
    assert_eq!(
        moved.iter().map(|day| (day.date, day.currency)).collect::<Vec<_>>(),
        [(date(2024, 3, 5), Currency::EUR), (date(2024, 3, 6), Currency::EUR)]
    );
    assert_eq!(other_zone(&shop), None);
    assert_eq!((customers_of(&shop, 5), customers_of(&shop, 6)), (0, 2));
}

#[test]
fn figures_in_a_zone_that_is_not_known_say_so_and_a_rebuild_replaces_them() {
    let shop = Shop::utc();
    let mut told = vec![confirmed(1, 1, "2024-03-05T10:00:00Z", 500)];
    shop.apply(&told);
    let sql = "UPDATE kpi_generations SET time_zone = 'Mars/Olympus'";
    shop.spoil(&[sql], &["HSET /state live_zone Mars/Olympus"]);
    told.push(confirmed(2, 2, "2024-03-06T10:00:00Z", 700));
    shop.apply(&told[1..]);
    let query = customers(Period::All, date(2024, 3, 5), 9);
    let refused = shop.try_board(query).unwrap_err();
    insta::assert_snapshot!(refused, @"the stored figures name `Mars/Olympus`, which is no time zone that this program knows; run `ordermill analytics rebuild`");

    let rebuild = start(&shop);
    while step(&shop, rebuild, 10).unwrap() {}
    assert_eq!(compare(&shop, rebuild).len(), 2);
    switch(&shop, rebuild).unwrap();
    sweep_all(&shop);
    assert_eq!(faults(&shop, &told), Vec::<String>::new());
}
