use std::sync::Arc;

use analytics::redis::Store;
use domain::{Calendar, Channel, Currency};
use jiff::Timestamp;
use queue::{Clock, Queue};
use redis_link::Redis;
use sql::{Database, Migrations, Tx};

use crate::config::{Config, GatewayMode, Shown};
use crate::gateways::signature::Secrets;
use crate::gateways::{InProcess, Measured, PaymentGateway};
use crate::home;
use crate::imports::KnownProducts;
use crate::notifications::Notifier;
use crate::traces::Traces;
use crate::{Error, Result};

/// Everything that use cases and jobs need: a cheap handle.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
    traces: Traces,
    known_products: Arc<KnownProducts>,
}

/// What an [`App`] is made of.
#[derive(Clone)]
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// The ledger.
    pub database: Database,
    /// Redis, where jobs and figures are kept in it.
    pub redis: Option<Redis>,
    /// The job engine.
    pub queue: Queue,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The figures, where Redis keeps them.
    pub figures: Option<Store>,
    /// Business days.
    pub calendar: Calendar,
    /// The currency that figures are shown in where none is named.
    pub currency: Currency,
    /// The payment gateway.
    pub gateway: Arc<dyn PaymentGateway>,
    /// The simulated gateway, where it runs in this process.
    pub simulator: Option<InProcess>,
    /// What signs the gateway's callbacks.
    pub secrets: Secrets,
    /// The ways customers are told.
    pub channels: Vec<Channel>,
    /// What notifications are written with and go out by.
    pub notifier: Arc<Notifier>,
    /// The random word that sets this installation's payment keys apart.
    pub instance: String,
    /// The settings as people may see them; none where nobody told them.
    pub shown: Arc<[Shown]>,
}

/// The schema histories of everything that lives in the ledger's database.
pub static MIGRATIONS: &[&Migrations] = &[&store::MIGRATIONS, &queue::MIGRATIONS, &analytics::MIGRATIONS];

impl App {
    /// Opens the database, brings its schema up to date unless `migrate` is false, and puts the parts together.
    pub async fn open(mut config: Config, clock: Arc<dyn Clock>, migrate: bool) -> Result<Self> {
        config.use_own_pools();
        let database = Database::open(&config.database.open_settings())?;
        if migrate {
            for step in database.migrate(MIGRATIONS, clock.now()).await? {
                tracing::info!(step, "the schema was brought up to date");
            }
        } else {
            database.require_migrated(MIGRATIONS).await?;
        }
        let redis = if config.redis.is_used() {
            Some(Box::pin(Redis::open(config.redis.open_settings())).await?)
        } else {
            None
        };
        let queue = queue(&config, &database, redis.as_ref(), &clock)?;
        home::settle(&database, &queue, redis.is_some()).await?;
        let app = Box::pin(Self::assemble(config, database, redis, queue, clock)).await?;
        Box::pin(crate::figures::settle(&app)).await?;
        Ok(app)
    }

    /// Brings jobs and figures that are kept in Redis back into the database, which then goes on without. Whoever still
    /// works with Redis must have been stopped before.
    pub async fn leave_redis(mut config: Config, clock: Arc<dyn Clock>) -> Result<()> {
        config.redis.url.clear();
        let database = Database::open(&config.database.open_settings())?;
        database.migrate(MIGRATIONS, clock.now()).await?;
        home::leave_redis(&database).await?;
        let app = Self::open(config, clock, true).await?;
        app.queue().adopt().await?;
        crate::figures::rebuild(&app).await.map(drop)
    }

    async fn assemble(
        config: Config,
        database: Database,
        redis: Option<Redis>,
        queue: Queue,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let calendar = calendar(&config)?;
        let figures = redis
            .clone()
            .map(|redis| Store::new(redis, &config.redis.prefix, database.clone(), calendar.clone()));
        let currency = Currency::parse(&config.shop.currency)
            .map_err(|error| Error::Config(format!("[shop] currency: {error}")))?;
        let simulator = InProcess::new(
            database.clone(),
            queue.clone(),
            Arc::clone(&clock),
            Arc::new(config.gateway.clone()),
        );
        let (gateway, simulator): (Arc<dyn PaymentGateway>, _) = match config.gateway.mode {
            GatewayMode::InProcess => (Arc::new(simulator.clone()), Some(simulator)),
            GatewayMode::Http => (Arc::new(crate::gateways::HttpGateway::new(&config.gateway)?), None),
        };
        let gateway = Arc::new(Measured(gateway));
        let channels = channels(&config)?;
        let notifier = Arc::new(Notifier::new(&config, &channels, &clock)?);
        let secrets = Secrets::new(&config.gateway.webhook_secrets);
        let instance = instance(&database).await?;
        let parts = Parts {
            config,
            database,
            redis,
            queue,
            clock,
            figures,
            calendar,
            currency,
            gateway,
            simulator,
            secrets,
            channels,
            notifier,
            instance,
            shown: Arc::default(),
        };
        Ok(App { parts: Arc::new(parts), traces: Traces::default(), known_products: Arc::default() })
    }

    /// The same application with another payment gateway than its settings name.
    pub fn with_gateway(&self, gateway: Arc<dyn PaymentGateway>) -> Self {
        App { parts: Arc::new(Parts { gateway, ..Parts::clone(&self.parts) }), ..self.clone() }
    }

    /// The same application where what follows for these orders goes on in traces of theirs.
    pub(crate) fn with_traces(&self, traces: Traces) -> Self {
        App { traces, ..self.clone() }
    }

    pub(crate) fn known_products(&self) -> &Arc<KnownProducts> {
        &self.known_products
    }

    pub(crate) fn traces(&self) -> &Traces {
        &self.traces
    }

    /// The same application, which can tell its settings and where they came from.
    pub fn with_shown(&self, settings: Vec<Shown>) -> Self {
        App { parts: Arc::new(Parts { shown: settings.into(), ..Parts::clone(&self.parts) }), ..self.clone() }
    }

    /// Runs `f` as one write transaction; see [`Database::write`].
    pub async fn transaction<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sql::Error> + Send + 'static,
    {
        self.parts.database.write(name, f).await
    }

    /// Runs `f` over one snapshot; see [`Database::read`].
    pub async fn read<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sql::Error> + Send + 'static,
    {
        self.parts.database.read(name, f).await
    }

    /// Runs `f` over one snapshot, for a few hundred rows at most, by their keys; see [`Database::look_up`].
    pub async fn look_up<T, E>(
        &self,
        name: &'static str,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<sql::Error> + Send + 'static,
    {
        self.parts.database.look_up(name, f).await
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.parts.config
    }

    /// Every setting in force, and where it came from; secrets are hidden. None where nobody told them.
    pub fn shown(&self) -> &[Shown] {
        &self.parts.shown
    }

    /// The ledger.
    pub fn database(&self) -> &Database {
        &self.parts.database
    }

    /// Redis, where jobs and figures are kept in it.
    pub fn redis(&self) -> Option<&Redis> {
        self.parts.redis.as_ref()
    }

    /// The job engine.
    pub fn queue(&self) -> &Queue {
        &self.parts.queue
    }

    /// The figures, where Redis keeps them.
    pub(crate) fn figures_in_redis(&self) -> Option<&Store> {
        self.parts.figures.as_ref()
    }

    /// Business days.
    pub fn calendar(&self) -> &Calendar {
        &self.parts.calendar
    }

    /// The currency that figures are shown in where none is named.
    pub fn currency(&self) -> Currency {
        self.parts.currency
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// Where the time comes from.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.parts.clock)
    }

    /// The payment gateway.
    pub fn gateway(&self) -> &dyn PaymentGateway {
        &*self.parts.gateway
    }

    /// The simulated gateway, where it runs in this process.
    pub fn simulator(&self) -> Option<&InProcess> {
        self.parts.simulator.as_ref()
    }

    /// What signs the gateway's callbacks.
    pub fn secrets(&self) -> &Secrets {
        &self.parts.secrets
    }

    /// The ways customers are told.
    pub fn channels(&self) -> &[Channel] {
        &self.parts.channels
    }

    /// What notifications are written with and go out by.
    pub fn notifier(&self) -> &Notifier {
        &self.parts.notifier
    }

    /// The random word that sets this installation's payment keys apart.
    pub fn instance(&self) -> &str {
        &self.parts.instance
    }
}

/// The job engine: in Redis where there is one, else in the ledger's database.
fn queue(
    config: &Config,
    database: &Database,
    redis: Option<&Redis>,
    clock: &Arc<dyn Clock>,
) -> Result<Queue> {
    let (database, clock, settings) = (database.clone(), Arc::clone(clock), config.queue.clone());
    Ok(match redis {
        Some(redis) => Queue::redis(database, redis.clone(), &config.redis.prefix, clock, settings)?,
        None => Queue::sql(database, clock, settings)?,
    })
}

fn calendar(config: &Config) -> Result<Calendar> {
    let zone = jiff::tz::TimeZone::get(&config.shop.time_zone)
        .map_err(|error| Error::Config(format!("[shop] time_zone: {error}")))?;
    Ok(Calendar::new(zone))
}

fn channels(config: &Config) -> Result<Vec<Channel>> {
    let channel = |name: &String| match name.parse::<Channel>() {
        Ok(channel) => Ok(channel),
        Err(_) => Err(Error::Config(format!(
            "[notifications] channels: `{name}` is not one of `log`, `smtp`, `webhook`"
        ))),
    };
    config.notifications.channels.iter().map(channel).collect()
}

async fn instance(database: &Database) -> Result<String> {
    let fresh: String = {
        let letters = b"abcdefghjkmnpqrstuvwxyz23456789";
        let pick = || char::from(letters[rand::random_range(0..letters.len())]);
        std::iter::repeat_with(pick).take(8).collect()
    };
    let find = |tx: &mut Tx<'_>| store::instance::find(tx, "instance");
    if let Some(known) = database.read("instance", find).await? {
        return Ok(known);
    }
    Ok(database.write("instance", move |tx| store::instance::get_or_put(tx, "instance", &fresh)).await?)
}
