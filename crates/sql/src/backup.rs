//! Copies of a database that is a file: made while others go on writing, and put back.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use tempfile::{NamedTempFile, TempPath};

use crate::database::sqlite_path;
use crate::sqlite::{beside, unavailable};
use crate::{Error, Result, Settings};

/// Copies the database as it stands at one moment into a new file, which nobody else may read. Others go on reading and
/// writing. Nothing is left of a copy that does not come to its end. Returns the bytes of the copy.
pub fn create(settings: &Settings, file: &Path) -> Result<u64> {
    let database = path_of(settings)?;
    refuse_existing(file)?;
    let copy = empty_beside(file)?;
    copy_pages(&database, copy.path(), settings)?;
    settle(copy.into_temp_path(), file)
}

/// Puts a copy where the database is to be. Nothing may be there, nor a log beside it, which would be taken for the
/// copy's own.
pub fn put_back(settings: &Settings, copy: &Path) -> Result<u64> {
    let database = path_of(settings)?;
    for suffix in ["", "-wal", "-shm", "-journal"] {
        refuse_existing(&beside(&database, suffix))?;
    }
    let mut from = File::open(copy).map_err(|source| failed("cannot open", copy, source))?;
    if let Some(folder) = database.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|source| failed("cannot create the folder", folder, source))?;
    }
    let mut placed = empty_beside(&database)?;
    std::io::copy(&mut from, &mut placed).map_err(|source| failed("cannot copy", copy, source))?;
    settle(placed.into_temp_path(), &database)
}

fn path_of(settings: &Settings) -> Result<PathBuf> {
    if settings.is_on_server() { Err(Error::OnServer) } else { sqlite_path(&settings.url) }
}

fn refuse_existing(file: &Path) -> Result<()> {
    match file.symlink_metadata() {
        Ok(_) => Err(Error::Exists(file.to_owned())),
        Err(_) => Ok(()),
    }
}

/// A file in the folder of another, so that it can take its name.
fn empty_beside(file: &Path) -> Result<NamedTempFile> {
    let made = tempfile::Builder::new().prefix(".ordermill-").tempfile_in(folder_of(file));
    made.map_err(|source| failed("cannot write into the folder", folder_of(file), source))
}

fn copy_pages(database: &Path, copy: &Path, settings: &Settings) -> Result<()> {
    let run = || -> rusqlite::Result<()> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let from = Connection::open_with_flags(database, flags)?;
        from.busy_timeout(settings.lock_timeout)?;
        let mut to = Connection::open_with_flags(copy, flags)?;
        // All pages in one step are one snapshot. In several, each commit in between would begin it anew.
        Backup::new(&from, &mut to)?.step(-1).map(drop)
    };
    run().map_err(|error| unavailable(database, &error))
}

/// Once the disk has it, it takes its name.
fn settle(file: TempPath, name: &Path) -> Result<u64> {
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all().map(|()| file));
    let size = sync(&file)
        .and_then(|file| file.metadata())
        .map_err(|source| failed("cannot write", name, source))?;
    file.persist_noclobber(name).map_err(|error| failed("cannot create", name, error.error))?;
    sync(folder_of(name))
        .map_err(|source| failed("cannot write into the folder", folder_of(name), source))?;
    Ok(size.len())
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::File { action, path: path.to_owned(), source }
}
