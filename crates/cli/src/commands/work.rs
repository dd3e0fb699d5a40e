use std::net::SocketAddr;

use anyhow::{Result, bail};
use app::jobs::QUEUES;
use app::workers::Workers;
use clap::Args;
use queue::PoolSettings;
use tokio_util::sync::CancellationToken;

use crate::commands::metrics;
use crate::session::{Exit, Session};
use crate::shutdown;

/// Run the workers alone
///
/// SIGINT and SIGTERM stop them once they have finished what they run; `ordermill queue terminate` does so from
/// elsewhere.
#[derive(Debug, Args)]
pub struct Work {
    /// End when nothing is left to do for anybody, in any queue: no import unfinished, no job to run, no payment undecided
    #[arg(long)]
    until_idle: bool,
    /// Only these queues [default: all]
    #[arg(long, value_delimiter = ',', value_name = "QUEUE,…")]
    queues: Vec<String>,
    /// Tell Prometheus what this process counts, at `/metrics` of this address
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_listen: Option<SocketAddr>,
}

impl Work {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let mut config = session.settings.config.clone();
        if !self.queues.is_empty() {
            config.queue.supervisor.pools = pools(&config.queue.supervisor.pools, &self.queues)?;
        }
        let stop = shutdown::on_signal()?;
        let app = session.open_with(config).await?;
        let metrics = match self.metrics_listen {
            Some(address) => Some(metrics::serve(session, &app, address, CancellationToken::new()).await?),
            None => None,
        };
        let workers = Workers::start(&app).await?;
        let stopping = workers.stopping();
        tokio::spawn(async move {
            stop.cancelled().await;
            stopping.cancel();
        });
        let reason = if self.until_idle { workers.run_until_idle().await? } else { workers.wait().await };
        if let Some(metrics) = metrics {
            metrics.abort();
        }
        tracing::info!(%reason, "the workers have stopped");
        Ok(Exit::Done)
    }
}

/// The pools of the queues that were named: as configured, else one that suits most.
fn pools(configured: &[PoolSettings], wanted: &[String]) -> Result<Vec<PoolSettings>> {
    let pool = |queue: &String| {
        let known = configured.iter().find(|pool| pool.queue == *queue).cloned();
        if known.is_none() && !QUEUES.contains(&queue.as_str()) {
            bail!("there is no queue `{queue}`; the queues are {}", QUEUES.join(", "));
        }
        Ok(known.unwrap_or_else(|| PoolSettings::new(queue)))
    };
    wanted.iter().map(pool).collect()
}
