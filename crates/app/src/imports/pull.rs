//! Getting a file piece by piece, on from where an earlier run stopped.

use std::time::{Duration, Instant};

use domain::ImportId;
use queue::Batch;
use sql::Tx;
use store::imports::{Import, ImportStatus};

use super::folders::open_within;
use super::object_store::{ObjectStore, StoreError};
use super::origin::{Origin, Place};
use super::part::Part;
use crate::{App, Error, Result};

/// After so many bytes what came is put on disk and recorded, and it is looked whether anybody still wants it.
const CHECKPOINT: u64 = 32 << 20;
/// After this long another import has its turn.
const TURN: Duration = Duration::from_mins(10);
/// Bytes of a folder's file that are read at a time.
const BLOCK: usize = 256 * 1024;

/// Why a fetch stops before its end.
pub(super) enum Halt {
    /// It will be the same until somebody changes something.
    Lasting(String),
    /// It may go on later.
    Passing(String),
    /// Others have their turn, or the worker is to stop.
    Turn,
    /// Nobody wants it any more.
    Ended,
    /// Something of ours failed.
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

impl From<Halt> for Error {
    /// Of a fetch that nobody goes on with.
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Ours(error) => error,
            Halt::Lasting(reason) => Error::Fetch { reason, passing: false },
            Halt::Passing(reason) => Error::Fetch { reason, passing: true },
            Halt::Turn | Halt::Ended => {
                Error::Internal("a fetch without a job has no turn to lose".to_owned())
            }
        }
    }
}

/// A fetch that is under way.
pub(super) struct Pull<'r> {
    app: &'r App,
    /// The import and the run of its job; none of a dry run.
    of: Option<(&'r Import, &'r Batch)>,
    part: Part,
    /// How much of it is wanted.
    most: u64,
    /// How much of it is on disk for sure.
    recorded: u64,
    began: Instant,
}

impl<'r> Pull<'r> {
    /// Goes on with what `part` has already.
    pub(super) fn new(app: &'r App, of: Option<(&'r Import, &'r Batch)>, part: Part) -> Self {
        Pull { app, of, most: u64::MAX, recorded: part.bytes(), part, began: Instant::now() }
    }

    /// Fetches no more than its first bytes, about as many as these.
    pub(super) fn up_to(self, most: u64) -> Self {
        Pull { most, ..self }
    }

    fn has_enough(&self) -> bool {
        self.part.bytes() >= self.most
    }

    /// How much has come.
    pub(super) fn bytes(&self) -> u64 {
        self.part.bytes()
    }

    /// What has come.
    pub(super) fn into_part(self) -> Part {
        self.part
    }

    fn import(&self) -> Option<ImportId> {
        self.of.map(|(import, _)| import.id)
    }

    /// Fetches all that is missing.
    pub(super) async fn run(&mut self, origin: &Origin) -> Result<(), Halt> {
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
                self.object(&store, key).await?;
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
            if self.has_enough() {
                return Ok(());
            }
        }
    }

    async fn object(&mut self, store: &ObjectStore, key: &str) -> Result<(), Halt> {
        let import = self.of.map(|(import, _)| import);
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
                () = stopping(self.of) => return Err(Halt::Turn),
            };
            match piece {
                Ok(Some(piece)) => {
                    self.take(&piece).await?;
                    if self.has_enough() {
                        return Ok(());
                    }
                }
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
        if let Some(id) = self.import() {
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
        if self.of.is_some() && self.began.elapsed() > TURN {
            return Err(Halt::Turn);
        }
        if self.part.bytes() - self.recorded >= CHECKPOINT && !self.checkpoint().await? {
            return Err(Halt::Ended);
        }
        Ok(())
    }

    /// Puts what came on disk and records how much it is. Returns whether it is still wanted.
    pub(super) async fn checkpoint(&mut self) -> Result<bool> {
        self.part.settle().await?;
        self.recorded = self.part.bytes();
        let Some(id) = self.import() else { return Ok(true) };
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

async fn stopping(of: Option<(&Import, &Batch)>) {
    match of {
        Some((_, batch)) => batch.stopping().await,
        None => std::future::pending().await,
    }
}
