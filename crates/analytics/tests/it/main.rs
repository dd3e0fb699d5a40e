//! The promises of the crate, on real databases.
#![allow(clippy::unwrap_used)]

mod apply;
mod boards;
mod kpis;
mod naive;
mod rebuild;
mod redis;
mod verify;

use std::sync::{Arc, Mutex};

use analytics::redis::{Fed, ReadFacts, Store};
use analytics::{
    Board, BoardOf, BoardQuery, CurrencyChoice, Error, Fact, FactLine, Granularity, KpiQuery, KpiReport,
};
use domain::{Calendar, Currency, CustomerId, OrderId, Period, ProductId};
use jiff::Timestamp;
use jiff::civil::Date;
use redis_link::Redis;
use sql::{Database, Settings, Synchronous, Tx};
use testkit::Space;
use tokio::runtime::Runtime;

static SCHEMAS: &[&sql::Migrations] = &[&analytics::MIGRATIONS, &LEDGER];

/// What stands for the ledger: which facts there are, by order. The facts themselves are in [`Shop::facts`].
static LEDGER: sql::Migrations = sql::Migrations {
    history: "test",
    steps: &[sql::Migration::new(
        1,
        "ledger",
        "CREATE TABLE ledger (id {id} NOT NULL PRIMARY KEY, order_id {int} NOT NULL);\n",
    )],
};

/// A shop's figures in a database of their own, and in Redis where the run uses it.
struct Shop {
    database: Database,
    calendar: Calendar,
    store: Option<Store>,
    facts: Arc<Mutex<Vec<Fact>>>,
    runtime: Runtime,
    space: Space,
}

impl Shop {
    fn new(calendar: Calendar) -> Self {
        Self::on(Space::new(), calendar)
    }

    fn utc() -> Self {
        Self::new(Calendar::utc())
    }

    fn on(space: Space, calendar: Calendar) -> Self {
        let mut settings = Settings::new(space.database_url());
        settings.synchronous = Synchronous::Normal;
        settings.readers = 1;
        let database = Database::open(&settings).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(database.migrate(SCHEMAS, Timestamp::UNIX_EPOCH)).unwrap();
        let mut shop = Shop { database, calendar, store: None, facts: Arc::default(), runtime, space };
        if shop.space.redis_url().is_some() {
            let store = shop.another_store();
            shop.runtime.block_on(store.settle()).unwrap();
            shop.store = Some(store);
            shop.catch_up().unwrap();
        }
        shop
    }

    /// The same figures as another process sees them.
    fn another_store(&self) -> Store {
        let url = self.space.redis_url().unwrap();
        let redis = self.runtime.block_on(Redis::open(redis_link::Settings::new(url))).unwrap();
        Store::new(redis, self.space.redis_prefix(), self.database.clone(), self.calendar.clone())
    }

    fn set_calendar(&mut self, calendar: Calendar) {
        self.calendar = calendar;
        self.store = self.store.is_some().then(|| self.another_store());
    }

    fn write<T: Send + 'static>(
        &self,
        mut f: impl FnMut(&mut Tx<'_>, &Calendar) -> analytics::Result<T> + Send + 'static,
    ) -> analytics::Result<T> {
        let calendar = self.calendar.clone();
        self.database.write_blocking("test", move |tx| f(tx, &calendar))
    }

    fn read<T: Send + 'static>(
        &self,
        mut f: impl FnMut(&mut Tx<'_>, &Calendar) -> analytics::Result<T> + Send + 'static,
    ) -> analytics::Result<T> {
        let calendar = self.calendar.clone();
        self.database.read_blocking("test", move |tx| f(tx, &calendar))
    }

    fn apply(&self, facts: &[Fact]) {
        self.try_apply(facts).unwrap();
    }

    /// Tells facts and brings the figures up to date.
    fn try_apply(&self, facts: &[Fact]) -> analytics::Result<()> {
        self.tell(facts)?;
        self.catch_up()
    }

    /// Tells facts, in the transaction that makes them true.
    fn tell(&self, facts: &[Fact]) -> analytics::Result<()> {
        let (facts, store, first) = (facts.to_vec(), self.store.clone(), self.keep(facts));
        self.write(move |tx, calendar| tell(tx, store.as_ref(), calendar, first, &facts))
    }

    /// Makes facts known to the ledger's reader; returns the id of the first.
    fn keep(&self, facts: &[Fact]) -> i64 {
        let mut known = self.facts.lock().unwrap();
        known.extend_from_slice(facts);
        (known.len() - facts.len()) as i64
    }

    /// Feeds what was told; rebuilds what cannot be brought up to date.
    fn catch_up(&self) -> analytics::Result<()> {
        let Some(store) = &self.store else { return Ok(()) };
        self.runtime.block_on(catch_up(store, &self.facts))
    }

    fn execute(&self, sql: &'static str) {
        let changed = self.write(move |tx, _| Ok(tx.execute(sql, &[])?)).unwrap();
        assert!(changed > 0, "nothing was changed by {sql}");
    }

    /// Changes what is stored by hand: by statements in SQL, or by commands in Redis. Keys in Redis are those of the
    /// live generation; with a `/` before them, those beside it. `FIRST` is the first member of a sorted set.
    fn spoil(&self, statements: &[&'static str], commands: &[&str]) {
        if self.store.is_none() {
            return statements.iter().for_each(|sql| self.execute(sql));
        }
        for command in commands {
            let mut words = command.split(' ');
            let (name, key) = (words.next().unwrap(), self.key(words.next().unwrap()));
            let mut spoil = redis_link::cmd(name);
            spoil.arg(&key);
            for word in words {
                let first = redis_link::cmd("ZRANGE").arg(&key).arg(0).arg(0).clone();
                let word =
                    if word == "FIRST" { self.redis::<Vec<String>>(&first).remove(0) } else { word.into() };
                spoil.arg(word);
            }
            assert!(self.keys().contains(&key), "{key} is not there: {:#?}", self.keys());
            self.redis::<redis_link::Value>(&spoil);
        }
    }

    /// A key as [`spoil`](Self::spoil) names it.
    fn key(&self, name: &str) -> String {
        let root = format!("{}:{{kpi}}", self.space.redis_prefix());
        if let Some(name) = name.strip_prefix('/') {
            return format!("{root}:{name}");
        }
        let live = redis_link::cmd("HGET").arg(format!("{root}:state")).arg("live").clone();
        format!("{root}:{}:{name}", self.redis::<String>(&live))
    }

    /// Every key that this shop has in Redis.
    fn keys(&self) -> std::collections::BTreeSet<String> {
        if self.space.redis_url().is_none() {
            return std::collections::BTreeSet::new();
        }
        self.redis(redis_link::cmd("KEYS").arg(format!("{}:*", self.space.redis_prefix())))
    }

    /// Runs a command.
    fn redis<T: redis_link::FromRedisValue>(&self, command: &redis_link::Cmd) -> T {
        let url = self.space.redis_url().unwrap();
        self.runtime.block_on(async {
            let redis = Redis::open(redis_link::Settings::new(url)).await.unwrap();
            redis.run(command).await.unwrap()
        })
    }

    fn try_kpis(&self, query: KpiQuery) -> analytics::Result<KpiReport> {
        match &self.store {
            Some(store) => self.runtime.block_on(store.kpis(&query)),
            None => self.read(move |tx, calendar| analytics::kpis(tx, calendar, &query)),
        }
    }

    fn kpis(&self, from: Date, to: Date, granularity: Granularity, currency: Option<Currency>) -> KpiReport {
        self.try_kpis(KpiQuery { from, to, granularity, currency: choice(currency) }).unwrap()
    }

    fn board(&self, query: BoardQuery) -> Board<i64> {
        self.try_board(query).unwrap()
    }

    fn try_board(&self, query: BoardQuery) -> analytics::Result<Board<i64>> {
        match &self.store {
            Some(store) => self.runtime.block_on(store.leaderboard(&query)),
            None => self.read(move |tx, calendar| analytics::leaderboard(tx, calendar, &query)),
        }
    }

    fn standing(&self, customer: i64, query: BoardQuery) -> Option<Board<i64>> {
        let customer = CustomerId::from_ledger(customer);
        match &self.store {
            Some(store) => self.runtime.block_on(store.rank_of(customer, &query)),
            None => self.read(move |tx, calendar| analytics::rank_of(tx, calendar, customer, &query)),
        }
        .unwrap()
    }
}

/// Tells facts in a transaction, and writes them into the ledger.
fn tell(
    tx: &mut Tx<'_>,
    store: Option<&Store>,
    calendar: &Calendar,
    first: i64,
    facts: &[Fact],
) -> analytics::Result<()> {
    for (id, fact) in (first..).zip(facts) {
        let values = [id.into(), fact.order_id().get().into()];
        tx.execute("INSERT INTO ledger (id, order_id) VALUES (?, ?)", &values)?;
    }
    match store {
        Some(store) => store.tell(tx, Timestamp::UNIX_EPOCH, facts),
        None => analytics::apply(tx, calendar, facts),
    }
}

/// The facts of the orders from `first` on, of `orders` ids, and where it goes on.
fn read_ledger(
    tx: &mut Tx<'_>,
    known: &Mutex<Vec<Fact>>,
    first: OrderId,
    orders: i64,
) -> analytics::Result<ReadFacts> {
    let end = first.get() + orders;
    let sql = "SELECT id FROM ledger WHERE order_id >= ? AND order_id < ? ORDER BY id";
    let ids = tx.query(sql, &[first.get().into(), end.into()], |row| row.get::<usize>(0))?;
    let known = known.lock().unwrap();
    let facts = ids.into_iter().map(|id| known[id].clone()).collect();
    let sql = "SELECT MIN(order_id) FROM ledger WHERE order_id >= ?";
    let next: Option<i64> = tx.query_one(sql, &[end.into()], |row| row.get(0))?;
    Ok((facts, next.map(OrderId::from_ledger)))
}

/// Feeds until all is in; rebuilds what cannot be brought up to date.
async fn catch_up(store: &Store, facts: &Arc<Mutex<Vec<Fact>>>) -> analytics::Result<()> {
    loop {
        match store.feed().await? {
            Fed::All => return Ok(()),
            Fed::More => {}
            Fed::Rebuild => match rebuild_lost(store, facts).await {
                Ok(()) | Err(Error::Superseded) => {}
                Err(error) => return Err(error),
            },
        }
    }
}

async fn rebuild_lost(store: &Store, facts: &Arc<Mutex<Vec<Fact>>>) -> analytics::Result<()> {
    let Some(rebuild) = store.go_on_rebuilding().await? else { return Ok(()) };
    let known = Arc::clone(facts);
    let read = move |tx: &mut Tx<'_>, first| read_ledger(tx, &known, first, 7);
    while store.rebuild_step(rebuild, read.clone()).await? {}
    store.switch(rebuild).await?;
    while store.sweep().await? {}
    Ok(())
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
