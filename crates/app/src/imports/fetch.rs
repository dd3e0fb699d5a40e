//! Files that are fetched from a folder or an object store: by a job, because they may be large and far away.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use domain::ImportId;
use importer::Workflow;
use queue::{Batch, Outcome};
use serde_json::json;
use sql::Tx;
use store::imports::{Arrived, Import, ImportStatus, NewFetch};

use super::folders::open_within;
use super::object_store::{ObjectStore, StoreError};
use super::origin::{Origin, Place};
use super::part::Part;
use super::start::{Keep, RECEIVING, Received, Started, known, mark, receive, spool_folder};
use super::{DryRun, ImportOptions, control, dry_run};
use crate::access::record_in;
use crate::jobs::{FetchImport, Payload as _, PlanImport};
use crate::{Actor, App, Error, Result};

/// Attempts without any progress that a fetch has: a store may be away for some hours.
pub(crate) const ATTEMPTS: u32 = 40;
/// After so many bytes what came is put on disk and recorded, and it is looked whether anybody still wants it.
const CHECKPOINT: u64 = 32 << 20;
/// After this long another import has its turn.
const TURN: Duration = Duration::from_mins(10);
/// How long a fetch waits that made progress and was broken off.
const BROKEN_OFF_PAUSE: Duration = Duration::from_secs(1);
/// How long a fetch waits whose file another worker still holds.
const HELD_PAUSE: Duration = Duration::from_secs(5);
/// Bytes of a folder's file that are read at a time.
const BLOCK: usize = 256 * 1024;

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
        inner.queue().push_in(tx, &[FetchImport { import: id }.job()])?;
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
    let mut run = Run { app, import: None, batch: None, part, recorded: 0, began: Instant::now() };
    match run.pull(origin, None).await {
        Ok(()) => dry_run(app, &path.0, options).await,
        Err(Halt::Ours(error)) => Err(error),
        Err(Halt::Lasting(reason)) => Err(Error::Fetch { reason, passing: false }),
        Err(Halt::Passing(reason)) => Err(Error::Fetch { reason, passing: true }),
        Err(Halt::Turn | Halt::Ended) => Err(Error::Internal("a dry run has no turn to lose".to_owned())),
    }
}

/// A file that goes when its name does.
struct Temporary(PathBuf);

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

/// Why a fetch stops before its end.
enum Halt {
    Lasting(String),
    Passing(String),
    /// Others have their turn, or the worker is to stop.
    Turn,
    /// Nobody wants it any more.
    Ended,
    Ours(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        match error {
            Error::TooLarge { .. } => Halt::Lasting(error.to_string()),
            error => Halt::Ours(error),
        }
    }
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
    let (import_id, batch_of) = (Some(id), Some(batch));
    let mut run =
        Run { app, import: import_id, batch: batch_of, part, recorded: began_at, began: Instant::now() };
    let pulled = run.pull(&origin, Some(&import)).await;
    let progress = run.part.bytes() > began_at;
    if let Err(Halt::Passing(_) | Halt::Turn) = &pulled {
        run.checkpoint().await?;
    }
    // It is held until it has been read.
    let _part = run.part;
    let is_last = batch.jobs().first().is_some_and(|job| job.failures + 1 >= ATTEMPTS);
    match pulled {
        Ok(()) => arrived(app, import, path).await,
        Err(Halt::Lasting(reason)) => Ok(Fetched::Failed(reason)),
        Err(Halt::Passing(_)) if progress => Ok(Fetched::Later(Outcome::Snooze(BROKEN_OFF_PAUSE))),
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
    let options: ImportOptions = serde_json::from_str(&import.options)
        .map_err(|error| Error::Internal(format!("import {} cannot be read back: {error}", import.id)))?;
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
    app.queue().push_in(tx, &[PlanImport { import: import.id }.job()])?;
    Ok(true)
}

/// A fetch that is under way.
struct Run<'r> {
    app: &'r App,
    /// The import; none of a dry run.
    import: Option<ImportId>,
    batch: Option<&'r Batch>,
    part: Part,
    /// How much of it is on disk for sure.
    recorded: u64,
    began: Instant,
}

impl Run<'_> {
    async fn pull(&mut self, origin: &Origin, import: Option<&Import>) -> Result<(), Halt> {
        match &origin.place {
            Place::Folder(path) => {
                let folders = self.app.config().imports.folders.clone();
                let path = path.clone();
                let opened = tokio::task::spawn_blocking(move || open_within(&folders, &path)).await;
                let opened = opened.map_err(|error| Error::Internal(error.to_string()))?;
                self.file(opened.map_err(|refused| Halt::Lasting(refused.to_string()))?).await?;
            }
            Place::Store { settings, key } => {
                let store = ObjectStore::new(settings).map_err(|error| Halt::Lasting(error.to_string()))?;
                self.object(&store, key, import).await?;
            }
        }
        self.checkpoint().await?;
        Ok(())
    }

    async fn file(&mut self, file: std::fs::File) -> Result<(), Halt> {
        use tokio::io::AsyncReadExt as _;
        let unreadable = |error: std::io::Error| Halt::Passing(format!("the file cannot be read: {error}"));
        let bytes = file.metadata().map_err(unreadable)?.len();
        self.begin_anew(None, bytes).await?;
        let mut file = tokio::fs::File::from_std(file);
        let mut block = vec![0; BLOCK];
        loop {
            match file.read(&mut block).await.map_err(unreadable)? {
                0 => return Ok(()),
                read => self.take(&block[..read]).await?,
            }
        }
    }

    async fn object(&mut self, store: &ObjectStore, key: &str, import: Option<&Import>) -> Result<(), Halt> {
        let etag = import.and_then(|import| import.etag.as_deref());
        let from = if etag.is_some() { self.part.bytes() } else { 0 };
        let is_whole =
            import.is_some_and(|import| etag.is_some() && import.file_bytes.cast_unsigned() == from);
        if is_whole && from > 0 {
            return Ok(());
        }
        let mut object = match store.open(key, self.app.now(), (from, etag)).await {
            Ok(object) => object,
            Err(error) => return Err(self.halt(error).await?),
        };
        if object.from == 0 {
            self.begin_anew(object.etag.as_deref(), object.bytes).await?;
        }
        loop {
            let piece = tokio::select! {
                piece = object.next() => piece,
                () = stopping(self.batch) => return Err(Halt::Turn),
            };
            match piece {
                Ok(Some(piece)) => self.take(&piece).await?,
                Ok(None) if self.part.bytes() == object.bytes => return Ok(()),
                Ok(None) => return Err(Halt::Passing("the object broke off before its end".to_owned())),
                Err(error) => return Err(self.halt(error).await?),
            }
        }
    }

    /// Begins with a file's first byte.
    async fn begin_anew(&mut self, etag: Option<&str>, bytes: u64) -> Result<(), Halt> {
        self.part.check(bytes)?;
        self.part.cut(0).await?;
        self.recorded = 0;
        if let Some(id) = self.import {
            let etag = etag.map(str::to_owned);
            let found = move |tx: &mut Tx<'_>| -> Result<_> {
                Ok(store::imports::mark_found(tx, id, etag.as_deref(), bytes.cast_signed())?)
            };
            self.app.transaction("mark_found", found).await?;
        }
        Ok(())
    }

    async fn take(&mut self, piece: &[u8]) -> Result<(), Halt> {
        self.part.write(piece).await?;
        // A dry run has nobody who would go on with it.
        if self.import.is_some() && self.began.elapsed() > TURN {
            return Err(Halt::Turn);
        }
        if self.part.bytes() - self.recorded >= CHECKPOINT && !self.checkpoint().await? {
            return Err(Halt::Ended);
        }
        Ok(())
    }

    /// Puts what came on disk and records how much it is. Returns whether it is still wanted.
    async fn checkpoint(&mut self) -> Result<bool> {
        self.part.settle().await?;
        self.recorded = self.part.bytes();
        let Some(id) = self.import else { return Ok(true) };
        let bytes = self.recorded.cast_signed();
        let record = move |tx: &mut Tx<'_>| -> Result<bool> {
            let is_wanted = store::imports::lock(tx, id)?.status == ImportStatus::Fetching;
            if is_wanted {
                store::imports::mark_fetched(tx, id, bytes)?;
            }
            Ok(is_wanted)
        };
        self.app.transaction("mark_fetched", record).await
    }

    /// What a fault of the store means. An object that was changed is fetched anew.
    async fn halt(&mut self, error: StoreError) -> Result<Halt, Halt> {
        if matches!(error, StoreError::Changed) {
            self.begin_anew(None, 0).await?;
        }
        Ok(match error {
            StoreError::Lasting(reason) => Halt::Lasting(reason),
            StoreError::Passing(reason) => Halt::Passing(reason),
            StoreError::Changed => Halt::Passing(error.to_string()),
        })
    }
}

async fn stopping(batch: Option<&Batch>) {
    match batch {
        Some(batch) => batch.stopping().await,
        None => std::future::pending().await,
    }
}
