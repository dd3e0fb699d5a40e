//! Files that are fetched from a folder or an object store: by a job, because they may be large and far away.

use std::path::PathBuf;
use std::time::Duration;

use domain::ImportId;
use importer::Workflow;
use queue::{Batch, Outcome};
use serde_json::json;
use sql::Tx;
use store::imports::{Arrived, Import, ImportStatus, NewFetch};

use super::origin::Origin;
use super::part::Part;
use super::plan::options_of;
use super::pull::{Halt, Pull};
use super::start::{Keep, RECEIVING, Received, Started, known, mark, receive, spool_folder};
use super::{DryRun, ImportOptions, control, dry_run};
use crate::access::record_in;
use crate::jobs::{FetchImport, Payload as _, PlanImport};
use crate::{Actor, App, Error, Result};

/// Attempts without any progress that a fetch has: a store may be away for some hours.
pub(crate) const ATTEMPTS: u32 = 40;
/// How long a fetch waits that made progress and was broken off.
const BROKEN_OFF_PAUSE: Duration = Duration::from_secs(1);
/// How long a fetch waits whose file another worker still holds.
const HELD_PAUSE: Duration = Duration::from_secs(5);

/// Queues the import of a file that workers fetch. Asked for again while it is fetched, it is the same import.
pub async fn fetch(
    app: &App,
    who: &Actor,
    origin: Origin,
    options: ImportOptions,
    force: bool,
) -> Result<Started> {
    // What its profile would say is known only once it has come.
    options.check(options.workflow.unwrap_or(Workflow::Historical))?;
    let stored = serde_json::to_string(&options).map_err(|error| Error::Internal(error.to_string()))?;
    let path = spool_folder(app).join(format!("{RECEIVING}{}", mark()));
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("fetch_import", move |tx| -> Result<Started> {
        store::instance::take_turn(tx, "start_import")?;
        let same = |import: &Import| {
            import.status == ImportStatus::Fetching
                && import.origin.as_deref() == Some(origin.as_str())
                && import.options == stored
        };
        if let Some(open) = store::imports::list_unfinished(tx)?.into_iter().find(same) {
            control::resume_in(&inner, tx, &who, open.id)?;
            return Ok(Started::Resumed(open.id));
        }
        let id = ImportId::from_ledger(tx.next_ids("imports", 1)?.start);
        let new = NewFetch {
            id,
            source: options.source.as_ref().map_or("", |source| source.as_str()),
            file_name: &origin.file_name(),
            path: &path.to_string_lossy(),
            options: &stored,
            origin: origin.as_str(),
            forced: force,
        };
        store::imports::insert_fetching(tx, &new, inner.now())?;
        inner.push_in(tx, vec![FetchImport { import: id }.job()])?;
        let about = json!({ "origin": origin.as_str(), "source": options.source });
        record_in(&inner, tx, &who, "import_started", &control::subject(id), (None, Some(about)))?;
        Ok(Started::New(id))
    })
    .await
}

/// Tells what the import of a file would do. It is fetched here and now, and nothing stays of it.
pub async fn dry_run_of(app: &App, origin: &Origin, options: ImportOptions) -> Result<DryRun> {
    let path = Temporary(spool_folder(app).join(format!("{RECEIVING}{}", mark())));
    let part = Part::open(&path.0, 0, app.config().imports.max_file_bytes).await?;
    let part = part.ok_or_else(|| Error::Internal("a new file is held by somebody else".to_owned()))?;
    Pull::new(app, None, part).run(origin).await?;
    dry_run(app, &path.0, options).await
}

/// A file that goes when its name does.
pub(super) struct Temporary(pub(super) PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What came of a run of the job.
pub(crate) enum Fetched {
    /// It has come.
    Arrived(Box<Import>, Box<Received>),
    /// It will never come.
    Failed(String),
    /// Nothing is to be done any more.
    Nothing,
    /// It has not come yet.
    Later(Outcome),
}

/// Fetches the file of an import, on from where an earlier run stopped.
pub(crate) async fn fetch_file(app: &App, batch: &Batch, id: ImportId) -> Result<Fetched> {
    let import = app.read("get_import", move |tx| store::imports::get(tx, id)).await?;
    if import.status != ImportStatus::Fetching {
        return Ok(Fetched::Nothing);
    }
    let settings = &app.config().imports;
    let origin = match Origin::stored(settings, import.origin.as_deref().unwrap_or_default()) {
        Ok(origin) => origin,
        Err(refused) => return Ok(Fetched::Failed(refused.to_string())),
    };
    let path = PathBuf::from(&import.path);
    let had = import.bytes_fetched.cast_unsigned();
    let Some(part) = Part::open(&path, had, settings.max_file_bytes).await? else {
        return Ok(Fetched::Later(Outcome::Snooze(HELD_PAUSE)));
    };
    let began_at = part.bytes();
    let mut pull = Pull::new(app, Some((&import, batch)), part);
    let pulled = pull.run(&origin).await;
    let has_progress = pull.bytes() > began_at;
    if let Err(Halt::Passing(_) | Halt::Turn) = &pulled {
        pull.checkpoint().await?;
    }
    // It is held until it has been read.
    let _part = pull.into_part();
    let is_last = batch.jobs().first().is_some_and(|job| job.failures + 1 >= ATTEMPTS);
    match pulled {
        Ok(()) => arrived(app, import.clone(), path).await,
        Err(Halt::Lasting(reason)) => Ok(Fetched::Failed(reason)),
        Err(Halt::Passing(_)) if has_progress => Ok(Fetched::Later(Outcome::Snooze(BROKEN_OFF_PAUSE))),
        Err(Halt::Passing(reason)) if is_last => {
            Ok(Fetched::Failed(format!("given up after {ATTEMPTS} attempts: {reason}")))
        }
        Err(Halt::Passing(reason)) => Ok(Fetched::Later(Outcome::Retry(reason))),
        Err(Halt::Turn) => Ok(Fetched::Later(Outcome::Snooze(Duration::ZERO))),
        Err(Halt::Ended) => Ok(Fetched::Nothing),
        Err(Halt::Ours(error)) => Err(error),
    }
}

async fn arrived(app: &App, import: Import, path: PathBuf) -> Result<Fetched> {
    let options = options_of(&import)?;
    match receive(app, path.clone(), &options, Keep::Ours).await {
        Ok(received) => {
            if received.text != path {
                // It was unpacked into a file of its own, or has its name.
                let _ = tokio::fs::remove_file(&path).await;
            }
            Ok(Fetched::Arrived(Box::new(import), Box::new(received)))
        }
        // The disk may have room again; the file itself will not become another.
        Err(error) if error.is_internal() || error.is_disk_full() || matches!(error, Error::File { .. }) => {
            Err(error)
        }
        Err(error) => Ok(Fetched::Failed(error.to_string())),
    }
}

/// Records that the file of an import has come: it is planned next, or is told to be that of another import. Returns
/// whether it is planned.
pub(crate) fn arrive(app: &App, tx: &mut Tx<'_>, import: &Import, received: &Received) -> Result<bool> {
    store::instance::take_turn(tx, "start_import")?;
    let import = store::imports::lock(tx, import.id)?;
    if import.status != ImportStatus::Fetching {
        return Ok(false);
    }
    let (hash, source) = (&received.spooled.sha256, received.source.as_str());
    let same_as = known(tx, hash, source, &import.options, import.forced)?.map(|known| match known {
        Started::New(id) | Started::Resumed(id) => id,
        Started::Done(done) => done.id,
    });
    if let Some(same_as) = same_as {
        store::imports::mark_duplicate(tx, import.id, same_as, app.now())?;
        return Ok(false);
    }
    let arrived = Arrived {
        source,
        profile: &received.sniffed.layout.profile.name,
        path: &received.text.to_string_lossy(),
        file_hash: hash,
        plan: &received.plan()?,
        rejects_of: received.rejects_of(tx)?,
    };
    store::imports::mark_arrived(tx, import.id, &arrived)?;
    app.push_in(tx, vec![PlanImport { import: import.id }.job()])?;
    Ok(true)
}
