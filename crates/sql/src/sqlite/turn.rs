use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs4::fs_std::FileExt;

use crate::sqlite::beside;
use crate::{Error, Result};

/// The write turn between processes: two locked files beside the database.
///
/// SQLite's own lock is not fair: whoever has just committed takes it again before a waiting process wakes. Here a
/// process first passes a turnstile, waits for the turn while it stands in it, and leaves it once the turn is its
/// own. A process that comes back for another turn meets the turnstile taken, so two processes alternate. The
/// system drops both locks when a process dies.
pub(super) struct Turn {
    turnstile: File,
    lock: File,
    path: PathBuf,
    timeout: Duration,
}

/// The turn, until dropped.
pub(super) struct Held<'a>(&'a Turn);

const RETRY: Duration = Duration::from_micros(200);
const RETRY_LATER: Duration = Duration::from_millis(2);

impl Turn {
    pub(super) fn open(database: &Path, timeout: Duration) -> Result<Self> {
        let open = |suffix: &str| {
            let path = beside(database, suffix);
            let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
            opened.map_err(|source| Error::File { action: "cannot open the lock file", path, source })
        };
        Ok(Turn { turnstile: open("-turnstile")?, lock: open("-turn")?, path: database.to_owned(), timeout })
    }

    /// Waits for the turn; [`Error::Busy`] when it does not come in time.
    pub(super) fn take(&self) -> Result<Held<'_>> {
        self.lock(&self.turnstile)?;
        let locked = self.lock(&self.lock);
        self.unlock(&self.turnstile);
        locked.map(|()| Held(self))
    }

    fn lock(&self, file: &File) -> Result<()> {
        let mut started = None;
        loop {
            match FileExt::try_lock_exclusive(file) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(source) => {
                    return Err(Error::File {
                        action: "cannot lock the database",
                        path: self.path.clone(),
                        source,
                    });
                }
            }
            let waited = started.get_or_insert_with(Instant::now).elapsed();
            if waited >= self.timeout {
                return Err(Error::Busy { waited_secs: waited.as_secs() });
            }
            std::thread::sleep(if waited < Duration::from_millis(100) { RETRY } else { RETRY_LATER });
        }
    }

    fn unlock(&self, file: &File) {
        if let Err(error) = FileExt::unlock(file) {
            tracing::error!(%error, path = %self.path.display(), "cannot release the write turn");
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.unlock(&self.0.lock);
    }
}
