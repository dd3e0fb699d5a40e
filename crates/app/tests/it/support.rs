//! An application of its own for each test: a database in a temporary folder and a clock that the test moves.

use std::sync::Arc;
use std::time::Duration;

use app::config::{Config, Durability};
use app::orders::{NewCustomer, NewOrder, NewOrderLine};
use app::stock::Receipt;
use app::{Actor, App};
use domain::{Currency, Email, ExternalId, Label, OrderId, Quantity, Sku, SourceName};
use queue::ManualClock;
use testkit::Space;

/// An application with nothing in it.
pub struct TestApp {
    pub app: App,
    pub clock: Arc<ManualClock>,
    config: Config,
    space: Space,
}

impl TestApp {
    /// One whose settings were changed. Its gateway declines nothing, unless they say so.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Space::new(), change).await
    }

    /// The same on engines that were chosen.
    pub async fn on(space: Space, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.database.url = space.database_url().to_owned();
        space.redis_url().unwrap_or_default().clone_into(&mut config.redis.url);
        config.redis.prefix = space.redis_prefix().to_owned();
        config.imports.spool = Some(space.folder().join("imports"));
        config.database.synchronous = Durability::Normal;
        config.database.readers = 1;
        config.database.writers = 4;
        config.gateway.decline_rate = 0.0;
        change(&mut config);
        let clock = Arc::new(ManualClock::default());
        let app = App::open(config.clone(), clock.clone(), true).await.unwrap();
        TestApp { app, clock, config, space }
    }

    /// The same database and time with other settings, as after a restart.
    pub async fn restarted(self, change: impl FnOnce(&mut Config)) -> Self {
        let TestApp { app, clock, mut config, space } = self;
        app.database().close();
        drop(app);
        change(&mut config);
        let app = App::open(config.clone(), clock.clone(), true).await.unwrap();
        TestApp { app, clock, config, space }
    }

    /// One over a copy of what this one keeps, which nothing changes meanwhile.
    pub async fn copied(&self) -> Self {
        let (space, mut config) = (self.space.copy(), self.config.clone());
        config.database.url = space.database_url().to_owned();
        config.redis.prefix = space.redis_prefix().to_owned();
        let app = App::open(config.clone(), self.clock.clone(), true).await.unwrap();
        TestApp { app, clock: self.clock.clone(), config, space }
    }

    /// The place of its database.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// The folder that is its own.
    pub fn folder(&self) -> &std::path::Path {
        self.space.folder()
    }

    /// Runs every job that is due, and those that they push.
    pub async fn run_jobs(&self) -> usize {
        let registry = app::jobs::registry(&self.app).unwrap();
        let jobs = queue::drain(self.app.queue(), &registry).await.unwrap();
        app::figures::catch_up(&self.app).await.unwrap();
        jobs
    }

    /// Changes by hand what Redis keeps of the live figures. The key is named by what follows the generation's number.
    pub async fn spoil(&self, command: &str, key: &str, args: &[&str]) {
        let redis = self.app.redis().unwrap();
        let root = format!("{}:{{kpi}}", self.space.redis_prefix());
        let live = redis_link::cmd("HGET").arg(format!("{root}:state")).arg("live").clone();
        let live: String = redis.run(&live).await.unwrap();
        let spoil = redis_link::cmd(command).arg(format!("{root}:{live}:{key}")).arg(args).clone();
        let changed: String = redis.run(&spoil).await.unwrap();
        assert_ne!(changed, "", "{command} {key}");
    }

    /// Deletes all that this test has in Redis, at one moment as `FLUSHALL` does: what is written meanwhile stays whole.
    pub async fn flush_redis(&self) {
        let script = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end";
        let mut flush = redis_link::cmd("EVAL");
        flush.arg(script).arg(0).arg(format!("{}:*", self.space.redis_prefix()));
        self.app.redis().unwrap().run::<()>(&flush).await.unwrap();
    }

    /// Moves the clock, takes back the jobs of lost workers, and runs what is due then.
    pub async fn run_jobs_after(&self, time: Duration) -> usize {
        self.clock.advance(time);
        self.app.queue().reap(1_000).await.unwrap();
        self.run_jobs().await
    }

    /// Receives goods.
    pub async fn stock(&self, sku: &str, name: &str, units: i64) {
        let receipt = Receipt {
            sku: Sku::parse(sku).unwrap(),
            name: Some(Label::parse(name).unwrap()),
            price: None,
            quantity: units,
            note: None,
        };
        app::stock::receive(&self.app, &Actor::CLI, vec![receipt]).await.unwrap();
    }
}

/// An order to be placed by somebody with an e-mail.
pub fn order(number: &str) -> OrderBuilder {
    let word: String = number.chars().filter(char::is_ascii_alphanumeric).collect();
    OrderBuilder(NewOrder {
        source: SourceName::parse("test").unwrap(),
        external_id: ExternalId::parse(number).unwrap(),
        customer: NewCustomer {
            external_id: Some(ExternalId::parse(&format!("customer-{number}")).unwrap()),
            email: Some(Email::parse(&format!("customer-{word}@example.com")).unwrap()),
            name: Some("Ada Lovelace".to_owned()),
        },
        currency: Currency::EUR,
        placed_at: None,
        lines: Vec::new(),
        shipping: 0,
        discount: 0,
        notify: true,
    })
}

pub struct OrderBuilder(NewOrder);

impl OrderBuilder {
    pub fn line(mut self, sku: &str, units: u32, unit_price: i64) -> Self {
        let quantity = Quantity::new(units.into()).unwrap();
        self.0.lines.push(NewOrderLine {
            sku: Sku::parse(sku).unwrap(),
            quantity,
            unit_price: Some(unit_price),
        });
        self
    }

    pub fn email(mut self, email: &str) -> Self {
        self.0.customer.email = Some(Email::parse(email).unwrap());
        self
    }

    pub fn without_email(mut self) -> Self {
        self.0.customer.email = None;
        self
    }

    pub fn name(mut self, name: &str) -> Self {
        self.0.customer.name = Some(name.to_owned());
        self
    }

    pub fn currency(mut self, code: &str) -> Self {
        self.0.currency = Currency::parse(code).unwrap();
        self
    }

    pub fn shipping(mut self, amount: i64) -> Self {
        self.0.shipping = amount;
        self
    }

    pub fn discount(mut self, amount: i64) -> Self {
        self.0.discount = amount;
        self
    }

    /// Places it; nothing else happens before jobs run.
    pub async fn place(self, test: &TestApp) -> OrderId {
        app::orders::place(&test.app, &Actor::CLI, self.0).await.unwrap().0.id
    }
}
