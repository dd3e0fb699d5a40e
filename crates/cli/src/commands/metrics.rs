//! A listener of its own for what Prometheus asks.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use app::App;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::session::Session;

/// Answers `/metrics` at `address`, to everybody who can reach it, until `stop` is cancelled.
pub async fn serve(
    session: &Session,
    app: &App,
    address: SocketAddr,
    stop: CancellationToken,
) -> Result<JoinHandle<web::Result<()>>> {
    let listener = web::listen(address).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    session.out.line(format_args!("metrics at http://{address}/metrics"))?;
    Ok(tokio::spawn(web::serve_metrics(app.clone(), listener, stop.cancelled_owned())))
}
