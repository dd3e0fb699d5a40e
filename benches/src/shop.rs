//! A shop of its own for each run: a database, workers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use app::config::Config;
use app::imports::{self, ImportOptions, Started};
use app::workers::Workers;
use app::{App, SystemClock};
use domain::ImportId;
use importer::sample::{Sample, SampleTotals};
use tempfile::TempDir;

use crate::place::{Home, Place};

pub struct Shop {
    pub app: App,
    home: Home,
}

impl Shop {
    /// A shop as `ordermill` opens it by default, but whose gateway declines nothing.
    pub async fn open(home: Home) -> anyhow::Result<Self> {
        Self::with(home, |_| ()).await
    }

    pub async fn with(home: Home, change: impl FnOnce(&mut Config)) -> anyhow::Result<Self> {
        let mut config = Config::default();
        home.enter(&mut config);
        config.gateway.decline_rate = 0.0;
        change(&mut config);
        let app = App::open(config, Arc::new(SystemClock), true).await?;
        Ok(Shop { app, home })
    }

    /// An empty database with the schema, for a bare connection.
    pub async fn schema_only(place: &Place) -> anyhow::Result<Home> {
        Ok(Shop::open(place.empty()?).await?.close())
    }

    /// Lets go of the database, so that a bare connection has it alone.
    pub fn close(self) -> Home {
        self.app.database().close();
        self.home
    }

    /// Queues the import of a file whose products have stock without end.
    pub async fn start_import(&self, file: &Path) -> anyhow::Result<ImportId> {
        let options = ImportOptions { initial_stock: 100_000_000, ..ImportOptions::default() };
        match imports::start(&self.app, &app::Actor::CLI, file, options, false).await? {
            Started::New(id) => Ok(id),
            other => bail!("a new shop knows the file already: {other:?}"),
        }
    }

    /// Waits for the end of an import; returns the rows that it stored.
    pub async fn wait_for_import(&self, id: ImportId) -> anyhow::Result<u64> {
        loop {
            let status = imports::status(&self.app, id).await?;
            if status.import.status.is_final() {
                if let Some(error) = status.import.error {
                    bail!("the import failed: {error}");
                }
                return Ok(status.progress.counts.rows_imported.cast_unsigned());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Imports a file and waits until nothing is left to do.
    pub async fn process(&self, file: &Path) -> anyhow::Result<()> {
        let id = self.start_import(file).await?;
        Workers::start(&self.app).await?.run_until_idle().await?;
        self.wait_for_import(id).await?;
        Ok(())
    }

    /// How many orders are confirmed.
    pub async fn confirmed(&self) -> anyhow::Result<u64> {
        let confirmed = domain::OrderStatus::Confirmed.code();
        let sql = "SELECT COUNT(*) FROM orders WHERE status = ?";
        let count = self
            .app
            .read("confirmed", move |tx| tx.query_one(sql, &[confirmed.into()], |row| row.get::<u64>(0)))
            .await?;
        Ok(count)
    }
}

/// A file of made-up orders.
pub struct OrderFile {
    pub path: PathBuf,
    pub totals: SampleTotals,
    _folder: TempDir,
}

impl OrderFile {
    pub fn write(sample: &Sample) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("orders.csv");
        let totals = sample.write(std::fs::File::create(&path)?)?;
        Ok(OrderFile { path, totals, _folder: folder })
    }

    /// Two lines an order, and customers who rarely come back.
    pub fn of_two_lines(orders: u64) -> anyhow::Result<Self> {
        Self::write(&Sample { lines: (2, 2), customers: 100_000, ..Sample::shop(orders, 7) })
    }
}
