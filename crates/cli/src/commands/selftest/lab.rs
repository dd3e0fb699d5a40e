//! A throw-away installation with workers, and the checks that were made in it.

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use app::imports::{self, ImportOptions, Started, Status};
use app::orders::{self, NewCustomer, NewOrder, NewOrderLine, Story};
use app::stock::{self, Receipt};
use app::verify::{self, Scope};
use app::workers::Workers;
use app::{Actor, App};
use domain::{Currency, Email, ExternalId, OrderId, Quantity, Sku, SourceName};
use serde::Serialize;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::session::Session;
use crate::settle::{self, Settled};
use crate::words;

/// Something that must hold.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What must hold.
    pub rule: &'static str,
    /// Whether it does.
    pub passed: bool,
    /// What was found.
    pub found: String,
}

/// A throw-away installation.
pub struct Lab {
    pub app: App,
    pub currency: Currency,
    folder: TempDir,
    workers: Workers,
    checks: Vec<Check>,
    never: CancellationToken,
}

/// The SKU that every part sells.
pub const SKU: &str = "TEA-1";
/// Its price in minor units.
pub const PRICE: i64 = 1_250;
/// Units of it at the beginning.
pub const STOCK: i64 = 100;

impl Lab {
    /// Opens one. Payments never fail in it, and take `delay` where they are `slow`.
    pub async fn open(session: &Session, slow: bool, delay: Duration) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("ordermill-selftest-").tempdir()?;
        let mut config = session.apart(folder.path());
        config.gateway.decline_rate = 0.0;
        config.gateway.latency = if slow { delay } else { Duration::ZERO };
        let app = session.open_with(config).await?;
        let workers = Workers::start(&app).await?;
        let currency = Currency::parse("EUR").context("there is no euro")?;
        let receipt = Receipt {
            sku: Sku::parse(SKU)?,
            name: None,
            price: Some((PRICE, currency)),
            quantity: STOCK,
            note: None,
        };
        stock::receive(&app, &Actor::CLI, vec![receipt]).await?;
        let never = CancellationToken::new();
        Ok(Lab { app, currency, folder, workers, checks: Vec::new(), never })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Notes whether a rule holds, and what was found.
    pub fn check(&mut self, rule: &'static str, passed: bool, found: impl ToString) {
        self.checks.push(Check { rule, passed, found: found.to_string() });
    }

    /// Notes whether something is what it must be.
    pub fn same<T: PartialEq + Debug>(&mut self, rule: &'static str, found: T, expected: T) {
        let passed = found == expected;
        let told = if passed { format!("{found:?}") } else { format!("{found:?}, expected {expected:?}") };
        self.check(rule, passed, told);
    }

    /// Places an order for units of [`SKU`].
    pub async fn place(&self, units: i64, email: Option<&str>) -> Result<OrderId> {
        let line = NewOrderLine { sku: Sku::parse(SKU)?, quantity: Quantity::new(units)?, unit_price: None };
        let order = NewOrder {
            source: SourceName::parse("selftest")?,
            external_id: ExternalId::parse(&words::fresh("order"))?,
            customer: NewCustomer {
                external_id: Some(ExternalId::parse("C-1")?),
                email: email.map(Email::parse).transpose()?,
                name: None,
            },
            currency: self.currency,
            placed_at: None,
            lines: vec![line],
            shipping: 0,
            discount: 0,
            notify: true,
        };
        Ok(orders::place(&self.app, &Actor::CLI, order).await?.0.id)
    }

    /// Waits until nothing is left to do.
    pub async fn settle(&self) -> Result<()> {
        match settle::everything(&self.app, &self.never).await? {
            Settled::Everything => Ok(()),
            other => bail!("the workers did not come to rest ({other:?})"),
        }
    }

    /// Imports a file and waits until its orders are at rest.
    pub async fn import(&self, path: &Path, options: ImportOptions) -> Result<(Status, bool)> {
        let (id, is_new) = match imports::start(&self.app, &Actor::CLI, path, options, false).await? {
            Started::New(id) | Started::Resumed(id) => (id, true),
            Started::Done(before) => (before.id, false),
        };
        self.settle().await?;
        Ok((imports::status(&self.app, id).await?, is_new))
    }

    pub async fn story(&self, id: OrderId) -> Result<Story> {
        Ok(orders::story(&self.app, id).await?)
    }

    /// What is left of [`SKU`]: on hand and reserved.
    pub async fn stock(&self) -> Result<(i64, i64)> {
        let product =
            self.app.read("stock", |tx| -> app::Result<_> { Ok(store::products::get_by_sku(tx, SKU)?) });
        let product = product.await?;
        Ok((product.on_hand, product.reserved))
    }

    /// Proves the rules that always hold, ends the workers, and gives the checks.
    pub async fn close(mut self) -> Result<Vec<Check>> {
        let report = verify::run(&self.app, Scope::All).await?;
        let first = report.breaches().next().map(ToString::to_string);
        self.check(
            "verify finds nothing wrong",
            report.is_clean(),
            first.unwrap_or_else(|| "clean".to_owned()),
        );
        self.workers.stop().await;
        let database = self.app.database().clone();
        drop(self.app);
        tokio::task::spawn_blocking(move || database.close())
            .await
            .context("the database cannot be closed")?;
        Ok(self.checks)
    }
}
