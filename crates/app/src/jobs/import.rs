use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ImportId;
use queue::{Batch, BoxError, Handler, Limits, Outcome};
use serde::{Deserialize, Serialize};
use sql::Tx;
use store::imports::ImportStatus;

use super::outlook::{self, About, Foresight, Outlook};
use super::{Payload, land, payloads};
use crate::{App, Result, imports};

/// Cuts a file into chunks.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PlanImport {
    /// The import.
    pub import: ImportId,
}

/// Imports one chunk of a file, then pushes the next of its lane.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ImportChunk {
    /// The import.
    pub import: ImportId,
    /// The chunk.
    pub chunk: i64,
}

/// Ends an import whose chunks are all done.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct FinishImport {
    /// The import.
    pub import: ImportId,
}

impl Payload for PlanImport {
    const KIND: &'static str = "plan_import";
    const QUEUE: &'static str = "imports";
}

impl Payload for ImportChunk {
    const KIND: &'static str = "import_chunk";
    const QUEUE: &'static str = "imports";
}

impl Payload for FinishImport {
    const KIND: &'static str = "finish_import";
    const QUEUE: &'static str = "imports";
}

pub(super) struct Plan(pub(super) App);
pub(super) struct Chunk(pub(super) App);
pub(super) struct Finish(pub(super) App);

#[async_trait]
impl Handler for Plan {
    fn kind(&self) -> &'static str {
        PlanImport::KIND
    }

    /// Planning reads the whole file.
    fn limits(&self) -> Limits {
        Limits { batch: 1, timeout: Duration::from_hours(1), ..Limits::default() }
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let payload: PlanImport = payloads(batch.jobs())?.remove(0);
        let planned = imports::plan(&self.0, payload.import).await?;
        let app = self.0.clone();
        let effect = move |tx: &mut Tx<'_>, kept: &[usize]| {
            if let (Some((import, planned)), false) = (&planned, kept.is_empty()) {
                imports::record_plan(&app, tx, import, planned)?;
            }
            Ok(Vec::new())
        };
        let outcomes = land(&self.0, "plan_import", batch.jobs(), effect).await?;
        imports::remove_spool(&self.0, payload.import).await?;
        Ok(outcomes)
    }

    async fn give_up(&self, batch: &Batch, error: &str) -> Result<(), BoxError> {
        let PlanImport { import } = payloads(batch.jobs())?.remove(0);
        give_up(&self.0, batch, import, error, move |tx| has_status(tx, import, ImportStatus::Planning)).await
    }
}

#[async_trait]
impl Handler for Chunk {
    fn kind(&self) -> &'static str {
        ImportChunk::KIND
    }

    /// A chunk is a transaction already.
    fn limits(&self) -> Limits {
        Limits { batch: 1, timeout: Duration::from_mins(5), ..Limits::default() }
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let payload: ImportChunk = payloads(batch.jobs())?.remove(0);
        let prepared = imports::prepare(&self.0, payload.import, payload.chunk).await?;
        let may_have_spool = !matches!(&prepared, Some(Ok(prepared)) if !prepared.has_spool());
        let app = self.0.clone();
        let effect = move |tx: &mut Tx<'_>, kept: &[usize]| {
            match &prepared {
                _ if kept.is_empty() => {}
                None => {}
                Some(Ok(prepared)) => imports::import_chunk(&app, tx, prepared)?,
                // A file that changed, or went away, since it was planned: nothing can mend that here.
                Some(Err(error)) => imports::fail(&app, tx, payload.import, &error.to_string())?,
            }
            Ok(Vec::new())
        };
        let outcomes = land(&self.0, "import_chunk", batch.jobs(), effect).await?;
        if may_have_spool {
            // The import may have stopped at this chunk.
            imports::remove_spool(&self.0, payload.import).await?;
        }
        Ok(outcomes)
    }

    async fn give_up(&self, batch: &Batch, error: &str) -> Result<(), BoxError> {
        let ImportChunk { import, chunk } = payloads(batch.jobs())?.remove(0);
        give_up(&self.0, batch, import, error, move |tx| {
            Ok(store::imports::find_open_chunk(tx, import, chunk)?.is_some())
        })
        .await
    }
}

#[async_trait]
impl Handler for Finish {
    fn kind(&self) -> &'static str {
        FinishImport::KIND
    }

    fn limits(&self) -> Limits {
        Limits { batch: 1, ..Limits::default() }
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        let payload: FinishImport = payloads(batch.jobs())?.remove(0);
        let app = self.0.clone();
        let effect = move |tx: &mut Tx<'_>, kept: &[usize]| {
            if !kept.is_empty() {
                imports::finish(&app, tx, payload.import)?;
            }
            Ok(Vec::new())
        };
        let outcomes = land(&self.0, "finish_import", batch.jobs(), effect).await?;
        imports::remove_spool(&self.0, payload.import).await?;
        Ok(outcomes)
    }

    async fn give_up(&self, batch: &Batch, error: &str) -> Result<(), BoxError> {
        let FinishImport { import } = payloads(batch.jobs())?.remove(0);
        give_up(&self.0, batch, import, error, move |tx| has_status(tx, import, ImportStatus::Running)).await
    }
}

/// Ends an import of which a job has failed for the last time, if that job is still this worker's and what it had to do is
/// still open: nothing else would, and whoever waits for the import would wait for ever.
pub(super) async fn give_up(
    app: &App,
    batch: &Batch,
    import: ImportId,
    error: &str,
    is_open: impl Fn(&mut Tx<'_>) -> Result<bool> + Send + 'static,
) -> Result<(), BoxError> {
    let failures = batch.jobs().iter().map(|job| job.failures + 1).max().unwrap_or_default();
    let reason = format!("given up after {failures} attempts: {error}");
    let (ledger, jobs) = (app.clone(), Arc::clone(batch.jobs()));
    app.transaction("give_up_import", move |tx| -> Result<()> {
        let is_ours = !ledger.queue().keep_in(tx, &jobs)?.jobs.is_empty();
        if is_ours && is_open(tx)? {
            imports::fail(&ledger, tx, import, &reason)?;
        }
        Ok(())
    })
    .await?;
    Ok(imports::remove_spool(app, import).await?)
}

pub(super) fn has_status(tx: &mut Tx<'_>, import: ImportId, status: ImportStatus) -> Result<bool> {
    Ok(store::imports::get_status(tx, import)? == status)
}

impl Foresight for Plan {
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook> {
        let PlanImport { import: id } = outlook::read(args)?;
        let status = store::imports::get_status(tx, id)?;
        let why = "Planning only reads the file. The plan is recorded once, in the commit that ends the job.";
        let about = vec![About::Import(id)];
        Ok(if status == ImportStatus::Planning {
            Outlook::open(
                about,
                format!("Import {id} has no plan yet: its file would be read from its beginning."),
                why,
            )
        } else {
            Outlook::settled(about, format!("Import {id} is {}: its plan would stay.", status.as_str()), why)
        })
    }
}

impl Foresight for Chunk {
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook> {
        let ImportChunk { import: id, chunk } = outlook::read(args)?;
        let status = store::imports::get_status(tx, id)?;
        let is_open = store::imports::find_open_chunk(tx, id, chunk)?.is_some();
        let why = "A chunk is marked as done in the very commit that places its orders, and an order is known by its \
                   source and number besides.";
        let about = vec![About::Import(id)];
        Ok(if !is_open {
            let told = format!("Chunk {chunk} of import {id} is done: no row of it would be read again.");
            Outlook::settled(about, told, why)
        } else if status == ImportStatus::Running {
            let told = format!(
                "Chunk {chunk} of import {id} is not done: its rows would be imported, all in one commit."
            );
            Outlook::open(about, told, why)
        } else {
            Outlook::settled(
                about,
                format!("Import {id} is {}: no row would be imported.", status.as_str()),
                why,
            )
        })
    }
}

impl Foresight for Finish {
    fn foresee(&self, tx: &mut Tx<'_>, args: &str) -> Result<Outlook> {
        let FinishImport { import: id } = outlook::read(args)?;
        let status = store::imports::get_status(tx, id)?;
        let why = "It imports nothing: it ends an import whose chunks are all done, and no other.";
        let about = vec![About::Import(id)];
        Ok(if status == ImportStatus::Running && !store::imports::has_open_chunk(tx, id, 0)? {
            Outlook::open(about, format!("All chunks of import {id} are done: it would be ended."), why)
        } else {
            Outlook::settled(
                about,
                format!("Import {id} is {}: it would be left as it is.", status.as_str()),
                why,
            )
        })
    }
}
