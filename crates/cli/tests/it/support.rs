//! A shop of its own for each test: the real program in a throw-away folder, its processes, and the signals they get.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use testkit::{Look, Space};

/// For how long anything is waited for. Nothing should take so long; a test that waits in vain fails here.
const PATIENCE: Duration = Duration::from_mins(4);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A throw-away place with settings, in which the program runs.
pub struct Shop {
    space: Space,
    settings: Vec<(String, String)>,
}

/// What a command that has ended said.
#[derive(Debug)]
pub struct Ran {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// A process that runs; it is killed when this is dropped.
pub struct Process {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Shop {
    /// An empty one on whatever engines this run of the tests uses, whose simulated gateway declines nothing.
    pub fn new() -> Self {
        Self::on(Space::new())
    }

    /// The same over a file, `shop.db`, for what only files have.
    pub fn on_file() -> Self {
        Self::on(Space::on(false, false))
    }

    /// The same in this place.
    pub fn on(space: Space) -> Self {
        let database = if space.is_mysql() { space.database_url().to_owned() } else { "shop.db".to_owned() };
        let redis = space.redis_url().map(|url| (url.to_owned(), space.redis_prefix().to_owned()));
        let shop = Shop { space, settings: Vec::new() };
        let shop = shop.set("database.url", database).set("gateway.decline_rate", "0");
        match redis {
            Some((url, prefix)) => shop.set("redis.url", url).set("redis.prefix", prefix),
            None => shop,
        }
    }

    /// The same with a setting, such as `queue.lease`, given by its environment variable.
    pub fn set(mut self, setting: &str, value: impl ToString) -> Self {
        let variable = format!("ORDERMILL_{}", setting.replace('.', "_").to_uppercase());
        self.settings.retain(|(name, _)| *name != variable);
        self.settings.push((variable, value.to_string()));
        self
    }

    /// A file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.space.folder().join(name)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.space.folder()
    }

    /// Whether its ledger is on a server, not in a file.
    pub fn is_on_server(&self) -> bool {
        self.space.is_mysql()
    }

    /// The address of the database: a path, or `mysql://…`.
    pub fn database_url(&self) -> &str {
        self.space.database_url()
    }

    /// Another program, ready to run here, with what it starts as the program would be.
    pub fn other(&self, program: impl AsRef<OsStr>) -> Command {
        self.prepared(Command::new(program))
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file in the temporary folder");
        path
    }

    /// The program with these arguments, ready to run here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ordermill"));
        command.args(arguments);
        self.prepared(command)
    }

    /// A command of the shell that ends in the program with these arguments, such as `ulimit -f 100; exec "$@"`.
    pub fn shell(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", script, "bash", env!("CARGO_BIN_EXE_ordermill")]).args(arguments);
        self.prepared(command)
    }

    /// A command as the program would be run here.
    pub fn prepared(&self, mut command: Command) -> Command {
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            let read = ["DATABASE_URL", "REDIS_URL"].contains(&&*name_text);
            if read || ["ORDERMILL_", "OTEL_"].iter().any(|ours| name_text.starts_with(ours)) {
                command.env_remove(name);
            }
        }
        command.current_dir(self.space.folder()).stdin(Stdio::null()).envs(self.settings.iter().cloned());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.command(arguments))
    }

    /// Runs the program, which must succeed.
    pub fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code(), Some(0), "`ordermill {}` failed:\n{ran}", arguments.join(" "));
        ran
    }

    /// What the program, which must succeed, says with `--json`.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.done(&[arguments, &["--json"]].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error} in: {ran}"))
    }

    /// Starts the program and leaves it running.
    pub fn start(&self, arguments: &[&str]) -> Process {
        Process::start(self.command(arguments), self.space.folder())
    }

    /// The database, to be read past the program. It may not be there yet, nor have its tables.
    pub fn ledger(&self) -> Look {
        self.space.look()
    }

    /// One number out of the database; 0 where its tables are not there yet.
    pub fn count(&self, sql: &str) -> i64 {
        self.ledger().count(sql)
    }

    /// How many jobs workers are at, of one kind or of all, as the program tells.
    pub fn executing(&self, kind: Option<&str>) -> usize {
        let of_kind = kind.map_or(Vec::new(), |kind| vec!["--kind", kind]);
        let listed = self.json(
            &[&["queue", "list", "--state", "executing", "--limit", "500"], of_kind.as_slice()].concat(),
        );
        listed["jobs"].as_array().map_or(0, Vec::len)
    }

    /// Whether nothing was ever kept here.
    pub fn is_untouched(&self) -> bool {
        let has_no_ledger = if self.space.is_mysql() {
            self.ledger().tables().is_empty()
        } else {
            !self.path("shop.db").exists()
        };
        has_no_ledger && self.space.redis_keys().is_empty()
    }

    /// How many rows each table of the ledger has, and a checksum over each of its columns. What changes with time
    /// alone is left out.
    pub fn contents(&self) -> Vec<String> {
        let mut ledger = self.ledger();
        let passing = ["job_metrics", "job_supervisors", "id_sequences", "order_feed", "order_feed_counter"];
        let tables = ledger.tables().into_iter().filter(|table| !passing.contains(&table.as_str()));
        tables.collect::<Vec<_>>().iter().map(|table| ledger.checksum(table)).collect()
    }

    /// Nothing is half done, though not all is done: `verify` finds nothing wrong, and an import has not ended.
    pub fn assert_clean_but_unfinished(&self) {
        assert_eq!(
            self.count("SELECT COUNT(*) FROM imports WHERE finished_at IS NULL"),
            1,
            "one import goes on"
        );
        self.assert_clean();
    }

    /// `ordermill verify` finds nothing wrong.
    pub fn assert_clean(&self) {
        let ran = self.run(&["verify"]);
        assert_eq!(ran.code(), Some(0), "verify found something wrong:\n{ran}");
    }
}

impl Ran {
    /// The exit code; none where a signal ended the process.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Both streams.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\nstdout: {}\nstderr: {}", self.status, self.stdout, self.stderr)
    }
}

impl Process {
    /// Starts a command whose streams go to files in `folder`.
    pub fn start(mut command: Command, folder: &Path) -> Self {
        let stream =
            || tempfile::Builder::new().prefix("stream-").tempfile_in(folder).expect("a file for a stream");
        let (stdout, stderr) = (stream().keep().expect("a file"), stream().keep().expect("a file"));
        let child = command.stdout(stdout.0).stderr(stderr.0).spawn().expect("the program starts");
        Process { child, stdout: stdout.1, stderr: stderr.1 }
    }

    /// What it has said so far.
    pub fn stdout(&self) -> String {
        read(&self.stdout)
    }

    /// What it has logged so far.
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_none()
    }

    /// `kill -9`. Says whether it was still running.
    pub fn kill(mut self) -> bool {
        self.kill_in_place()
    }

    /// `kill -9`, whoever owns it.
    pub fn kill_in_place(&mut self) -> bool {
        let was_running = self.is_running();
        self.child.kill().expect("a child of ours can be killed");
        self.child.wait().expect("a killed child ends");
        was_running
    }

    /// The most memory that it has had so far, in MiB.
    pub fn peak_mib(&self) -> u64 {
        self.memory("VmHWM:") >> 10
    }

    /// The memory that it has now, in KiB.
    pub fn resident_kib(&self) -> u64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let told = status.lines().find_map(|line| line.strip_prefix(name)).expect("its memory is told");
        told.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a child of ours can be signalled");
    }

    /// SIGTERM, then waits for it to end.
    pub fn terminate(self) -> Ran {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits for it to end.
    pub fn wait(mut self) -> Ran {
        wait_until("a process ends", || !self.is_running());
        let status = self.child.wait().expect("it has ended");
        Ran { status, stdout: self.stdout(), stderr: self.stderr() }
    }

    /// The address of a server, once it listens.
    pub fn address(&mut self) -> String {
        wait_until("a server listens", || {
            assert!(self.is_running(), "the server ended: {}", self.stderr());
            self.stdout().contains("http://")
        });
        let text = self.stdout();
        let (_, address) = text.split_once("http://").expect("it was just there");
        address.split_whitespace().next().unwrap_or_default().to_owned()
    }

    /// The path of the link that a server prints where nobody is known.
    pub fn setup_link(&mut self) -> String {
        let address = self.address();
        wait_until("the link is printed", || self.stdout().contains("/setup/"));
        let told = self.stdout();
        let (_, link) = told.split_once(&format!("http://{address}/setup/")).expect("it names the address");
        format!("/setup/{}", link.trim())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end, which must come.
pub fn finish(command: Command) -> Ran {
    let streams = tempfile::tempdir().expect("a temporary folder");
    Process::start(command, streams.path()).wait()
}

/// Waits until something is so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(LOOK_EVERY);
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).expect("a stream's file");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Creates a file for something to be written into.
pub fn create(path: &Path) -> File {
    File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
