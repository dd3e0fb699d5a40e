//! `ordermill serve` as a process of its own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::place::Home;

const GIVE_UP: Duration = Duration::from_secs(10);

/// A server that is ready; it ends when this is dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

/// The binary beside the bench. None, which is told, where it is not built.
pub fn binary(left_out: &str) -> anyhow::Result<Option<PathBuf>> {
    let binary = std::env::current_exe()?.with_file_name("ordermill");
    if binary.exists() {
        return Ok(Some(binary));
    }
    eprintln!("{left_out} is left out: {} is not there; build it with --release first", binary.display());
    Ok(None)
}

impl Server {
    /// Starts it on a database that is there, and waits until it is ready.
    pub fn start(binary: &Path, home: &Home, flags: &[&str]) -> anyhow::Result<Self> {
        // A port that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let began = Instant::now();
        let child = Command::new(binary)
            .args(["serve", "--quiet", "--listen", &address.to_string(), "--database", home.database()])
            .args(flags)
            .env("ORDERMILL_REDIS_URL", home.redis().unwrap_or_default())
            .stdout(Stdio::null())
            .spawn()?;
        let server = Server { child, address };
        while !serves(address) {
            ensure!(began.elapsed() < GIVE_UP, "the server did not answer within {GIVE_UP:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(server)
    }
}

fn serves(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to lose; that it has ended already is no error either.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
