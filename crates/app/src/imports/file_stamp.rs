use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::start::cannot;
use crate::{Error, Result};

/// What tells that a file is still the one that was received: its size, and when it was last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileStamp {
    bytes: u64,
    changed_at: (i64, i64),
}

impl FileStamp {
    /// The stamp of a file as it is now.
    pub(super) fn of(file: &File, path: &Path) -> Result<Self> {
        let metadata = file.metadata().map_err(|source| cannot("read", path, source))?;
        Ok(FileStamp { bytes: metadata.len(), changed_at: (metadata.mtime(), metadata.mtime_nsec()) })
    }

    /// Opens the file of an import. One that was changed since it was received is refused: its rows are not those that
    /// were hashed and planned.
    pub(super) fn open(path: &Path, received: Option<Self>) -> Result<File> {
        let file = match File::open(path) {
            Ok(file) => file,
            // Where it was received it was there: it is gone, or this is another machine.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let advice = match received {
                    Some(_) => "workers on other machines need the setting imports.copy_files",
                    None => "the folder of the setting imports.spool must be the same for all workers",
                };
                return Err(Error::Invalid(format!("cannot open {}: {error}; {advice}", path.display())));
            }
            Err(error) => return Err(cannot("open", path, error)),
        };
        if received.is_some_and(|stamp| FileStamp::of(&file, path).ok() != Some(stamp)) {
            return Err(Error::Invalid(format!(
                "{} was changed after its import began; import it once more",
                path.display()
            )));
        }
        Ok(file)
    }
}
