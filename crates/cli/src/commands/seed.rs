use std::fs::File;

use anyhow::{Context as _, Result};
use app::imports::{self, ImportOptions, Started};
use app::workers::Workers;
use clap::Args;
use domain::SourceName;
use importer::sample::Sample;
use serde_json::json;

use super::import::{Report, follow};
use crate::progress::Progress;
use crate::session::{Exit, Session};
use crate::shutdown;

/// Fill the database with a sample catalogue, its stock, and orders that pass the whole workflow
///
/// The same number and seed give the same orders, so seeding twice changes nothing.
#[derive(Debug, Args)]
pub struct Seed {
    /// Order lines, about
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    rows: u64,
    /// Another number, other orders
    #[arg(long = "seed", value_name = "NUMBER", default_value_t = 1)]
    variant: u64,
    /// Units of each product
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(i64).range(0..))]
    stock: i64,
    /// Tell the customers
    #[arg(long)]
    notify: bool,
}

/// Lines of a sample order on average, in tenths.
const LINES_OF_AN_ORDER: u64 = 25;

impl Seed {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let stop = shutdown::on_signal()?;
        let app = session.open().await?;
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let path = folder.path().join("sample.csv");
        let orders = (self.rows * 10 / LINES_OF_AN_ORDER).max(1);
        File::create(&path)
            .and_then(|file| Sample::shop(orders, self.variant).write(file))
            .context("the sample orders cannot be written")?;
        let source =
            SourceName::parse(&format!("sample-{}", self.variant)).context("the source has no name")?;
        let options = ImportOptions {
            source: Some(source),
            initial_stock: self.stock,
            notify: Some(self.notify),
            chunk_size: session.settings.config.imports.chunk_size,
            ..ImportOptions::default()
        };
        let mut progress = Progress::new("sample orders", session.shows_progress);
        let workers = Workers::start(&app).await?;
        let name = std::path::Path::new("sample orders");
        let report = match imports::start(&app, &app::Actor::CLI, &path, options, false).await? {
            Started::Done(before) => {
                progress.end();
                Report::unchanged(&app, name, imports::status(&app, before.id).await?).await?
            }
            Started::New(id) | Started::Resumed(id) => {
                let followed = follow(&app, id, &mut progress, &stop).await;
                progress.end();
                Report::followed(&app, name, followed?, false).await?
            }
        };
        workers.stop().await;
        if session.out.is_json() {
            session.out.json(&json!({ "imports": [report] }))?;
        } else {
            report.print(session.out)?;
        }
        Ok(report.exit())
    }
}
