//! A real browser on this machine, driven by scripts that Node runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::installed::installed;

/// Names another browser than the machine's `chromium`.
const CHROMIUM: &str = "CHROMIUM";

/// Node with a script, which is told by its environment where the browser is (`CHROMIUM`), and where the modules that
/// drive it are (`PLAYWRIGHT`).
pub fn script(path: &Path) -> Command {
    let node = on_the_path("node");
    let chromium = std::env::var_os(CHROMIUM).map_or_else(|| on_the_path("chromium"), PathBuf::from);
    let mut command = Command::new(node);
    command.arg(path).env(CHROMIUM, chromium).env("PLAYWRIGHT", installed("playwright"));
    command
}

/// A program of the machine.
fn on_the_path(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "there is no `{program}` on this machine, which tests of the dashboard need: run them by scripts/test, or \
             install what need_browser in scripts/requirements does"
        )
    })
}
