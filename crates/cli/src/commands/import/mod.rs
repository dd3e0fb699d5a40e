mod follow;
mod report;
mod trial;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use app::imports::{self, ImportOptions, OnError, Origin, Started, UnknownProducts};
use app::workers::Workers;
use app::{App, imports::Status};
use clap::Args;
use domain::SourceName;
use importer::{Charset, Field, Returns, TotalMismatch, Workflow};
use serde_json::json;
use tokio_util::sync::CancellationToken;

pub use follow::{Followed, follow};
pub use report::Report;

use crate::progress::Progress;
use crate::session::{Exit, Session};
use crate::shutdown;
use crate::words::word;

/// Import order files: CSV of any size, plain or packed, in any common encoding
///
/// Waits until the orders are at rest, with workers of its own beside whatever else runs. Interrupted, the same
/// command goes on where it stopped. The same file, or the same order, twice changes nothing.
///
/// Exit codes: 0 all imported or there already; 2 some rows were rejected; 1 failed.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command are switches")]
pub struct Import {
    /// The files: paths, or s3://BUCKET/KEY of an object store of the settings
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Half of the identity of its orders [default: the profile's name]
    #[arg(long, value_parser = SourceName::parse)]
    source: Option<SourceName>,
    /// How columns are read [default: found by the header]
    #[arg(long)]
    profile: Option<String>,
    /// A column and what it means, whatever the profile says; may be given again
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = column)]
    map: Vec<(String, Field)>,
    /// A column that means nothing, whatever the profile says; may be given again
    #[arg(long, value_name = "COLUMN")]
    ignore: Vec<String>,
    /// The file's encoding, such as utf-8 or windows-1252 [default: found out]
    #[arg(long, value_parser = charset)]
    encoding: Option<Charset>,
    /// The file's delimiter, such as ; or tab [default: found out]
    #[arg(long, value_parser = delimiter)]
    delimiter: Option<u8>,
    /// Rows of a transaction, about [default: the setting imports.chunk_size]
    #[arg(long, value_name = "ROWS")]
    chunk_size: Option<u32>,
    /// process: new orders; historical: orders of the past, in the state that their rows tell [default: the profile's]
    #[arg(long, value_name = "process|historical", value_parser = word::<Workflow>)]
    workflow: Option<Workflow>,
    /// Whether customers are told [default: of new orders, not of historical ones]
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    notify: Option<bool>,
    /// Units that products are made with
    #[arg(long, default_value_t = 0, value_name = "UNITS")]
    initial_stock: i64,
    /// A SKU that is not in the catalogue: create the product, or reject the order
    #[arg(long, value_name = "create|reject", default_value = "create", value_parser = word::<UnknownProducts>)]
    unknown_products: UnknownProducts,
    /// A bad row: reject-order, or stop the import
    #[arg(long, value_name = "reject-order|stop", default_value = "reject-order", value_parser = word::<OnError>)]
    on_error: OnError,
    /// Negative quantities: reject the order, or refund (in historical imports)
    #[arg(long, value_name = "reject|refund", default_value = "reject", value_parser = word::<Returns>)]
    returns: Returns,
    /// Totals that do not add up: reject the order, or adjust
    #[arg(long, value_name = "reject|adjust", default_value = "reject", value_parser = word::<TotalMismatch>)]
    total_mismatch: TotalMismatch,
    /// Rejected rows after which the import fails
    #[arg(long, value_name = "ROWS")]
    max_rejects: Option<u64>,
    /// Apply all rules, stock included, and write nothing
    #[arg(long, conflicts_with_all = ["detach", "force", "rejects"])]
    dry_run: bool,
    /// Import a file that was imported before; its orders are still told apart by their ids
    #[arg(long)]
    force: bool,
    /// Write the rejected rows into this file
    #[arg(long, value_name = "FILE", conflicts_with = "detach")]
    rejects: Option<PathBuf>,
    /// Wait until the orders are at rest; the default
    #[arg(long)]
    wait: bool,
    /// Return once the import is queued, and leave the work to others
    #[arg(long, conflicts_with = "wait")]
    detach: bool,
}

impl Import {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let stop = shutdown::on_signal()?;
        let app = session.open().await?;
        let options = self.options(session.settings.config.imports.chunk_size);
        if self.dry_run {
            return trial::run(&app, session.out, &self.files, &options).await;
        }
        let workers = if self.detach { None } else { Some(Workers::start(&app).await?) };
        if let Some(workers) = &workers {
            // Terminated from elsewhere, it ends like one that is interrupted.
            let (stopping, stop) = (workers.stopping(), stop.clone());
            tokio::spawn(async move {
                stopping.cancelled().await;
                stop.cancel();
            });
        }
        let imported = tokio::select! {
            imported = self.import_all(&app, session, &options, &stop) => imported,
            // Its workers would try for ever.
            failed = app.database().storage_failed() => {
                return Err(failed).context("the import stopped; once there is space, the same command goes on");
            }
        };
        if let Some(workers) = workers {
            workers.stop().await;
        }
        let reports = imported?;
        if session.out.is_json() {
            session.out.json(&json!({ "imports": reports }))?;
        }
        Ok(reports.iter().fold(Exit::Done, |exit, report| exit.and(report.exit())))
    }

    async fn import_all(
        &self,
        app: &App,
        session: &Session,
        options: &ImportOptions,
        stop: &CancellationToken,
    ) -> Result<Vec<Report>> {
        let mut reports = Vec::new();
        for path in &self.files {
            if stop.is_cancelled() {
                break;
            }
            let what = || format!("{} cannot be imported", path.display());
            let report = self.import_one(app, session, path, options, stop).await.with_context(what);
            let report = match report {
                Ok(report) => report,
                // The other files are worth a try; the last one's error is the command's.
                Err(error) if self.files.len() > 1 => Report::refused(path, &error),
                Err(error) => return Err(error),
            };
            if !session.out.is_json() {
                report.print(session.out)?;
            }
            reports.push(report);
        }
        Ok(reports)
    }

    async fn import_one(
        &self,
        app: &App,
        session: &Session,
        path: &Path,
        options: &ImportOptions,
        stop: &CancellationToken,
    ) -> Result<Report> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let mut progress = Progress::new(&name, session.shows_progress);
        progress.say("reading the file");
        let who = &app::Actor::CLI;
        let started = match object(app, path)? {
            Some(origin) => imports::fetch(app, who, origin, options.clone(), self.force).await?,
            None => imports::start(app, who, path, options.clone(), self.force).await?,
        };
        let id = match &started {
            Started::New(id) | Started::Resumed(id) => *id,
            Started::Done(before) => {
                progress.end();
                let status: Status = imports::status(app, before.id).await?;
                return Report::unchanged(app, path, status).await;
            }
        };
        let resumed = matches!(started, Started::Resumed(_));
        if self.detach {
            progress.end();
            return Ok(Report::detached(path, imports::status(app, id).await?));
        }
        let mut followed = follow(app, id, &mut progress, stop).await;
        if let Ok(Followed { status: Status { import, .. }, .. }) = &followed
            && let Some(same) = import.same_as
        {
            // What came was another import's file: that one is what was asked for.
            let status = imports::status(app, same).await?;
            if status.import.status.is_final() {
                progress.end();
                return Report::unchanged(app, path, status).await;
            }
            followed = follow(app, same, &mut progress, stop).await;
        }
        progress.end();
        let report = Report::followed(app, path, followed?, resumed).await?;
        report.write_rejects(app, self.rejects.as_deref()).await
    }

    fn options(&self, chunk_size: u32) -> ImportOptions {
        ImportOptions {
            source: self.source.clone(),
            profile: self.profile.clone(),
            columns: self.map.clone(),
            ignored_columns: self.ignore.clone(),
            encoding: self.encoding,
            delimiter: self.delimiter,
            chunk_size: self.chunk_size.unwrap_or(chunk_size),
            workflow: self.workflow,
            notify: self.notify,
            unknown_products: self.unknown_products,
            initial_stock: self.initial_stock,
            on_error: self.on_error,
            total_mismatch: self.total_mismatch,
            returns: self.returns,
            max_rejects: self.max_rejects,
        }
    }
}

/// The object that was named, where it was no path.
fn object(app: &App, path: &Path) -> Result<Option<Origin>> {
    let url = path.to_str().filter(|text| imports::is_url(text));
    Ok(url.map(|url| Origin::url(&app.config().imports, url)).transpose()?)
}

fn column(text: &str) -> Result<(String, Field), String> {
    let (column, field) =
        text.split_once('=').ok_or("write COLUMN=FIELD, such as InvoiceNo=external_order_id")?;
    let known = || Field::ALL.map(Field::as_str).join(", ");
    let meaning = Field::parse(field.trim());
    Ok((
        column.to_owned(),
        meaning.ok_or_else(|| format!("there is no field `{field}`; the fields are {}", known()))?,
    ))
}

fn charset(text: &str) -> Result<Charset, String> {
    Charset::parse(text).map_err(|error| error.to_string())
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" => Ok(b'\t'),
        _ => match text.as_bytes() {
            [one] if one.is_ascii() && !one.is_ascii_alphanumeric() && *one != b'"' => Ok(*one),
            _ => Err("a delimiter is one character such as , ; | or the word tab".to_owned()),
        },
    }
}
