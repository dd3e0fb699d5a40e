use std::path::PathBuf;

use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::start::{RECEIVING, cannot, mark, spool_folder, start_ours};
use super::{DryRun, ImportOptions, Started, dry_run};
use crate::{App, Error, Result};

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
            return Err(Error::Invalid(format!(
                "the file has more than {} bytes, the most that `[imports] max_file_bytes` allows",
                self.limit
            )));
        }
        self.file.write_all(part).await.map_err(|source| cannot("write", &self.path, source))
    }

    /// Queues its import. `name` is what its sender called it.
    pub async fn import(
        mut self,
        app: &App,
        name: String,
        options: ImportOptions,
        force: bool,
    ) -> Result<Started> {
        self.settle().await?;
        start_ours(app, self.path.clone(), name, options, force).await
    }

    /// Tells what its import would do.
    pub async fn dry_run(mut self, app: &App, options: ImportOptions) -> Result<DryRun> {
        self.settle().await?;
        dry_run(app, &self.path, options).await
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

/// How old what was left behind must be before it is removed: a file that still comes is written to.
const LEFT_BEHIND: std::time::Duration = std::time::Duration::from_hours(24);

/// Removes files that were never received to their end, because their process died. Returns how many.
pub async fn remove_left_behind(app: &App) -> Result<usize> {
    let folder = spool_folder(app);
    let work = move || {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            entries => entries.map_err(|source| cannot("read", &folder, source))?,
        };
        let mut removed = 0;
        for entry in entries {
            let path = entry.map_err(|source| cannot("read", &folder, source))?.path();
            let is_ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(RECEIVING));
            // One that cannot be looked at is gone, or somebody else's.
            let age =
                path.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
            if is_ours && age.is_some_and(|age| age > LEFT_BEHIND) {
                std::fs::remove_file(&path).map_err(|source| cannot("remove", &path, source))?;
                removed += 1;
            }
        }
        Ok(removed)
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Invalid(error.to_string()))?
}
