use std::path::Path;

use domain::ImportId;
use importer::{Plan, PlanOptions};
use queue::NewJob;
use sql::Tx;
use store::imports::{Chunk, Import, ImportStatus};

use super::{FileStamp, ImportOptions, StoredPlan};
use crate::jobs::{FinishImport, ImportChunk, Payload as _};
use crate::{App, Error, Result};

/// Chunk jobs of one import that wait or run at a time. Each, once done, pushes the one this many chunks on, so an
/// import of any size keeps few jobs.
pub(crate) const LANES: i64 = 16;

/// Cuts the file into chunks. A file that cannot be imported at all fails the import, with the reason.
pub(crate) async fn plan(app: &App, id: ImportId) -> Result<Option<(Import, Result<Plan>)>> {
    let import = app.read("get_import", move |tx| store::imports::get(tx, id)).await?;
    if import.status != ImportStatus::Planning {
        return Ok(None);
    }
    let (options, stored) = read_stored(&import)?;
    let settings = &app.config().imports;
    let plan_options = PlanOptions {
        chunk_size: u64::from(options.chunk_size),
        max_field: usize::try_from(settings.max_field_bytes).unwrap_or(usize::MAX),
        ..PlanOptions::default()
    };
    let path = import.path.clone();
    let work = move || -> Result<Plan> {
        let path = Path::new(&path);
        let file = FileStamp::open(path, stored.file)?;
        Ok(importer::plan(file, &stored.layout, &plan_options)?)
    };
    let planned =
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Some((import, planned)))
}

/// Records a plan, or why there is none, and pushes the jobs that go on with it.
pub(crate) fn record(app: &App, tx: &mut Tx<'_>, import: &Import, planned: &Result<Plan>) -> Result<()> {
    // It may have been called off, or planned by another worker, while the file was read.
    if store::imports::lock(tx, import.id)?.status != ImportStatus::Planning {
        return Ok(());
    }
    let plan = match planned {
        Ok(plan) => plan,
        Err(error) => return super::fail(app, tx, import.id, &error.to_string()),
    };
    let (_, stored) = read_stored(import)?;
    let stored = StoredPlan { broken: plan.broken.clone(), ..stored };
    let text = serde_json::to_string(&stored).map_err(|error| Error::Internal(error.to_string()))?;
    let chunks: Vec<Chunk> = plan
        .chunks
        .iter()
        .map(|chunk| Chunk {
            index: i64::from(chunk.index),
            offset: chunk.offset.cast_signed(),
            length: chunk.length.cast_signed(),
            first_line: chunk.first_line.cast_signed(),
            rows: chunk.rows.cast_signed(),
        })
        .collect();
    let bytes = chunks.iter().map(|chunk| chunk.length).sum();
    store::imports::mark_planned(tx, import.id, &text, (plan.rows.cast_signed(), bytes), &chunks, app.now())?;
    let jobs = lanes(tx, import.id)?;
    app.push_in(tx, jobs)?;
    Ok(())
}

/// The jobs that go on with the chunks of an import that are not done: one a lane, or the one that finishes it.
pub(crate) fn lanes(tx: &mut Tx<'_>, id: ImportId) -> Result<Vec<NewJob>> {
    let mut jobs = Vec::new();
    for lane in 0..LANES {
        if let Some(chunk) = store::imports::next_open_chunk(tx, id, lane, LANES)? {
            jobs.push(ImportChunk { import: id, chunk }.job());
        }
    }
    if jobs.is_empty() {
        jobs.push(FinishImport { import: id }.job());
    }
    Ok(jobs)
}

/// The options and the plan that are stored with an import.
pub(super) fn read_stored(import: &Import) -> Result<(ImportOptions, StoredPlan)> {
    let options = options_of(import)?;
    let Some(plan) = import.plan.as_deref() else {
        return Err(Error::WrongState(format!(
            "nothing is known of the rows of import {}: its file has not come",
            import.id
        )));
    };
    let plan = serde_json::from_str(plan).map_err(|error| unreadable(import, &error))?;
    Ok((options, plan))
}

/// The options that are stored with an import.
pub fn options_of(import: &Import) -> Result<ImportOptions> {
    serde_json::from_str(&import.options).map_err(|error| unreadable(import, &error))
}

fn unreadable(import: &Import, error: &serde_json::Error) -> Error {
    Error::Internal(format!("import {} cannot be read back: {error}", import.id))
}
