use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use testkit::Port;

/// A Redis that belongs to one test, and keeps nothing when it ends.
pub struct Server {
    process: Option<Child>,
    port: Port,
    folder: TempDir,
}

/// Names the program, where it is not `redis-server`.
const PROGRAM: &str = "ORDERMILL_REDIS_SERVER";

impl Server {
    pub fn start() -> Self {
        let (port, folder) = (Port::reserve(), tempfile::tempdir().unwrap());
        let mut server = Server { process: None, port, folder };
        server.run();
        server
    }

    /// Starts it, empty.
    pub fn run(&mut self) {
        let program = std::env::var(PROGRAM).unwrap_or_else(|_| "redis-server".to_owned());
        let process = Command::new(&program)
            .args([
                "--port",
                &self.port.number().to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .arg("--dir")
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .spawn();
        self.process = Some(process.unwrap_or_else(|error| panic!("{program} cannot be started: {error}")));
        while self.try_command(&["PING"]).is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.port)
    }

    /// Runs a command on a connection of its own; returns the answer as it came.
    pub fn command(&self, words: &[&str]) -> String {
        self.try_command(words).expect("the server answers")
    }

    fn try_command(&self, words: &[&str]) -> Option<String> {
        let mut stream = TcpStream::connect(self.port.to_string()).ok()?;
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            write!(text, "${}\r\n{word}\r\n", word.len()).unwrap();
        }
        stream.write_all(text.as_bytes()).ok()?;
        stream.write_all(b"*1\r\n$4\r\nQUIT\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        (!answer.is_empty() && !answer.starts_with("-LOADING")).then_some(answer)
    }

    /// How often it has run commands so far, those of scripts included; the asking apart.
    pub fn commands_run(&self) -> u64 {
        let counts = self.command(&["INFO", "commandstats"]);
        let calls = |line: &str| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let asking =
                ["info", "quit", "ping", "xread", "client|"].iter().any(|word| name.starts_with(word));
            rest.split(',').next()?.parse::<u64>().ok().filter(|_| !asking)
        };
        counts.lines().filter_map(calls).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
