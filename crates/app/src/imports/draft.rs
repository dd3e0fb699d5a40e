//! Files that wait for somebody to say how they are to be imported.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use domain::ImportId;
use importer::{Looked, Profile, ReadError, ReadOptions};
use serde::{Deserialize, Serialize};

use super::fetch::Temporary;
use super::origin::Origin;
use super::part::Part;
use super::plan::options_of;
use super::pull::Pull;
use super::start::{RECEIVING, cannot, mark, read_options, spool_folder, start_ours};
use super::{DryRun, ImportOptions, Started, dry_run, dry_run_of, fetch};
use crate::access::secret;
use crate::{Actor, App, Error, Result};

/// How drafts begin.
pub(super) const DRAFT: &str = "draft-";
/// How much is read of a file that is only named, to see what it is: more than is looked at, once it is unpacked.
const BEGINNING: u64 = 1 << 20;

/// A file that waits to be told how it is to be imported. It lies in the spool, so that it outlives the server; only who
/// sent or named it finds it, and what nobody imports within a day is removed like all that was left behind.
pub struct Draft {
    path: PathBuf,
    about: About,
}

/// What is kept beside a draft.
#[derive(Serialize, Deserialize)]
pub(super) struct About {
    /// What its sender called it.
    pub(super) name: String,
    /// Its size, where all of it is here.
    pub(super) bytes: u64,
    /// Where it is fetched from; only its beginning is here then.
    pub(super) origin: Option<String>,
    /// The import whose rejects it has.
    pub(super) corrects: Option<ImportId>,
}

/// Gives the file at `path`, which is whole and on disk, its place as a draft.
pub(super) async fn keep(app: &App, who: &Actor, path: &Path, about: About) -> Result<String> {
    let token = secret::fresh();
    let place = place(app, who, &token);
    let text = serde_json::to_vec(&about).map_err(|error| Error::Internal(error.to_string()))?;
    // A draft is there once its file is: what is told of it comes first.
    let beside = beside(&place);
    tokio::fs::write(&beside, text).await.map_err(|source| cannot("write", &beside, source))?;
    tokio::fs::rename(path, &place).await.map_err(|source| cannot("write", &place, source))?;
    Ok(token)
}

async fn look(app: &App, path: PathBuf, options: &ImportOptions) -> Result<Looked> {
    let options = read_options(app, options)?;
    let look = move || importer::look(&path, &options);
    Ok(tokio::task::spawn_blocking(look).await.map_err(|error| Error::Internal(error.to_string()))??)
}

/// Fails where a file is none of orders, whatever is said of it.
pub(super) async fn recognise(app: &App, path: &Path) -> Result<()> {
    match look(app, path.to_owned(), &ImportOptions::default()).await {
        // Somebody may know better what it is written in.
        Ok(_) | Err(Error::Import(ReadError::Encoding { .. } | ReadError::Nul { .. })) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The token alone names nothing: whoever else learns it finds no file.
fn place(app: &App, who: &Actor, token: &str) -> PathBuf {
    spool_folder(app).join(format!("{DRAFT}{}", secret::hash(&format!("{token} of {}", who.account()))))
}

fn beside(place: &Path) -> PathBuf {
    place.with_extension("json")
}

impl Draft {
    /// A file of a folder or an object store, of which the beginning is fetched. Answers what it is found by.
    pub async fn of(app: &App, who: &Actor, named: String, corrects: Option<ImportId>) -> Result<String> {
        let origin = origin(app, named).await?;
        let path = Temporary(spool_folder(app).join(format!("{RECEIVING}{}", mark())));
        let part = Part::open(&path.0, 0, app.config().imports.max_file_bytes).await?;
        let part = part.ok_or_else(|| Error::Internal("a new file is held by somebody else".to_owned()))?;
        Pull::new(app, None, part).up_to(BEGINNING).run(&origin).await?;
        match recognise(app, &path.0).await {
            // The rest may be what is missing.
            Ok(()) | Err(Error::Import(ReadError::Damaged { .. } | ReadError::Truncated { .. })) => {}
            Err(error) => return Err(error),
        }
        let (name, origin) = (origin.file_name(), Some(origin.as_str().to_owned()));
        keep(app, who, &path.0, About { name, bytes: 0, origin, corrects }).await
    }

    /// The draft that this person keeps under this token.
    pub async fn find(app: &App, who: &Actor, token: &str) -> Result<Option<Self>> {
        let path = place(app, who, token);
        let about = beside(&path);
        let look = || async {
            let text = tokio::fs::read(&about).await?;
            tokio::fs::metadata(&path).await?;
            Ok(text)
        };
        let text = match look().await {
            Err(error) if io::Error::kind(&error) == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|source| cannot("read", &path, source))?,
        };
        let about = serde_json::from_slice(&text)
            .map_err(|error| Error::Internal(format!("{} cannot be read: {error}", about.display())))?;
        Ok(Some(Draft { path, about }))
    }

    /// What its sender called it.
    pub fn name(&self) -> &str {
        &self.about.name
    }

    /// Its size; none where only its beginning is here.
    pub fn bytes(&self) -> Option<u64> {
        self.about.origin.is_none().then_some(self.about.bytes)
    }

    /// Where it is fetched from, if it was not sent.
    pub fn origin(&self) -> Option<&str> {
        self.about.origin.as_deref()
    }

    /// The import whose rejects it has.
    pub fn corrects(&self) -> Option<ImportId> {
        self.about.corrects
    }

    /// How it is imported unless somebody says otherwise: like the file whose rejects it has.
    pub async fn usual_options(&self, app: &App) -> Result<ImportOptions> {
        let Some(id) = self.about.corrects else {
            let chunk_size = app.config().imports.chunk_size;
            return Ok(ImportOptions { chunk_size, ..ImportOptions::default() });
        };
        let import = app.read("get_import", move |tx| store::imports::get(tx, id)).await?;
        // How its bytes were written says nothing of what a spreadsheet makes of its rejects.
        Ok(ImportOptions { encoding: None, delimiter: None, ..options_of(&import)? })
    }

    /// What it looks like when it is read like this.
    pub async fn look(&self, app: &App, options: &ImportOptions) -> Result<Looked> {
        look(app, self.path.clone(), options).await
    }

    /// Tells what its import would do.
    pub async fn dry_run(&self, app: &App, options: ImportOptions) -> Result<DryRun> {
        match &self.about.origin {
            Some(named) => dry_run_of(app, &origin(app, named.clone()).await?, options).await,
            None => dry_run(app, &self.path, options).await,
        }
    }

    /// Queues its import. Where that fails, or was done before, it is still there.
    pub async fn import(
        &self,
        app: &App,
        who: &Actor,
        options: ImportOptions,
        force: bool,
    ) -> Result<Started> {
        let started = if let Some(named) = &self.about.origin {
            // What its beginning shows need not be fetched first. That of a zip shows nothing.
            if let Ok(Looked { refused: Some(refused), .. }) = self.look(app, &options).await {
                return Err(refused.into());
            }
            fetch(app, who, origin(app, named.clone()).await?, options, force).await?
        } else {
            let copy = Temporary(spool_folder(app).join(format!("{RECEIVING}{}", mark())));
            link(&self.path, &copy.0).await?;
            start_ours(app, who, copy.0.clone(), self.about.name.clone(), options, force).await?
        };
        if !matches!(started, Started::Done(_)) {
            self.remove().await?;
        }
        Ok(started)
    }

    /// Removes it: nobody needs it any more.
    async fn remove(&self) -> Result<()> {
        for path in [&self.path, &beside(&self.path)] {
            match tokio::fs::remove_file(path).await {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(cannot("remove", path, error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Has a file under another name too; there are disks that cannot, and have it twice.
async fn link(from: &Path, to: &Path) -> Result<()> {
    if tokio::fs::hard_link(from, to).await.is_ok() {
        return Ok(());
    }
    match tokio::fs::copy(from, to).await {
        Ok(_) => Ok(()),
        // Somebody has imported it in the meantime.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Error::Invalid("the file was imported, or removed, in the meantime".to_owned()))
        }
        Err(source) => Err(cannot("copy", from, source)),
    }
}

/// The place that was named, if files are taken from there.
async fn origin(app: &App, named: String) -> Result<Origin> {
    let settings = app.config().imports.clone();
    // A folder may be far away.
    let looked = tokio::task::spawn_blocking(move || Origin::stored(&settings, &named)).await;
    let looked = looked.map_err(|error| Error::Internal(error.to_string()))?;
    looked.map_err(|refused| Error::Invalid(refused.to_string()))
}

/// The profiles there are, the shop's own first.
pub fn profile_names(app: &App) -> Result<Vec<String>> {
    let ReadOptions { profiles, .. } = read_options(app, &ImportOptions::default())?;
    Ok(profiles.into_iter().chain(Profile::builtin()).map(|profile| profile.name).collect())
}
