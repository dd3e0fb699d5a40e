use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use app::App;
use app::access::setup;
use app::workers::Workers;
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::commands::metrics;
use crate::output::Out;
use crate::session::{Exit, Session};
use crate::shutdown;

/// Serve the API, health and the payment webhook over HTTP, with workers in the same process
#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port [setting: web.listen, default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Leave the work to `ordermill work`
    #[arg(long)]
    no_workers: bool,
}

impl Serve {
    pub fn flags(&self) -> Vec<(&'static str, &'static str, String)> {
        self.listen.iter().map(|address| ("--listen", "web.listen", address.clone())).collect()
    }

    pub async fn run(self, session: &Session) -> Result<Exit> {
        let stop = shutdown::on_signal()?;
        allow_open_files();
        let app = session.open().await?;
        let listener = web::listen(app.config().web.listen).await?;
        let address = listener.local_addr().context("the listener has no address")?;
        session.out.line(format_args!("listening on http://{address}"))?;
        tell_first_admin(&app, session.out, address).await?;
        let metrics = match app.config().web.metrics_listen {
            Some(address) => Some(metrics::serve(session, &app, address, stop.clone()).await?),
            None => None,
        };
        let workers = if self.no_workers { None } else { Some(Workers::start(&app).await?) };
        if let Some(workers) = &workers {
            // Terminated from elsewhere, the process ends as a whole, so that whoever watches it starts it anew.
            let (stopping, stop) = (workers.stopping(), stop.clone());
            tokio::spawn(async move {
                stopping.cancelled().await;
                stop.cancel();
            });
        }
        web::serve(app, listener, stop.cancelled_owned()).await?;
        if let Some(metrics) = metrics {
            metrics.await.context("the listener for metrics failed")??;
        }
        if let Some(workers) = workers {
            let reason = workers.stop().await;
            tracing::info!(%reason, "the workers have stopped");
        }
        Ok(Exit::Done)
    }
}

/// Takes as many open files as the system allows this process: each connection is one, and what most systems begin with is
/// meant for programs that have few.
fn allow_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// Tells how the first person gets in, while there is nobody who could let others in.
pub async fn tell_first_admin(app: &App, out: Out, address: SocketAddr) -> Result<()> {
    let Some(link) = setup::issue(app).await? else { return Ok(()) };
    let public = app.config().web.public_url.trim_end_matches('/');
    let ours = if public.is_empty() { format!("http://{address}") } else { public.to_owned() };
    out.line(format_args!(
        "nobody can sign in yet. Make yourself the admin, once, within an hour: {ours}/setup/{link}"
    ))?;
    Ok(())
}
