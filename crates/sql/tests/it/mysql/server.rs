use std::process::{Command, Stdio};

use ::mysql::prelude::Queryable as _;

use super::somebody;

/// A MariaDB that belongs to one test.
pub struct Server {
    folder: tempfile::TempDir,
    url: String,
}

impl Server {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let said = servers(&["start", folder.path().to_str().unwrap(), "mariadb"]);
        let url = said.trim().rsplit_once('=').unwrap().1.to_owned();
        Server { folder, url }
    }

    /// Its address, without a database.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Its host and port.
    pub fn place(&self) -> &str {
        self.url.rsplit_once('@').unwrap().1
    }

    pub fn run(&self, text: &str) {
        somebody(&self.url).query_drop(text).unwrap();
    }

    /// Kills it as a power cut would.
    pub fn kill(&self) {
        self.tell("kill");
    }

    /// Starts it again on what it has kept.
    pub fn again(&self) {
        self.tell("again");
    }

    fn tell(&self, verb: &str) {
        servers(&[verb, self.folder.path().to_str().unwrap(), "mariadb"]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        servers(&["stop", self.folder.path().to_str().unwrap()]);
    }
}

fn servers(words: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/servers");
    let done = Command::new(script).args(words).stderr(Stdio::inherit()).output().unwrap();
    assert!(done.status.success(), "scripts/servers {}", words.join(" "));
    String::from_utf8(done.stdout).unwrap()
}
