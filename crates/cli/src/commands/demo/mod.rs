mod steps;
mod trickle;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use app::App;
use app::config::Config;
use app::workers::Workers;
use clap::Args;
use tempfile::TempDir;

use crate::commands::serve::tell_first_admin;
use crate::session::{Exit, Session};
use crate::shutdown;
use steps::Tour;

/// See all of it at work: an import, the workflow, refunds, figures, and the proof that everything agrees
///
/// In a throw-away folder, or in one that you name and keep. Then serves, so that you can look around.
#[derive(Debug, Args)]
pub struct Demo {
    /// Keep everything in this folder [default: a throw-away one]
    folder: Option<PathBuf>,
    /// End instead of serving
    #[arg(long)]
    exit: bool,
    /// So many orders
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(20..=1_000_000))]
    orders: u64,
}

impl Demo {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let stop = shutdown::on_signal()?;
        let temporary = match self.folder {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("ordermill-demo-").tempdir()?),
        };
        let folder =
            self.folder.as_deref().or(temporary.as_ref().map(TempDir::path)).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let app = session.open_with(settings(session, folder)).await?;
        let workers = Workers::start(&app).await?;
        let tour = Tour { app: &app, session, folder, stop: &stop };
        let toured = tour.run(self.orders).await;
        let is_kept = temporary.is_none();
        if matches!(toured, Ok(Exit::Done)) && !self.exit && !session.out.is_json() {
            tour.say_what_to_try(true).await?;
            serve(session, &app, stop.clone()).await?;
        } else if !stop.is_cancelled() && is_kept {
            tour.say_what_to_try(false).await?;
        } else if !stop.is_cancelled() {
            tour.say_how_to_keep()?;
        }
        workers.stop().await;
        let database = app.database().clone();
        drop(app);
        tokio::task::spawn_blocking(move || database.close())
            .await
            .context("the database cannot be closed")?;
        toured
    }
}

/// The settings in force, but for the folder, and with payments that fail now and then.
fn settings(session: &Session, folder: &Path) -> Config {
    let mut config = session.apart(folder);
    config.gateway.decline_rate = 0.04;
    config
}

async fn serve(session: &Session, app: &App, stop: tokio_util::sync::CancellationToken) -> Result<()> {
    let wanted = app.config().web.listen;
    let listener = match web::listen(wanted).await {
        Ok(listener) => listener,
        // Something else listens there; any other port does for a demo.
        Err(_) => web::listen((wanted.ip(), 0).into()).await?,
    };
    let address = listener.local_addr().context("the listener has no address")?;
    let out = session.out;
    out.line(format_args!(
        "\nserving the dashboard on {} until you press Ctrl-C; an order comes every two seconds, so that it moves",
        out.bold(format_args!("http://{address}"))
    ))?;
    tell_first_admin(app, out, address).await?;
    let served = web::serve(app.clone(), listener, stop.cancelled_owned());
    tokio::pin!(served);
    tokio::select! {
        served = &mut served => return Ok(served?),
        Err(error) = trickle::trickle(app) => {
            tracing::warn!(error = format!("{error:#}"), "no more orders come by themselves");
        }
    }
    Ok(served.await?)
}
