use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use domain::{ImportId, SourceName};
use importer::{Profile, ReadOptions, Sniffed, Spooled};
use serde_json::json;
use sql::Tx;
use store::imports::{Import, ImportStatus, NewImport};

use super::{FileStamp, ImportOptions, StoredPlan, control};
use crate::access::record_in;
use crate::hex::hex;
use crate::jobs::{Payload as _, PlanImport};
use crate::{Actor, App, Error, Result};

/// How files begin that are not whole yet.
pub(super) const RECEIVING: &str = "receiving-";

/// What came of asking for an import.
#[derive(Debug, Clone)]
pub enum Started {
    /// It is new.
    New(ImportId),
    /// It had begun before and goes on where it stopped, with the options it began with.
    Resumed(ImportId),
    /// The same file was imported into the same source with the same options before; nothing was done.
    Done(Box<Import>),
}

/// A file that was read once, from its beginning to its end.
pub(crate) struct Received {
    pub(super) source: SourceName,
    pub(super) sniffed: Sniffed,
    pub(super) spooled: Spooled,
    pub(super) text: PathBuf,
    /// Bytes of the file as it was given.
    bytes: u64,
    is_copy: bool,
    stamp: Option<FileStamp>,
}

impl Received {
    /// What is stored of it before it is planned.
    pub(super) fn plan(&self) -> Result<String> {
        let layout = self.sniffed.layout.clone();
        let plan = StoredPlan { layout, broken: Vec::new(), file: self.stamp };
        serde_json::to_string(&plan).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Removes it: nobody needs it.
    pub(crate) async fn remove(&self) -> Result<()> {
        match tokio::fs::remove_file(&self.text).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(cannot("remove", &self.text, error))
            }
            _ => Ok(()),
        }
    }

    /// The import whose rejects it corrects. A file of rejects does not say whose: they are taken for those of the
    /// source's last import that had any.
    pub(super) fn rejects_of(&self, tx: &mut Tx<'_>) -> Result<Option<ImportId>> {
        if !self.sniffed.layout.rejects_file {
            return Ok(None);
        }
        Ok(store::imports::find_newest_with_rejects(tx, self.source.as_str())?)
    }
}

/// Receives a file and queues its import.
pub async fn start(
    app: &App,
    who: &Actor,
    path: &Path,
    options: ImportOptions,
    force: bool,
) -> Result<Started> {
    let path = std::path::absolute(path).map_err(|source| cannot("find", path, source))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let keep = if app.config().imports.copy_files { Keep::Copy } else { Keep::InPlace };
    let received = receive(app, path, &options, keep).await?;
    begin(app, who, received, name, options, force).await
}

/// Queues the import of a file that lies in the spool already, and that is ours. `name` is what its sender called it.
pub(super) async fn start_ours(
    app: &App,
    who: &Actor,
    path: PathBuf,
    name: String,
    options: ImportOptions,
    force: bool,
) -> Result<Started> {
    let received = receive(app, path, &options, Keep::Ours).await?;
    begin(app, who, received, name, options, force).await
}

/// What becomes of a file that was received.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// It is read where it is, if it can be.
    InPlace,
    /// It is copied.
    Copy,
    /// It is a copy already, and becomes the import's own.
    Ours,
}

async fn begin(
    app: &App,
    who: &Actor,
    received: Received,
    name: String,
    options: ImportOptions,
    force: bool,
) -> Result<Started> {
    let (profile, source) = (&received.sniffed.layout.profile, received.source.clone());
    let stored = serde_json::to_string(&options).map_err(|error| Error::Internal(error.to_string()))?;
    let plan = received.plan()?;
    let (inner, who) = (app.clone(), who.clone());
    let profile = profile.name.clone();
    let copy = received.is_copy.then(|| received.text.clone());
    let started = app
        .transaction("start_import", move |tx| -> Result<Started> {
            // Of two that start one file at a time, the second must see the first's import.
            store::instance::take_turn(tx, "start_import")?;
            let hash = &received.spooled.sha256;
            if let Some(known) = known(tx, hash, source.as_str(), &stored, force)? {
                if let Started::Resumed(id) = known {
                    control::resume_in(&inner, tx, &who, id)?;
                }
                return Ok(known);
            }
            let rejects_of = received.rejects_of(tx)?;
            let id = ImportId::from_ledger(tx.next_ids("imports", 1)?.start);
            let new = NewImport {
                id,
                source: source.as_str(),
                profile: &profile,
                file_name: &name,
                path: &received.text.to_string_lossy(),
                spooled: received.is_copy,
                file_hash: hash,
                file_bytes: received.bytes.cast_signed(),
                options: &stored,
                rejects_of,
            };
            store::imports::insert(tx, &new, &plan, inner.now())?;
            inner.push_in(tx, vec![PlanImport { import: id }.job()])?;
            let about = json!({ "file": name, "source": source.as_str(), "sha256": hex(hash) });
            record_in(&inner, tx, &who, "import_started", &control::subject(id), (None, Some(about)))?;
            Ok(Started::New(id))
        })
        .await?;
    if let (Some(copy), false) = (copy, matches!(started, Started::New(_))) {
        tokio::fs::remove_file(&copy).await.map_err(|source| cannot("remove", &copy, source))?;
    }
    Ok(started)
}

/// What is known of the file already: an import that has not ended goes on; one that has ended well is told.
pub(super) fn known(
    tx: &mut Tx<'_>,
    hash: &[u8],
    source: &str,
    options: &str,
    force: bool,
) -> Result<Option<Started>> {
    let imports = store::imports::list_of_file(tx, hash, source)?;
    if let Some(open) = imports.iter().find(|import| !import.status.is_final()) {
        return Ok(Some(Started::Resumed(open.id)));
    }
    let same = |import: &&Import| import.status == ImportStatus::Completed && import.options == options;
    Ok(imports.iter().find(same).filter(|_| !force).map(|done| Started::Done(Box::new(done.clone()))))
}

fn source_of(options: &ImportOptions, profile: &Profile) -> Result<SourceName> {
    match &options.source {
        Some(source) => Ok(source.clone()),
        None => profile.name.parse().map_err(|error| {
            Error::Invalid(format!("the profile's name cannot be the source ({error}); name one"))
        }),
    }
}

/// Reads all of the file: what it is, its hash, and its text as plain UTF-8 where it is not that already.
pub(super) async fn receive(
    app: &App,
    path: PathBuf,
    options: &ImportOptions,
    keep: Keep,
) -> Result<Received> {
    let (wanted, options, folder) = (options.clone(), read_options(app, options)?, spool_folder(app));
    let work = move || {
        let sniffed = importer::sniff(&path, &options)?;
        // What cannot be imported as it is wanted is not copied first.
        wanted.check(sniffed.layout.profile.workflow)?;
        let source = source_of(&wanted, &sniffed.layout.profile)?;
        let bytes = path.metadata().map_err(|source| cannot("read", &path, source))?.len();
        if keep != Keep::Copy && !sniffed.needs_spool() {
            let file = File::open(&path).map_err(|source| cannot("open", &path, source))?;
            let stamp = FileStamp::of(&file, &path)?;
            let spooled = importer::spool(&path, &options, std::io::sink())?;
            if spooled.readable_in_place() {
                return if keep == Keep::Ours {
                    let text = own(&path, &folder, &spooled)?;
                    Ok(Received { source, sniffed, spooled, text, bytes, is_copy: true, stamp: None })
                } else {
                    Ok(Received {
                        source,
                        sniffed,
                        spooled,
                        text: path,
                        bytes,
                        is_copy: false,
                        stamp: Some(stamp),
                    })
                };
            }
        }
        let (text, spooled) = spool(&path, &folder, &options)?;
        Ok(Received { source, sniffed, spooled, text, bytes, is_copy: true, stamp: None })
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?
}

/// Gives a text that is whole and on disk its place in the spool, under a name that begins with its hash. Each import has
/// a copy of its own, because each removes it when it ends.
fn own(path: &Path, folder: &Path, spooled: &Spooled) -> Result<PathBuf> {
    let text = folder.join(format!("{}-{}.csv", hex(&spooled.sha256), mark()));
    std::fs::rename(path, &text).map_err(|source| cannot("write", &text, source))?;
    Ok(text)
}

/// What tells files of the spool apart.
pub(super) fn mark() -> String {
    format!("{}-{:08x}", std::process::id(), rand::random::<u32>())
}

/// Copies the text into the spool.
fn spool(path: &Path, folder: &Path, options: &ReadOptions) -> Result<(PathBuf, Spooled)> {
    std::fs::create_dir_all(folder).map_err(|source| cannot("create", folder, source))?;
    let part = folder.join(format!("{RECEIVING}{}", mark()));
    let file = File::create(&part).map_err(|source| cannot("create", &part, source))?;
    let mut out = BufWriter::with_capacity(1 << 18, file);
    let spooled = importer::spool(path, options, &mut out);
    let spooled = spooled.map_err(Error::from).and_then(|spooled| {
        let file = out.into_inner().map_err(|error| cannot("write", &part, error.into_error()))?;
        file.sync_all().map_err(|source| cannot("write", &part, source))?;
        Ok(spooled)
    });
    let spooled = match spooled {
        Ok(spooled) => spooled,
        Err(error) => {
            // A part of a file that cannot be read is of no use; if it stays, it harms nothing.
            let _ = std::fs::remove_file(&part);
            return Err(error);
        }
    };
    Ok((own(&part, folder, &spooled)?, spooled))
}

/// How the importer is to read the file.
pub(super) fn read_options(app: &App, options: &ImportOptions) -> Result<ReadOptions> {
    let settings = &app.config().imports;
    let profiles = match &settings.profiles {
        Some(folder) => own_profiles(folder)?,
        None => Vec::new(),
    };
    Ok(ReadOptions {
        encoding: options.encoding,
        delimiter: options.delimiter,
        profile: options.profile.clone(),
        profiles,
        columns: options.columns.clone(),
        ignored_columns: options.ignored_columns.clone(),
        max_bytes: settings.max_file_bytes,
    })
}

pub(super) fn own_profiles(folder: &Path) -> Result<Vec<Profile>> {
    let entries = std::fs::read_dir(folder).map_err(|source| cannot("read", folder, source))?;
    let mut profiles = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| cannot("read", folder, source))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).map_err(|source| cannot("read", &path, source))?;
            profiles.push(Profile::parse(&text, &path.to_string_lossy())?);
        }
    }
    Ok(profiles)
}

pub(crate) fn spool_folder(app: &App) -> PathBuf {
    let beside = || app.database().folder().unwrap_or(Path::new("data")).join("imports");
    app.config().imports.spool.clone().unwrap_or_else(beside)
}

pub(super) fn cannot(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File { action, path: path.display().to_string(), source }
}
