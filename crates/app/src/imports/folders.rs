//! Files of the folders that imports may take them from.

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, open, openat};

use super::origin::NotAllowed;

/// Opens the file at `path`, which must lie in one of `folders` once all links are followed. What was looked at is what is
/// opened: somebody who may write to a folder cannot lead out of it in between.
pub(super) fn open_within(folders: &[PathBuf], path: &Path) -> Result<File, NotAllowed> {
    if folders.is_empty() {
        return Err(NotAllowed::new(
            "no files are imported by their paths here; the setting imports.folders names folders",
        ));
    }
    let is_plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
    if !path.is_absolute() || !path.components().all(is_plain) {
        return Err(NotAllowed::new("the path must be whole, beginning with /, and without `..`"));
    }
    let folder = folders.iter().find(|folder| path.starts_with(folder));
    let folder = folder.ok_or_else(|| {
        NotAllowed::new("the path is in none of the folders of the setting imports.folders")
    })?;
    let (folder, real) = (real(folder)?, real(path)?);
    let within = real
        .strip_prefix(&folder)
        .map_err(|_| NotAllowed::new("the path leads out of its folder"))?
        .to_owned();
    open_real(&folder, &within).map_err(|error| cannot_be_read(&error))
}

fn real(path: &Path) -> Result<PathBuf, NotAllowed> {
    path.canonicalize().map_err(|error| cannot_be_read(&error))
}

fn cannot_be_read(error: &io::Error) -> NotAllowed {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => NotAllowed::new("there is no such file"),
        _ => NotAllowed::new(format!("the file cannot be read: {error}")),
    }
}

/// Walks from the folder to the file and follows no link: there was none left, so one that is met was put there since.
fn open_real(folder: &Path, within: &Path) -> io::Result<File> {
    let way = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut here = open(folder, way | OFlags::DIRECTORY, Mode::empty())?;
    let mut parts = within.components().peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        // A pipe without a writer would be waited for.
        let how = if is_last { way | OFlags::NONBLOCK } else { way | OFlags::DIRECTORY };
        here = openat(&here, part.as_os_str(), how, Mode::empty())?;
    }
    let file = File::from(here);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    struct Lab {
        root: tempfile::TempDir,
        folders: Vec<PathBuf>,
    }

    impl Lab {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            for folder in ["in/deep", "in-not", "out"] {
                std::fs::create_dir_all(root.path().join(folder)).unwrap();
            }
            for file in ["in/a.csv", "in/deep/b.csv", "in-not/c.csv", "out/secret.csv"] {
                std::fs::write(root.path().join(file), file).unwrap();
            }
            let folders = vec![root.path().join("in")];
            Lab { root, folders }
        }

        fn open(&self, path: &str) -> Result<String, String> {
            let path = self.root.path().join(path);
            let mut file = open_within(&self.folders, &path).map_err(|error| error.to_string())?;
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            Ok(text)
        }
    }

    #[test]
    fn files_within_a_folder_are_opened() {
        let lab = Lab::new();
        assert_eq!(lab.open("in/a.csv").unwrap(), "in/a.csv");
        assert_eq!(lab.open("in/deep/b.csv").unwrap(), "in/deep/b.csv");
        assert_eq!(lab.open("in//./a.csv").unwrap(), "in/a.csv", "that is the same path");
        symlink(lab.root.path().join("in/deep"), lab.root.path().join("in/link")).unwrap();
        assert_eq!(lab.open("in/link/b.csv").unwrap(), "in/deep/b.csv", "a link that stays within");
        // A folder that is itself reached by a link.
        symlink(lab.root.path().join("in"), lab.root.path().join("door")).unwrap();
        let by_door = Lab { folders: vec![lab.root.path().join("door")], ..lab };
        assert_eq!(by_door.open("door/a.csv").unwrap(), "in/a.csv");
    }

    #[test]
    fn nothing_else_is() {
        let lab = Lab::new();
        let root = lab.root.path().to_owned();
        symlink(root.join("out/secret.csv"), root.join("in/file-link.csv")).unwrap();
        symlink(root.join("out"), root.join("in/folder-link")).unwrap();
        symlink("../../out/secret.csv", root.join("in/deep/relative.csv")).unwrap();
        symlink("loop.csv", root.join("in/loop.csv")).unwrap();
        std::process::Command::new("mkfifo").arg(root.join("in/pipe.csv")).status().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("in/socket.csv")).unwrap();
        for path in [
            "in/../out/secret.csv",
            "in/deep/../../out/secret.csv",
            "out/secret.csv",
            "in-not/c.csv",
            "in/file-link.csv",
            "in/folder-link/secret.csv",
            "in/deep/relative.csv",
            "in/loop.csv",
            "in/pipe.csv",
            "in/socket.csv",
            "in/deep",
            "in",
            "in/%2e%2e/out/secret.csv",
            "in/..%2fout/secret.csv",
            "in/a.csv/x",
            "in/a.csv\0",
            "in/missing.csv",
            "/etc/passwd",
            "/dev/zero",
            "/proc/self/environ",
            "",
        ] {
            assert_eq!(lab.open(path).map_err(|_| ()), Err(()), "{path}");
        }
        assert!(open_within(&lab.folders, Path::new("in/a.csv")).is_err(), "a path that is not whole");
        assert!(open_within(&[], &root.join("in/a.csv")).is_err(), "no folder is allowed");
    }

    #[test]
    fn a_link_that_is_put_there_between_look_and_opening_is_not_followed() {
        let lab = Lab::new();
        let (root, folder) = (lab.root.path(), lab.root.path().join("in"));
        std::fs::rename(root.join("in/deep"), root.join("in/aside")).unwrap();
        symlink(root.join("out"), root.join("in/deep")).unwrap();
        assert!(open_real(&folder, Path::new("deep/secret.csv")).is_err());
        std::fs::remove_file(root.join("in/a.csv")).unwrap();
        symlink(root.join("out/secret.csv"), root.join("in/a.csv")).unwrap();
        assert!(open_real(&folder, Path::new("a.csv")).is_err());
    }
}
