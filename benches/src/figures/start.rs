//! From the start of `ordermill serve` to its first answer, on a database that is there.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::Size;
use crate::place::{Home, Place};
use crate::report::{Figure, Goal};
use crate::shop::{OrderFile, Shop};

const GIVE_UP: Duration = Duration::from_secs(10);

/// Nothing where the binary is not built beside the bench.
pub async fn measure(size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
    let binary = std::env::current_exe()?.with_file_name("ordermill");
    if !binary.exists() {
        eprintln!("start is left out: {} is not there; build it with --release first", binary.display());
        return Ok(Vec::new());
    }
    let shop = Shop::open(place.empty()?).await?;
    shop.process(&OrderFile::of_two_lines(size.orders)?.path).await?;
    let home = shop.close();
    let mut times = Vec::new();
    for _ in 0..size.runs {
        times.push(start(&binary, &home)?);
    }
    Ok(vec![Figure::alone("start to serving", "s", &times).goal(Goal::AtMost(0.3))])
}

fn start(binary: &Path, home: &Home) -> anyhow::Result<f64> {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let began = Instant::now();
    let server = Command::new(binary)
        .args(["serve", "--quiet", "--listen", &address.to_string(), "--database", home.database()])
        .env("ORDERMILL_REDIS_URL", home.redis().unwrap_or_default())
        .stdout(Stdio::null())
        .spawn()?;
    let _server = Stopped(server);
    while !serves(address) {
        ensure!(began.elapsed() < GIVE_UP, "the server did not answer within {GIVE_UP:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(began.elapsed().as_secs_f64())
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

struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        // It has nothing to lose; that it has ended already is no error either.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
