//! A real object store on this machine.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::installed::installed;
use crate::port::Port;

/// The id of the key that it knows.
pub const KEY_ID: &str = "key-id";
/// The key that it knows.
pub const SECRET: &str = "key-secret";
/// Its bucket.
pub const BUCKET: &str = "exports";

/// An object store with a port and a bucket of its own; it stops when this is dropped, and forgets its objects.
///
/// Objects whose keys hold `breaks`, `stalls`, `busy` or `changes` are special, see `servers/s3.py`.
pub struct ObjectStore {
    folder: TempDir,
    port: Port,
    process: Option<Child>,
}

impl ObjectStore {
    /// One that runs.
    pub fn start() -> Self {
        let mut store = Self::stopped();
        store.run();
        store
    }

    /// One that has a port, but does not listen yet.
    pub fn stopped() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        ObjectStore { folder, port: Port::reserve(), process: None }
    }

    /// Starts it, or starts it again, with an empty bucket.
    pub fn run(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers/s3.py");
        let mut process = Command::new(installed("moto"))
            .arg(script)
            .arg(self.folder.path())
            .arg(self.port.number().to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python runs the object store");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output is a pipe");
        BufReader::new(output).read_line(&mut line).expect("the object store tells its port");
        assert_eq!(line.trim(), self.port.number().to_string(), "the object store listens where it should");
        self.process = Some(process);
        self.send(&format!("/{BUCKET}"), b"");
    }

    /// Stops it at once, whatever it was doing.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("the object store is killed");
            process.wait().expect("the object store has ended");
        }
    }

    /// Where it is.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.port)
    }

    /// Puts an object into the bucket.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        self.send(&format!("/{BUCKET}/{key}"), bytes);
    }

    /// What was read of an object so far: the range that was asked for, or `-`, and the status of the answer.
    pub fn reads(&self, key: &str) -> Vec<(String, u16)> {
        let log = std::fs::read_to_string(self.folder.path().join("requests")).unwrap_or_default();
        let path = format!("/{BUCKET}/{key}");
        let words = log.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let of_it = words.filter(|words| words[0] == "GET" && words[1] == path);
        of_it.map(|words| (words[2].to_owned(), words[3].parse().expect("a status"))).collect()
    }

    fn send(&self, path: &str, bytes: &[u8]) {
        let mut stream = TcpStream::connect(self.port.to_string()).expect("the object store listens");
        let head = format!(
            "PUT {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/octet-stream\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            self.port,
            bytes.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(bytes)).expect("it takes an object");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the object store answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        self.stop();
    }
}
