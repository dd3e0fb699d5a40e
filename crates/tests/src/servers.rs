//! Servers of a test's own, which it may kill: what `scripts/servers` starts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mysql::Conn;
use mysql::prelude::Queryable as _;
use redis::RedisResult;
use tempfile::TempDir;

use crate::mysql::connect;

/// For how long a server is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// Private servers; they end when this is dropped.
pub struct Servers {
    folder: TempDir,
    said: String,
}

impl Servers {
    /// Starts servers of these engines, as `scripts/servers` names them, and waits until they answer.
    pub fn start(engines: &[&str]) -> Self {
        Self::made("start", engines)
    }

    /// The same, with full durability: what they say is kept is on the disk.
    pub fn start_durable(engines: &[&str]) -> Self {
        Self::made("durable", engines)
    }

    fn made(verb: &str, engines: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut servers = Servers { folder, said: String::new() };
        servers.said = servers.ask(verb, engines);
        servers
    }

    /// The address of an engine's servers, such as `redis-cluster`.
    pub fn url(&self, engine: &str) -> &str {
        let before = format!("export {}_URL=", engine.replace('-', "_").to_uppercase());
        let found = self.said.lines().find_map(|line| line.strip_prefix(&before));
        found.unwrap_or_else(|| panic!("{engine} was not started: {}", self.said))
    }

    /// `kill -9` for one server, such as `redis-cluster-1`.
    pub fn kill(&self, server: &str) {
        self.ask("kill", &[server]);
    }

    /// Starts a killed server again on the data that it left.
    pub fn again(&self, server: &str) {
        self.ask("again", &[server]);
    }

    /// Runs a command, such as `CLIENT KILL TYPE normal`, on `redis`.
    pub fn tell_redis(&self, command: &str) {
        let mut words = command.split(' ');
        let mut told = redis::cmd(words.next().unwrap_or_default());
        let told = words.fold(&mut told, |told, word| told.arg(word));
        let client = redis::Client::open(self.url("redis")).expect("the address of Redis");
        let mut connection = client.get_connection().expect("a connection to Redis");
        told.exec(&mut connection).unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// Cuts all connections to `mariadb`; says how many there were.
    pub fn cut_off_mariadb(&self) -> usize {
        let mut connection = self.mariadb();
        let others =
            "SELECT id FROM information_schema.processlist WHERE user = 'root' AND id <> CONNECTION_ID()";
        let others: Vec<u64> = connection.query(others).expect("the connections to MariaDB");
        // One that has ended by itself cannot be cut.
        others.iter().filter(|id| connection.query_drop(format!("KILL {id}")).is_ok()).count()
    }

    fn mariadb(&self) -> Conn {
        connect(self.url("mariadb")).expect("a connection to MariaDB")
    }

    /// The server of `mysql-group` that takes writes.
    pub fn primary_of_group(&self) -> String {
        let is_primary =
            |name: &String| connect(&format!("mysql://root@127.0.0.1:{}", self.port(name))).is_ok();
        Self::one_of("mysql-group", 3, is_primary)
    }

    /// The server of `redis-cluster` that takes what is written under a key.
    pub fn primary_of_key(&self, key: &str) -> String {
        // Whoever does not hold a key says where it is.
        let holds = |name: &String| -> RedisResult<bool> {
            let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port(name)))?;
            let mut connection = client.get_connection_with_timeout(Duration::from_secs(2))?;
            redis::cmd("EXISTS").arg(key).query::<bool>(&mut connection)
        };
        Self::one_of("redis-cluster", 6, |name| holds(name).is_ok())
    }

    fn one_of(engine: &str, count: u8, is_it: impl Fn(&String) -> bool) -> String {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(found) = (1..=count).map(|n| format!("{engine}-{n}")).find(&is_it) {
                return found;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("none of the servers of {engine} takes writes");
    }

    /// The id of a server's process.
    pub fn process(&self, server: &str) -> u32 {
        self.number(server, "pid")
    }

    fn port(&self, server: &str) -> u32 {
        self.number(server, "port")
    }

    fn number(&self, server: &str, file: &str) -> u32 {
        let path = self.folder().join(server).join(file);
        let text = std::fs::read_to_string(&path).expect("a server's port and process are in its folder");
        text.trim().parse().expect("a number")
    }

    fn folder(&self) -> PathBuf {
        self.folder.path().join("servers")
    }

    fn ask(&self, verb: &str, names: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/servers");
        let ran = Command::new(script).arg(verb).arg(self.folder()).args(names).output();
        let ran = ran.expect("scripts/servers runs");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "scripts/servers {verb} {names:?} failed: {said}");
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.ask("stop", &[]);
    }
}
