use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use app::SystemClock;
use app::config::DatabaseSettings;
use clap::Args;
use web::gateway::GatewayServer;

use crate::session::{Exit, Session};
use crate::shutdown;

/// Run the payment simulator as a server of its own
///
/// It behaves as `[gateway]` says, and calls back at `[gateway] callback_url`. Charge it by setting `[gateway] mode =
/// "http"` and `url` where the orders are.
#[derive(Debug, Args)]
pub struct Gateway {
    /// Address and port [default: those of the setting gateway.url]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where it keeps its charges [default: gateway.db, beside the database; in this folder where that is a server's]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Gateway {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let config = &session.settings.config;
        let address = match self.listen {
            Some(address) => address,
            None => address_of(&config.gateway.url).await?,
        };
        let file = self.file.unwrap_or_else(|| beside(&config.database.url));
        let database = DatabaseSettings { url: file.display().to_string(), ..config.database.clone() };
        let settings = GatewayServer { database, gateway: config.gateway.clone() };
        let stop = shutdown::on_signal()?;
        let listener = web::listen(address).await?;
        let address = listener.local_addr().context("the listener has no address")?;
        session.out.line(format_args!("listening on http://{address}"))?;
        web::gateway::run(settings, listener, Arc::new(SystemClock), stop.cancelled_owned()).await?;
        Ok(Exit::Done)
    }
}

/// Where a server must listen to be found at `url`.
async fn address_of(url: &str) -> Result<SocketAddr> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let found = tokio::net::lookup_host(authority).await.ok().and_then(|mut found| found.next());
    match found {
        Some(address) => Ok(address),
        None => {
            bail!("`{url}` names no address and port to listen on; name one with --listen 127.0.0.1:8100")
        }
    }
}

fn beside(database: &str) -> PathBuf {
    if database.contains("://") && !database.starts_with("sqlite:") {
        return PathBuf::from("gateway.db");
    }
    let path = database.strip_prefix("sqlite:").unwrap_or(database);
    Path::new(path).with_file_name("gateway.db")
}
