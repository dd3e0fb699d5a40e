//! Key figures, reckoned naively from the orders and refunds themselves: around midnight, where clocks change, and
//! after whatever became of the orders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

use analytics::{Granularity, KpiReport};
use app::Actor;
use domain::{OrderId, Period, RefundRequest};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::gateway::{Fault, Faulty};
use crate::ledger::units;
use crate::support::{TestApp, order};

/// Days on which clocks change somewhere, and ends of weeks, months and years.
const DAYS: [Date; 7] = [
    date(2030, 3, 10),
    date(2030, 3, 31),
    date(2030, 4, 7),
    date(2030, 10, 27),
    date(2030, 11, 3),
    date(2030, 12, 31),
    date(2031, 1, 1),
];

#[derive(Debug, Clone)]
enum Fate {
    Kept,
    Declined,
    Short,
    CancelledUnpaid,
    CancelledPaid,
    /// Units, money, then all that is left.
    Refunded(u8),
    ShippedAndReturned,
}

#[derive(Debug, Clone)]
struct Sale {
    customer: u8,
    units: u32,
    price: i64,
    placed: Moment,
    changed: Moment,
    fate: Fate,
}

/// A day, and seconds from its first midnight.
type Moment = (usize, i64);

fn moment() -> impl Strategy<Value = Moment> {
    let near = prop_oneof![Just(-1_i64), Just(0), Just(1), -7_200..7_200_i64, 0..90_000_i64];
    (0..DAYS.len(), near)
}

fn sale() -> impl Strategy<Value = Sale> {
    let fate = prop_oneof![
        2 => Just(Fate::Kept),
        1 => Just(Fate::Declined),
        1 => Just(Fate::Short),
        1 => Just(Fate::CancelledUnpaid),
        1 => Just(Fate::CancelledPaid),
        3 => (1..=3_u8).prop_map(Fate::Refunded),
        1 => Just(Fate::ShippedAndReturned),
    ];
    (0..4_u8, 2..5_u32, 100..999_i64, moment(), moment(), fate).prop_map(
        |(customer, units, price, placed, changed, fate)| Sale {
            customer,
            units,
            price,
            placed,
            changed,
            fate,
        },
    )
}

fn instant(zone: &TimeZone, (day, seconds): Moment) -> Timestamp {
    let midnight = DAYS[day].to_zoned(zone.clone()).unwrap().timestamp();
    midnight.saturating_add(SignedDuration::from_secs(seconds)).unwrap()
}

async fn sell(test: &TestApp, gateway: &Faulty, zone: &TimeZone, number: u32, sale: &Sale) {
    test.clock.set(instant(zone, sale.placed));
    let sku = if matches!(sale.fate, Fate::Short) { "NONE" } else { "TEA" };
    let order = order(&number.to_string()).email(&format!("c{}@example.com", sale.customer));
    let id = order.line(sku, sale.units, sale.price).place(test).await;
    if matches!(sale.fate, Fate::CancelledUnpaid) {
        test.cancel(id).await.unwrap();
    }
    if matches!(sale.fate, Fate::Declined) {
        gateway.charges.then(&[Fault::Refused]);
    }
    test.run_jobs().await;
    test.clock.set(instant(zone, sale.changed));
    change(test, id, &sale.fate).await;
    test.run_jobs().await;
}

async fn change(test: &TestApp, id: OrderId, fate: &Fate) {
    let asked = [units(1), RefundRequest::Amount(33), RefundRequest::All];
    match fate {
        Fate::CancelledPaid => drop(test.cancel(id).await.unwrap()),
        Fate::Refunded(times) => {
            for (n, what) in asked.into_iter().take((*times).into()).enumerate() {
                test.refund(id, &format!("k{n}"), what, n == 0).await.unwrap();
                test.run_jobs().await;
            }
        }
        Fate::ShippedAndReturned => {
            app::orders::ship(&test.app, &Actor::CLI, id, app::orders::Shipping::default()).await.unwrap();
            app::orders::deliver(&test.app, &Actor::CLI, id).await.unwrap();
            test.refund(id, "back", RefundRequest::All, true).await.unwrap();
        }
        Fate::Kept | Fate::Declined | Fate::Short | Fate::CancelledUnpaid => {}
    }
}

/// Orders, units, gross, refunds, failed, cancelled, new customers, all customers.
type Naive = [i64; 8];

/// Each period's figures, from every order and refund there is, one after the other.
async fn naive(test: &TestApp, zone: &TimeZone, period: Period) -> BTreeMap<Date, Naive> {
    let start = |micros: i64| {
        let at = Timestamp::from_microsecond(micros).unwrap();
        period.start_of(at.to_zoned(zone.clone()).date())
    };
    let mut figures: BTreeMap<Date, Naive> = BTreeMap::new();
    let (mut met, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let orders = "SELECT placed_at || ' ' || status || ' ' || (confirmed_at IS NOT NULL) || ' ' || units || ' ' \
                  || total || ' ' || customer_id FROM orders ORDER BY placed_at, id";
    for row in numbers(test, orders).await {
        let [placed, status, confirmed, units, total, customer] = row[..] else { panic!("{row:?}") };
        let day = start(placed);
        let of = figures.entry(day).or_default();
        if confirmed == 1 {
            let is_new = met.insert(customer);
            for (sum, more) in of.iter_mut().zip([1, units, total, 0, 0, 0, i64::from(is_new)]) {
                *sum += more;
            }
            of[7] += i64::from(seen.insert((day, customer)));
        }
        of[4] += i64::from(status == 5);
        of[5] += i64::from(status == 6);
    }
    let refunds = "SELECT settled_at || ' ' || amount FROM refunds WHERE status = 3 AND surplus = 0";
    for row in numbers(test, refunds).await {
        figures.entry(start(row[0])).or_default()[3] += row[1];
    }
    figures
}

async fn numbers(test: &TestApp, sql: &str) -> Vec<Vec<i64>> {
    let rows = test.texts(sql).await;
    rows.iter().map(|row| row.split(' ').map(|number| number.parse().unwrap()).collect()).collect()
}

fn told(report: &KpiReport) -> BTreeMap<Date, Naive> {
    let figures = |kpis: &analytics::Kpis| {
        let customers = kpis.new_customers + kpis.returning_customers;
        let (gross, refunds) = (kpis.gross.amount, kpis.refunds.amount);
        assert_eq!(kpis.net.amount, gross - refunds);
        [kpis.orders, kpis.units, gross, refunds, kpis.failed, kpis.cancelled, kpis.new_customers, customers]
    };
    report.periods.iter().map(|period| (period.start, figures(&period.kpis))).collect()
}

async fn compare(test: &TestApp, zone: &TimeZone) {
    for granularity in [Granularity::Day, Granularity::Week, Granularity::Month] {
        let (from, to) = (DAYS[0].checked_sub(90.days()).unwrap(), DAYS[6].checked_add(90.days()).unwrap());
        let report = test.kpis(from, to, granularity).await;
        assert_eq!(told(&report), naive(test, zone, granularity.period()).await, "by {granularity:?}");
    }
    test.assert_clean().await;
}

/// Sells at random in a shop of this zone.
fn figures_are_right_in(name: &str) {
    let zone = TimeZone::get(name).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut test = runtime.block_on(async {
        let test = TestApp::with(|config| config.shop.time_zone = String::from(name)).await;
        test.stock("TEA", "Tea", 100_000).await;
        test.stock("NONE", "Sold out", 0).await;
        test
    });
    let gateway = Faulty::before(&mut test);
    let number = AtomicU32::new(0);
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let ran = runner.run(&prop::collection::vec(sale(), 1..8), |sales| {
        runtime.block_on(async {
            for sale in &sales {
                sell(&test, &gateway, &zone, number.fetch_add(1, Ordering::Relaxed), sale).await;
            }
            compare(&test, &zone).await;
        });
        Ok(())
    });
    ran.unwrap();
}

#[test]
fn figures_are_right_around_midnight_where_clocks_change_at_two() {
    figures_are_right_in("America/New_York");
}

#[test]
fn figures_are_right_around_midnight_where_clocks_change_at_midnight() {
    figures_are_right_in("America/Santiago");
}

#[test]
fn figures_are_right_around_midnight_far_from_greenwich() {
    figures_are_right_in("Pacific/Chatham");
}
