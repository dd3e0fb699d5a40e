use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::ImportId;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::draft::{self, About, DRAFT};
use super::start::{RECEIVING, cannot, mark, spool_folder, start_ours};
use super::{DryRun, ImportOptions, Started, dry_run};
use crate::{Actor, App, Error, Result};

/// A file that somebody sends, as far as it has come. It lies in the spool, and is removed again unless it is imported.
pub struct Upload {
    path: PathBuf,
    file: File,
    bytes: u64,
    limit: u64,
}

impl Upload {
    /// Makes room for a file.
    pub async fn begin(app: &App) -> Result<Self> {
        let folder = spool_folder(app);
        tokio::fs::create_dir_all(&folder).await.map_err(|source| cannot("create", &folder, source))?;
        let path = folder.join(format!("{RECEIVING}{}", mark()));
        let file = File::create_new(&path).await.map_err(|source| cannot("create", &path, source))?;
        Ok(Upload { path, file, bytes: 0, limit: app.config().imports.max_file_bytes })
    }

    /// Takes what came.
    pub async fn write(&mut self, part: &[u8]) -> Result<()> {
        self.bytes += part.len() as u64;
        if self.bytes > self.limit {
            return Err(Error::TooLarge { limit: self.limit });
        }
        self.file.write_all(part).await.map_err(|source| cannot("write", &self.path, source))
    }

    /// Queues its import. `name` is what its sender called it.
    pub async fn import(
        mut self,
        app: &App,
        who: &Actor,
        name: String,
        options: ImportOptions,
        force: bool,
    ) -> Result<Started> {
        self.settle().await?;
        start_ours(app, who, self.path.clone(), name, options, force).await
    }

    /// Tells what its import would do.
    pub async fn dry_run(mut self, app: &App, options: ImportOptions) -> Result<DryRun> {
        self.settle().await?;
        dry_run(app, &self.path, options).await
    }

    /// Keeps it for whoever sent it, until they say how it is to be imported; `corrects` is the import whose rejects it
    /// has. Answers what they find it by. What is no file of orders is not kept.
    pub async fn keep(
        mut self,
        app: &App,
        who: &Actor,
        name: String,
        corrects: Option<ImportId>,
    ) -> Result<String> {
        self.settle().await?;
        draft::recognise(app, &self.path).await?;
        draft::keep(app, who, &self.path, About { name, bytes: self.bytes, origin: None, corrects }).await
    }

    async fn settle(&mut self) -> Result<()> {
        // Only this tells that the last write failed; `sync_all` passes over it.
        self.file.flush().await.map_err(|source| cannot("write", &self.path, source))?;
        self.file.sync_all().await.map_err(|source| cannot("write", &self.path, source))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Where it was imported, its import has taken it away.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// How old a file must be before it counts as left behind: one that still comes is written to, and one that has just come
/// is about to get its import.
const LEFT_BEHIND: Duration = Duration::from_hours(24);

/// Removes files of the spool that no import waits for: their process died while it received them, or their import was
/// never begun. Returns how many.
pub async fn remove_left_behind(app: &App) -> Result<usize> {
    let wanted = app.read("list_unfinished", store::imports::list_unfinished).await?;
    let wanted: HashSet<PathBuf> = wanted.into_iter().map(|import| PathBuf::from(import.path)).collect();
    let folder = spool_folder(app);
    let work = move || {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            entries => entries.map_err(|source| cannot("read", &folder, source))?,
        };
        let mut removed = 0;
        for entry in entries {
            let path = entry.map_err(|source| cannot("read", &folder, source))?.path();
            // One that cannot be looked at is gone, or somebody else's.
            let age =
                path.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
            if wanted.contains(&path) || !is_ours(&path) || age.is_none_or(|age| age < LEFT_BEHIND) {
                continue;
            }
            match std::fs::remove_file(&path) {
                Ok(()) => removed += 1,
                // Another process of ours was faster.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(cannot("remove", &path, source)),
            }
        }
        Ok(removed)
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?
}

/// Whether a file has a name that we give: the spool may be a folder where others keep theirs too.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let begins_with_hash = || name.split('-').next().is_some_and(is_hash);
    name.starts_with(RECEIVING) || name.starts_with(DRAFT) || (name.ends_with(".csv") && begins_with_hash())
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
