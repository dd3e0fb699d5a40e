use std::path::{Path, PathBuf};

use queue::with_causes;
use rustix::fs::statvfs;

use super::Told;
use crate::App;
use crate::imports::spool_folder;

/// A folder that is written to, and the room of its file system.
#[derive(Debug)]
pub struct Disk {
    /// What lies there.
    pub holds: &'static str,
    /// Where.
    pub folder: PathBuf,
    /// Bytes that are free for this program, and bytes in all.
    pub room: Told<(u64, u64)>,
}

/// Looks at each of them.
pub(super) async fn look(app: &App) -> Vec<Disk> {
    let database = app.database().folder().map(|folder| ("the database", folder.to_owned()));
    let folders: Vec<_> = database.into_iter().chain([("files to be imported", spool_folder(app))]).collect();
    // A file system over the network may take its time.
    let look = move || folders.into_iter().map(|(holds, folder)| disk(holds, folder)).collect();
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

fn disk(holds: &'static str, folder: PathBuf) -> Disk {
    // A folder that nobody has needed yet will be made in the one above.
    let there = folder.ancestors().find(|one| one.exists()).map_or(Path::new("."), |found| found);
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    let room = statvfs(there).map(|told| (told.f_bavail * told.f_frsize, told.f_blocks * told.f_frsize));
    Disk { holds, room: room.map_err(|error| with_causes(&error)), folder }
}
