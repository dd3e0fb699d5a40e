use anyhow::{Result, bail};
use clap::Args;

use crate::session::{Exit, Session};

/// Tell whether the server on this machine is ready, for health checks of containers and supervisors
///
/// It asks `/readyz` at the address of the setting web.listen. The exit code is 1 where something is not ready; what, is
/// told.
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// Whether workers of this machine report, rather than the server
    #[arg(long)]
    workers: bool,
}

impl Healthcheck {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        if self.workers {
            let app = session.open().await?;
            let host = queue::host();
            let heard_of = app.queue().supervisors().await?;
            if !heard_of.iter().any(|one| one.host == host) {
                bail!("no workers on {host} have reported of late; start `ordermill work`");
            }
        } else {
            web::ask_ready(session.settings.config.web.listen).await?;
        }
        if session.out.is_json() {
            session.out.json(&serde_json::json!({"status": "ready"}))?;
        } else {
            session.out.line("ready")?;
        }
        Ok(Exit::Done)
    }
}
