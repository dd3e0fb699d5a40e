use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use app::imports::{self as cases, Status, write_rejects};
use app::{Actor, App};
use clap::Subcommand;
use domain::ImportId;
use importer::RejectCode;
use serde_json::json;
use sql::Tx;
use store::imports::Reject;

use crate::output::{Listing, Out, Stdout, cell, maybe, minute, plain, status};
use crate::session::{Exit, Session};
use crate::words::grouped;

/// See imports, and steer those that run
#[derive(Debug, Subcommand)]
pub enum Imports {
    /// List imports, newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Show one with its first rejected rows
    Show {
        /// Its id
        id: ImportId,
    },
    /// Stop one before its next chunk
    Pause {
        /// Its id
        id: ImportId,
    },
    /// Go on with one that is paused
    Continue {
        /// Its id
        id: ImportId,
    },
    /// End one before its next chunk; what was imported stays
    Cancel {
        /// Its id
        id: ImportId,
    },
    /// Write the rejected rows as CSV, to be corrected and imported again
    Rejects {
        /// Its id
        id: ImportId,
        /// Into this file [default: stdout]
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

impl Imports {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let (app, out) = (session.open().await?, session.out);
        let id = match self {
            Imports::List { limit } => {
                list(&app, out, limit).await?;
                return Ok(Exit::Done);
            }
            Imports::Rejects { id, file } => {
                rejects(&app, out, id, file).await?;
                return Ok(Exit::Done);
            }
            Imports::Show { id } => id,
            Imports::Pause { id } => {
                cases::pause(&app, &Actor::CLI, id).await?;
                id
            }
            Imports::Continue { id } => {
                cases::resume(&app, &Actor::CLI, id).await?;
                id
            }
            Imports::Cancel { id } => {
                cases::cancel(&app, &Actor::CLI, id).await?;
                id
            }
        };
        show(&app, out, id).await?;
        Ok(Exit::Done)
    }
}

async fn list(app: &App, out: Out, limit: u32) -> Result<()> {
    let listed = cases::list(app, None, limit).await?;
    if out.is_json() {
        return Ok(out.json(&json!({ "imports": listed }))?);
    }
    Ok(out.table(&listing(out, &listed), "there were no imports; `ordermill import FILE` begins one")?)
}

async fn show(app: &App, out: Out, id: ImportId) -> Result<()> {
    let shown = cases::status(app, id).await?;
    let rejects = first_rejects(app, id).await?;
    if out.is_json() {
        let rejects: Vec<_> = rejects.iter().map(reject_json).collect();
        return Ok(out.json(&json!({ "import": shown, "first_rejects": rejects }))?);
    }
    out.table(&listing(out, std::slice::from_ref(&shown)), "")?;
    if let Some(origin) = &shown.import.origin {
        out.line(format_args!("its file is fetched from {}", plain(origin)))?;
    }
    if let Some(same) = shown.import.same_as {
        out.line(format_args!("its file is that of import {same}, so nothing was imported"))?;
    }
    if let Some(corrected) = shown.import.rejects_of {
        out.line(format_args!("it corrects rows that import {corrected} had rejected"))?;
    }
    if let Some(error) = &shown.import.error {
        out.line(out.bad(plain(error)))?;
    }
    print_rejects(out, &rejects)
}

async fn rejects(app: &App, out: Out, id: ImportId, file: Option<PathBuf>) -> Result<()> {
    let Some(path) = file else {
        write_rejects(app, id, Stdout::new()).await?;
        return Ok(());
    };
    let written = rejects_into(app, id, &path).await?;
    if out.is_json() {
        return Ok(out.json(&json!({ "import": id, "file": path, "rows": written }))?);
    }
    Ok(out.line(format_args!("{} rows written to {}", grouped(written.cast_signed()), path.display()))?)
}

/// Writes the rejected rows of an import into a file.
pub async fn rejects_into(app: &App, id: ImportId, path: &std::path::Path) -> Result<u64> {
    let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(write_rejects(app, id, file).await?)
}

/// Rejected rows that are shown at once.
const SHOWN: usize = 10;
/// Rejected rows that are looked at for those.
const LOOKED_AT: u32 = 500;

/// The first rejected rows of an import: those that something is wrong with, before those of the same orders.
pub async fn first_rejects(app: &App, id: ImportId) -> Result<Vec<Reject>> {
    let first = move |tx: &mut Tx<'_>| -> app::Result<_> {
        Ok(store::imports::list_rejects(tx, id, (0, -1), LOOKED_AT)?)
    };
    let mut rejects = app.read("first_rejects", first).await?;
    rejects.sort_by_key(|reject| reject.code == RejectCode::OrderRejected.as_str());
    rejects.truncate(SHOWN);
    Ok(rejects)
}

/// A rejected row as programs read it.
pub fn reject_json(reject: &Reject) -> serde_json::Value {
    let Reject { line, code, field, message, raw, .. } = reject;
    json!({ "line": line, "code": code, "field": field, "message": message, "raw": raw })
}

/// Prints rejected rows.
pub fn print_rejects(out: Out, rejects: &[Reject]) -> Result<()> {
    for reject in rejects {
        let code = out.dim(format_args!("({})", reject.code));
        out.line(format_args!("  line {}: {} {code}", reject.line, plain(&reject.message)))?;
    }
    Ok(())
}

/// A table of imports.
pub fn listing(out: Out, imports: &[Status]) -> Listing {
    let columns =
        ["id", "file", "source", "status", "rows", "done", "imported", "duplicate", "rejected", "begun"];
    let mut listing = out.listing(&columns).right(&[0, 4, 5, 6, 7, 8]);
    for Status { import, progress, .. } in imports {
        let counts = &progress.counts;
        // A file that has rows is done when all of them are; one without is done at once.
        let percent = (counts.rows() * 100).checked_div(import.rows_total).map(|share| format!("{share} %"));
        listing.row([
            cell(import.id),
            cell(&import.file_name),
            cell(&import.source),
            status(import.status.as_str()),
            cell(grouped(import.rows_total)),
            maybe(percent),
            cell(grouped(counts.orders_imported)),
            cell(grouped(counts.orders_duplicate)),
            cell(grouped(counts.orders_rejected)),
            minute(import.created_at),
        ]);
    }
    listing
}
