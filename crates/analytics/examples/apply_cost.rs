//! What the figures cost the writer: µs per confirmed order, in batches of 500, with 100,000 customers and 3,000
//! products; and what a board of all time costs a reader.
//!
//! `cargo run --release -p ordermill-analytics --example apply_cost [CUSTOMERS] [ORDERS] [ORDERS PER DAY]`

use std::time::{Duration, Instant};

use analytics::{BoardOf, BoardQuery, CurrencyChoice, Fact, FactLine, Granularity, KpiQuery};
use domain::{Calendar, Currency, CustomerId, OrderId, Period, ProductId, date_of};
use jiff::Timestamp;
use sql::{Database, Settings};

static SCHEMAS: &[&sql::Migrations] = &[&analytics::MIGRATIONS];
const BATCH: i64 = 500;
const PRODUCTS: i64 = 3_000;
const FIRST_DAY: i64 = 19_700;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<i64>());
    let customers = arguments.next().transpose()?.unwrap_or(100_000);
    let orders = arguments.next().transpose()?.unwrap_or(200_000);
    let per_day = arguments.next().transpose()?.unwrap_or(5_000);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("figures.db");
    let database = Database::open(&Settings::new(path.display().to_string()))?;
    tokio::runtime::Builder::new_current_thread()
        .build()?
        .block_on(database.migrate(SCHEMAS, Timestamp::UNIX_EPOCH))?;

    let mut batches: Vec<(Duration, Duration)> = Vec::new();
    let mut random = Random(1);
    for first in (0..orders).step_by(BATCH as usize) {
        let facts: Vec<Fact> =
            (first..first + BATCH).map(|order| order_of(order, customers, per_day, &mut random)).collect();
        let begun = Instant::now();
        let applied = database.write_blocking("apply", move |tx| {
            let begun = Instant::now();
            analytics::apply(tx, &Calendar::utc(), &facts)?;
            Ok::<_, analytics::Error>(begun.elapsed())
        })?;
        batches.push((applied, begun.elapsed()));
    }
    println!("{customers} customers, {orders} orders, {per_day} a day, batches of {BATCH}");
    for (name, part) in
        [("first tenth", &batches[..batches.len() / 10]), ("last half", &batches[batches.len() / 2..])]
    {
        let (applied, committed) = (median(part, |batch| batch.0), median(part, |batch| batch.1));
        println!("{name:12} {applied:6.2} µs an order applied, {committed:6.2} with its own commit");
    }
    read(&database, FIRST_DAY + orders / per_day)?;
    println!("{:12} {} MB", "database", std::fs::metadata(&path)?.len() / 1_000_000);
    database.close();
    Ok(())
}

fn order_of(order: i64, customers: i64, per_day: i64, random: &mut Random) -> Fact {
    let second = (FIRST_DAY * per_day + order) * 86_400 / per_day;
    let placed_at = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut line = || FactLine {
        product_id: ProductId::from_ledger(1 + random.below(PRODUCTS)),
        quantity: 1,
        amount: 500 + random.below(20_000),
    };
    let lines = vec![line(), line()];
    Fact::Confirmed {
        order_id: OrderId::from_ledger(order + 1),
        customer_id: CustomerId::from_ledger(1 + random.below(customers)),
        currency: Currency::EUR,
        placed_at,
        at: placed_at,
        units: 2,
        gross: lines.iter().map(|line| line.amount).sum(),
        lines,
    }
}

fn read(database: &Database, day: i64) -> Result<(), Box<dyn std::error::Error>> {
    let date = date_of(i32::try_from(day)? - 1);
    let currency = CurrencyChoice { named: None, shop: Currency::EUR };
    for of in [BoardOf::Customers, BoardOf::Products] {
        for period in [Period::Day, Period::Week, Period::Month, Period::All] {
            let query = BoardQuery { of, period, date, currency, limit: 20 };
            let spent = time(database, move |tx| {
                analytics::leaderboard(tx, &Calendar::utc(), &query).map(|board| board.entries.len())
            })?;
            println!("{:12} {spent:8.3} ms, {of:?} by {period}", "top 20");
        }
    }
    for (name, from) in [("today", date), ("30 days", date_of(i32::try_from(day)? - 30))] {
        let query = KpiQuery { from, to: date, granularity: Granularity::Day, currency };
        let spent = time(database, move |tx| {
            analytics::kpis(tx, &Calendar::utc(), &query).map(|report| report.periods.len())
        })?;
        println!("{:12} {spent:8.3} ms, {name}", "kpis");
    }
    Ok(())
}

/// The best of five, in milliseconds.
fn time(
    database: &Database,
    mut f: impl FnMut(&mut sql::Tx<'_>) -> analytics::Result<usize> + Clone + Send + 'static,
) -> analytics::Result<f64> {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        database.read_blocking("read", f.clone())?;
        best = best.min(begun.elapsed());
        f = f.clone();
    }
    Ok(best.as_secs_f64() * 1e3)
}

fn median(batches: &[(Duration, Duration)], of: impl Fn(&(Duration, Duration)) -> Duration) -> f64 {
    let mut spent: Vec<Duration> = batches.iter().map(of).collect();
    spent.sort_unstable();
    spent.get(spent.len() / 2).map_or(0.0, |median| median.as_secs_f64() * 1e6 / BATCH as f64)
}

/// A small generator, so that every run tells the same orders.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.unsigned_abs()).cast_signed()
    }
}
