//! Load over the loopback interface: connections that stay open, each of which asks again as soon as it is answered.
//!
//! The client does next to nothing: it shares the processors with the server, and what it costs would hide what the server
//! costs.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

/// How many ask at once.
pub const CONNECTIONS: usize = 16;
/// The longest head of an answer that is looked through.
const HEAD: usize = 8 * 1024;

/// What is asked for: the bytes of each request, by its number; none at the end.
pub type Requests<'r> = &'r (dyn Fn(usize) -> Option<Vec<u8>> + Sync);

/// What came of it.
pub struct Answered {
    pub per_second: f64,
    /// Half of the answers took so many milliseconds, or less.
    pub p50: f64,
    pub p99: f64,
}

/// An answer, whole.
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub body: Vec<u8>,
}

/// Asks for so long, over so many connections at once. Every answer must have this status. Requests are numbered on from `next`.
pub fn ask_for(
    time: Duration,
    connections: usize,
    server: SocketAddr,
    status: u16,
    next: &AtomicUsize,
    requests: Requests<'_>,
) -> anyhow::Result<Answered> {
    let began = Instant::now();
    let end = began + time;
    let asked = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| ask_until(end, server, status, next, requests)))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a client does not panic")).collect::<Vec<_>>()
    });
    let took = began.elapsed().as_secs_f64();
    let mut times = Vec::new();
    for asked in asked {
        times.extend(asked?);
    }
    ensure!(!times.is_empty(), "no request was answered");
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times[(times.len() as f64 * share) as usize];
    Ok(Answered { per_second: times.len() as f64 / took, p50: at(0.5), p99: at(0.99) })
}

fn ask_until(
    end: Instant,
    server: SocketAddr,
    status: u16,
    next: &AtomicUsize,
    requests: Requests<'_>,
) -> anyhow::Result<Vec<f64>> {
    let mut connection = connect(server)?;
    let mut times = Vec::new();
    while Instant::now() < end {
        let Some(request) = requests(next.fetch_add(1, Ordering::Relaxed)) else { break };
        let began = Instant::now();
        connection.write_all(&request)?;
        let answer = read(&mut connection)?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        let said = || String::from_utf8_lossy(&answer.body).into_owned();
        ensure!(answer.status == status, "{status} was expected, not {}: {}", answer.status, said());
    }
    Ok(times)
}

/// Asks once.
pub fn ask(server: SocketAddr, request: &[u8]) -> anyhow::Result<Answer> {
    let mut connection = connect(server)?;
    connection.write_all(request)?;
    read(&mut connection)
}

fn connect(server: SocketAddr) -> anyhow::Result<TcpStream> {
    let connection = TcpStream::connect(server)?;
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(Duration::from_mins(1)))?;
    Ok(connection)
}

fn read(connection: &mut TcpStream) -> anyhow::Result<Answer> {
    let mut bytes = vec![0; HEAD];
    let mut filled = 0;
    let end = loop {
        let count = connection.read(&mut bytes[filled..])?;
        ensure!(count > 0, "the connection ended before an answer");
        filled += count;
        if let Some(end) = bytes[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        ensure!(filled < HEAD, "the head of an answer is too long");
    };
    let head = std::str::from_utf8(&bytes[..end])?;
    let status = head.get(9..12).and_then(|status| status.parse().ok()).context("an answer has a status")?;
    let field = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = fields.find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        Some(value.trim().to_owned())
    };
    let length: usize = field("content-length").context("an answer has a length")?.parse()?;
    let content_type = field("content-type").unwrap_or_default();
    let mut body = bytes[end + 4..filled].to_vec();
    let come = body.len();
    body.resize(length, 0);
    connection.read_exact(&mut body[come..])?;
    Ok(Answer { status, content_type, body })
}
