use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use super::start::cannot;
use crate::{Error, Result};

/// A file of the spool that is fetched piece by piece. Whoever holds it has it alone: a worker that was taken for dead
/// and goes on writes nothing into what another fetches.
pub(super) struct Part {
    path: PathBuf,
    file: tokio::fs::File,
    bytes: u64,
    limit: u64,
}

impl Part {
    /// The file at `path`, of which the first `bytes` are kept where there are as many; a new one where there is none.
    /// None while somebody else has it.
    pub(super) async fn open(path: &Path, bytes: u64, limit: u64) -> Result<Option<Self>> {
        let owned = path.to_owned();
        let open = move || {
            if let Some(folder) = owned.parent() {
                std::fs::create_dir_all(folder).map_err(|source| cannot("create", folder, source))?;
            }
            let file = File::options().create(true).truncate(false).write(true).open(&owned);
            let file = file.map_err(|source| cannot("create", &owned, source))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(source)) => return Err(cannot("lock", &owned, source)),
            }
            let has = file.metadata().map_err(|source| cannot("read", &owned, source))?.len();
            Ok(Some((file, if has < bytes { 0 } else { bytes })))
        };
        let opened =
            tokio::task::spawn_blocking(open).await.map_err(|error| Error::Internal(error.to_string()))??;
        let Some((file, bytes)) = opened else { return Ok(None) };
        let mut part = Part { path: path.to_owned(), file: tokio::fs::File::from_std(file), bytes, limit };
        part.cut(bytes).await?;
        Ok(Some(part))
    }

    /// How much has come.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether so many bytes are more than a file may have.
    pub(super) fn check(&self, bytes: u64) -> Result<()> {
        if bytes > self.limit { Err(Error::TooLarge { limit: self.limit }) } else { Ok(()) }
    }

    /// Keeps the first bytes alone.
    pub(super) async fn cut(&mut self, bytes: u64) -> Result<()> {
        let cannot = |source| cannot("write", &self.path, source);
        self.file.set_len(bytes).await.map_err(cannot)?;
        self.file.seek(std::io::SeekFrom::Start(bytes)).await.map_err(cannot)?;
        self.bytes = bytes;
        Ok(())
    }

    /// Takes what came.
    pub(super) async fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.check(self.bytes + piece.len() as u64)?;
        self.file.write_all(piece).await.map_err(|source| cannot("write", &self.path, source))?;
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// Waits until all that came is on disk.
    pub(super) async fn settle(&mut self) -> Result<()> {
        // Only this tells that the last write failed; `sync_all` passes over it.
        self.file.flush().await.map_err(|source| cannot("write", &self.path, source))?;
        self.file.sync_all().await.map_err(|source| cannot("write", &self.path, source))
    }
}
