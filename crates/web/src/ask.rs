//! Asking a server of ours, on this machine, whether it can work: for what has no HTTP client of its own, such as a
//! container's health check.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::health::Readiness;
use crate::{Error, Result};

/// Longer than a server that is not ready takes to say so.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// More than it has to say.
const LIMIT: usize = 64 * 1024;

/// Asks the server that listens on `address` whether it is ready; the error says what is not.
pub async fn ask_ready(address: SocketAddr) -> Result<()> {
    let address = reachable(address);
    let no_answer = |source: BoxError| Error::NoAnswer { address, source };
    let answer = tokio::time::timeout(ANSWERS_WITHIN, get(address, "/readyz")).await;
    let (status, body) = answer.map_err(|late| no_answer(late.into()))?.map_err(no_answer)?;
    if status.is_success() {
        return Ok(());
    }
    let told = serde_json::from_slice::<Readiness>(&body).map(|readiness| readiness.lacking());
    Err(Error::NotReady { reason: told.unwrap_or_else(|_| format!("it answered {status}")) })
}

/// Over a bare connection: a client for any address would want the certificates of authorities, which an image may lack.
async fn get(address: SocketAddr, path: &str) -> Result<(StatusCode, Bytes), BoxError> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path).header(header::HOST, address.to_string()).body(Body::empty())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let body = to_bytes(Body::new(answer.into_body()), LIMIT).await?;
    connection.abort();
    Ok((status, body))
}

/// A server that listens on all addresses is reached on the loopback interface.
fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen {
        SocketAddr::V4(at) if at.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, at.port()).into(),
        SocketAddr::V6(at) if at.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, at.port()).into(),
        at => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_asked_on_the_loopback_interface() {
        let asked = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:8000"), "127.0.0.1:8000");
        assert_eq!(asked("[::]:8000"), "[::1]:8000");
        assert_eq!(asked("10.0.0.7:80"), "10.0.0.7:80");
    }
}
