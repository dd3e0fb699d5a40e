//! The promises of the crate, on real databases.
#![allow(clippy::unwrap_used)]

mod apply;
mod boards;
mod kpis;
mod naive;
mod rebuild;
mod verify;

use analytics::{
    Board, BoardOf, BoardQuery, CurrencyChoice, Fact, FactLine, Granularity, KpiQuery, KpiReport,
};
use domain::{Calendar, Currency, CustomerId, OrderId, Period, ProductId};
use jiff::Timestamp;
use jiff::civil::Date;
use sql::{Database, Settings, Synchronous};
use tempfile::TempDir;

static SCHEMAS: &[&sql::Migrations] = &[&analytics::MIGRATIONS];

/// A shop's figures in a database of their own.
struct Shop {
    database: Database,
    calendar: Calendar,
    _folder: TempDir,
}

impl Shop {
    fn new(calendar: Calendar) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(folder.path().join("figures.db").to_str().unwrap());
        settings.synchronous = Synchronous::Normal;
        settings.readers = 1;
        let database = Database::open(&settings).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(database.migrate(SCHEMAS, Timestamp::UNIX_EPOCH)).unwrap();
        Shop { database, calendar, _folder: folder }
    }

    fn utc() -> Self {
        Self::new(Calendar::utc())
    }

    fn write<T: Send + 'static>(
        &self,
        mut f: impl FnMut(&mut sql::Tx<'_>, &Calendar) -> analytics::Result<T> + Send + 'static,
    ) -> analytics::Result<T> {
        let calendar = self.calendar.clone();
        self.database.write_blocking("test", move |tx| f(tx, &calendar))
    }

    fn read<T: Send + 'static>(
        &self,
        mut f: impl FnMut(&mut sql::Tx<'_>, &Calendar) -> analytics::Result<T> + Send + 'static,
    ) -> analytics::Result<T> {
        let calendar = self.calendar.clone();
        self.database.read_blocking("test", move |tx| f(tx, &calendar))
    }

    fn apply(&self, facts: &[Fact]) {
        let facts = facts.to_vec();
        self.write(move |tx, calendar| analytics::apply(tx, calendar, &facts)).unwrap();
    }

    fn execute(&self, sql: &'static str) {
        let changed = self.write(move |tx, _| Ok(tx.execute(sql, &[])?)).unwrap();
        assert!(changed > 0, "nothing was changed by {sql}");
    }

    fn kpis(&self, from: Date, to: Date, granularity: Granularity, currency: Option<Currency>) -> KpiReport {
        let query = KpiQuery { from, to, granularity, currency: choice(currency) };
        self.read(move |tx, calendar| analytics::kpis(tx, calendar, &query)).unwrap()
    }

    fn board(&self, query: BoardQuery) -> Board<i64> {
        self.read(move |tx, calendar| analytics::leaderboard(tx, calendar, &query)).unwrap()
    }

    fn standing(&self, customer: i64, query: BoardQuery) -> Option<Board<i64>> {
        let customer = CustomerId::from_ledger(customer);
        self.read(move |tx, calendar| analytics::rank_of(tx, calendar, customer, &query)).unwrap()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.database.close();
    }
}

/// A choice in a shop whose own currency is the euro.
fn choice(named: Option<Currency>) -> CurrencyChoice {
    CurrencyChoice { named, shop: Currency::EUR }
}

fn customers(period: Period, date: Date, limit: u32) -> BoardQuery {
    BoardQuery { of: BoardOf::Customers, period, date, currency: choice(None), limit }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An order of one line of product 1, in euros, confirmed when it is placed.
fn confirmed(order: i64, customer: i64, placed_at: &str, gross: i64) -> Fact {
    Fact::Confirmed {
        order_id: OrderId::from_ledger(order),
        customer_id: CustomerId::from_ledger(customer),
        currency: Currency::EUR,
        placed_at: time(placed_at),
        at: time(placed_at),
        units: 1,
        gross,
        lines: vec![line(1, 1, gross)],
    }
}

fn refunded(order: i64, customer: i64, at: &str, amount: i64) -> Fact {
    Fact::Refunded {
        order_id: OrderId::from_ledger(order),
        customer_id: CustomerId::from_ledger(customer),
        currency: Currency::EUR,
        at: time(at),
        amount,
        lines: vec![line(1, 1, amount)],
    }
}

fn line(product: i64, quantity: i64, amount: i64) -> FactLine {
    FactLine { product_id: ProductId::from_ledger(product), quantity, amount }
}
