//! Asking a server of ours, on this machine, whether it can work: for what has no HTTP client of its own, such as a
//! container's health check.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::redirect;

use crate::health::Readiness;
use crate::{Error, Result};

/// Longer than a server that is not ready takes to say so.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Asks the server that listens on `address` whether it is ready; the error says what is not.
pub async fn ask_ready(address: SocketAddr) -> Result<()> {
    let address = reachable(address);
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .timeout(ANSWERS_WITHIN)
        .build()
        .map_err(Error::Client)?;
    let no_answer = |source| Error::NoAnswer { address, source };
    let answer = client.get(format!("http://{address}/readyz")).send().await.map_err(no_answer)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let told = answer.json::<Readiness>().await.ok().map(|readiness| readiness.lacking());
    Err(Error::NotReady { reason: told.unwrap_or_else(|| format!("it answered {status}")) })
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
