use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `scripts/get-PACKAGE` prints, once it has installed the package for the first test that needs it.
pub(crate) fn installed(package: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let servers = root.join("target/test-servers");
    std::fs::create_dir_all(&servers).expect("a folder for test servers");
    // Tests run in processes of their own, side by side.
    let lock = File::create(servers.join(format!("{package}.lock"))).expect("a lock file");
    lock.lock().expect("the lock on the installation");
    let script = root.join(format!("scripts/get-{package}"));
    let installed = Command::new(script).arg(servers.join(package)).output().expect("the script runs");
    let said = String::from_utf8_lossy(&installed.stderr).into_owned();
    assert!(installed.status.success(), "scripts/get-{package} failed: {said}");
    PathBuf::from(String::from_utf8_lossy(&installed.stdout).trim())
}
