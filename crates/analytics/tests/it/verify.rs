use analytics::redis::Store;
use analytics::{Fact, Figures, check_sums, diff, sum_checks};
use domain::{Calendar, Currency, FailReason, OrderId};
use jiff::civil::{Date, date};
use testkit::Space;

use crate::{Shop, confirmed, refunded, time};

/// Everything that is stored and is not what the facts give, month by month and sum by sum.
pub(crate) fn faults(shop: &Shop, told: &[Fact]) -> Vec<String> {
    if let Some(store) = &shop.store {
        return shop.runtime.block_on(faults_in_redis(shop, store, told)).unwrap();
    }
    let told = told.to_vec();
    shop.read(move |tx, calendar| {
        let mut faults = Vec::new();
        for month in 1..=6 {
            let (from, ledger) = ledger(calendar, month, &told)?;
            let stored = Figures::stored(tx, calendar, from, from.last_of_month())?;
            faults.extend(diff(&stored, &ledger).iter().map(ToString::to_string));
        }
        for check in sum_checks(tx, calendar)? {
            faults.extend(check_sums(tx, calendar, check)?.iter().map(ToString::to_string));
        }
        Ok(faults)
    })
    .unwrap()
}

/// The figures of a month of 2024, as the ledger would tell them, in pieces.
fn ledger(calendar: &Calendar, month: i8, told: &[Fact]) -> analytics::Result<(Date, Figures)> {
    let from = date(2024, month, 1);
    let mut ledger = Figures::new(calendar, from, from.last_of_month());
    told.chunks(7).try_for_each(|piece| ledger.add(piece))?;
    Ok((from, ledger))
}

async fn faults_in_redis(shop: &Shop, store: &Store, told: &[Fact]) -> analytics::Result<Vec<String>> {
    let mut faults = Vec::new();
    for month in 1..=6 {
        let (from, ledger) = ledger(&shop.calendar, month, told)?;
        let (stored, _) = store.figures(from, from.last_of_month()).await?;
        faults.extend(diff(&stored, &ledger).iter().map(ToString::to_string));
    }
    for check in store.sum_checks().await? {
        faults.extend(store.check_sums(check).await?.iter().map(ToString::to_string));
    }
    Ok(faults)
}

pub(crate) fn told() -> Vec<Fact> {
    let failed = Fact::Failed {
        order_id: OrderId::from_ledger(9),
        currency: Currency::EUR,
        placed_at: time("2024-03-05T10:00:00Z"),
        reason: FailReason::Declined,
    };
    vec![
        confirmed(1, 1, "2024-02-28T10:00:00Z", 500),
        confirmed(2, 2, "2024-03-05T10:00:00Z", 700),
        confirmed(3, 1, "2024-03-05T11:00:00Z", 300),
        confirmed(4, 1, "2024-04-30T11:00:00Z", 300),
        refunded(2, 2, "2024-03-07T10:00:00Z", 100),
        failed,
    ]
}

/// Each stored column changed by hand, and where the fault is to be reported. 2024-03-05 is day 19787, March begins on
/// day 19783.
const BREACHES: &[(&str, &str)] = &[
    ("UPDATE kpi_periods SET orders = orders + 1 WHERE period = 1 AND start_day = 19787", "2024-03-05"),
    ("UPDATE kpi_periods SET units = units + 1 WHERE period = 1 AND start_day = 19787", "2024-03-05"),
    ("UPDATE kpi_periods SET gross = gross - 1 WHERE period = 1 AND start_day = 19787", "2024-03-05"),
    ("UPDATE kpi_periods SET refunds = 0 WHERE period = 1 AND start_day = 19789", "2024-03-07"),
    ("UPDATE kpi_periods SET failed = 0 WHERE period = 1 AND start_day = 19787", "2024-03-05"),
    ("UPDATE kpi_periods SET declined = 0 WHERE period = 1 AND start_day = 19787", "2024-03-05"),
    ("UPDATE kpi_periods SET expired = 1 WHERE period = 1 AND start_day = 19787", "2024-03-05"),
    ("UPDATE kpi_periods SET cancelled = 1 WHERE period = 1 AND start_day = 19787", "2024-03-05"),
    ("UPDATE kpi_periods SET customers = 3 WHERE period = 1 AND start_day = 19787", "2024-03-05"),
    ("UPDATE kpi_periods SET new_customers = 2 WHERE period = 1 AND start_day = 19787", "day 2024-03-05"),
    ("UPDATE kpi_periods SET gross = 0 WHERE period = 2 AND start_day = 19786", "week 2024-03-04"),
    ("UPDATE kpi_periods SET customers = 1 WHERE period = 2 AND start_day = 19786", "week 2024-03-04"),
    ("UPDATE kpi_periods SET new_customers = 0 WHERE period = 2 AND start_day = 19786", "week 2024-03-04"),
    ("UPDATE kpi_periods SET gross = 0 WHERE period = 3 AND start_day = 19783", "month 2024-03-01"),
    ("UPDATE kpi_periods SET customers = 1 WHERE period = 3 AND start_day = 19783", "month 2024-03-01"),
    ("UPDATE kpi_periods SET gross = 0 WHERE period = 4", "all EUR"),
    ("UPDATE kpi_periods SET customers = 3 WHERE period = 4", "all EUR"),
    ("UPDATE kpi_periods SET new_customers = 3 WHERE period = 4", "all EUR"),
    ("DELETE FROM kpi_periods WHERE period = 3 AND start_day = 19783", "month 2024-03-01"),
    ("UPDATE customer_days SET net = net + 1 WHERE day = 19787 AND customer_id = 2", "2024-03-05"),
    ("UPDATE customer_days SET orders = 0 WHERE day = 19787 AND customer_id = 2", "2024-03-05"),
    ("UPDATE customer_days SET reached_at = 1 WHERE day = 19787 AND customer_id = 2", "2024-03-05"),
    ("DELETE FROM customer_days WHERE day = 19787 AND customer_id = 2", "2024-03-05"),
    ("INSERT INTO customer_days VALUES (1, 19787, 77, 0, 0, 0)", "2024-03-05"),
    ("UPDATE customer_months SET net = 0 WHERE month = 19783 AND customer_id = 2", "month 2024-03-01"),
    ("UPDATE customer_months SET orders = 2 WHERE month = 19783 AND customer_id = 2", "month 2024-03-01"),
    ("UPDATE customer_months SET reached_at = 1 WHERE month = 19783 AND customer_id = 2", "month 2024-03-01"),
    ("UPDATE customer_months SET order_days = 1 WHERE month = 19783 AND customer_id = 2", "month 2024-03-01"),
    ("INSERT INTO customer_months VALUES (1, 19783, 77, 0, 0, 0, 0)", "month 2024-03-01"),
    ("UPDATE customer_totals SET orders = 4 WHERE customer_id = 1", "customer 1"),
    ("UPDATE customer_totals SET net = 4 WHERE customer_id = 1", "customer 1"),
    ("UPDATE customer_totals SET reached_at = 4 WHERE customer_id = 1", "customer 1"),
    ("UPDATE customer_totals SET last_day = 19787 WHERE customer_id = 1", "customer 1"),
    ("UPDATE customer_totals SET first_order_id = 3 WHERE customer_id = 1", "2024-02-28"),
    ("UPDATE customer_totals SET first_placed_at = first_placed_at - 1 WHERE customer_id = 1", "2024-02-28"),
    (
        "UPDATE customer_totals SET first_placed_at = first_placed_at + 600000000000 WHERE customer_id = 1",
        "2024-02-28",
    ),
    ("DELETE FROM customer_totals WHERE customer_id = 2", "customer 2"),
    ("UPDATE customer_leaders SET net = 4 WHERE customer_id = 1", "leaders"),
    ("DELETE FROM customer_leaders WHERE customer_id = 1", "leaders"),
    ("INSERT INTO customer_leaders VALUES (1, 77, 1, 1, 1)", "leaders"),
    ("UPDATE product_days SET units = 9 WHERE day = 19787", "2024-03-05"),
    ("UPDATE product_days SET net = 9 WHERE day = 19787", "2024-03-05"),
    ("UPDATE product_months SET net = 9 WHERE month = 19783", "month 2024-03-01"),
    ("UPDATE product_months SET units = 9 WHERE month = 19783", "month 2024-03-01"),
    ("DELETE FROM product_months WHERE month = 19783", "month 2024-03-01"),
];

#[test]
fn a_row_changed_by_hand_is_found_and_its_day_or_sum_is_named() {
    let shop = in_sql();
    shop.apply(&told());
    assert_eq!(faults(&shop, &told()), Vec::<String>::new());
    for (breach, place) in BREACHES {
        let shop = in_sql();
        shop.apply(&told());
        shop.execute(breach);
        let found = faults(&shop, &told());
        assert!(found.iter().any(|fault| fault.contains(place)), "{breach}: {place} is not in {found:#?}");
    }
}

/// A shop whose figures are in SQL, whatever else the run uses.
pub(crate) fn in_sql() -> Shop {
    let mysql = Space::new().is_mysql();
    Shop::on(Space::on(mysql, false), Calendar::utc())
}
