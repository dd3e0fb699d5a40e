use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use app::{Actor, SystemClock, restore};
use clap::Args;

use crate::session::{Exit, Session};

/// Take up work on a ledger from a backup; stop everything else before
///
/// What happened after the backup is lost to the ledger, but the payment gateway has seen it: docs/deployment.md tells what to
/// look at. Ids that may have been given since are passed over, so that no new order is taken for a lost one.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup, put where the ledger is to be, which must not be there yet [default: the ledger is in its place
    /// already, as on a server, whose own tools have put it there]
    file: Option<PathBuf>,
    /// How many ids are passed over: more than orders, mails or jobs have come since the backup
    #[arg(long, value_name = "IDS", default_value_t = 100_000_000,
        value_parser = clap::value_parser!(u64).range(..=1_000_000_000_000))]
    pass_over: u64,
}

impl Restore {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let config = session.settings.config.clone();
        if let Some(file) = &self.file {
            sql::backup::put_back(&config.database.open_settings(), file)?;
        }
        let taken_up = restore::take_up(config, Arc::new(SystemClock), &Actor::CLI, self.pass_over).await?;
        if session.out.is_json() {
            session.out.json(&taken_up)?;
            return Ok(Exit::Done);
        }
        let after = taken_up.orders_after;
        session.out.line(format_args!("the ledger is ready; new orders get ids above {after}"))?;
        session.out.line("next: `ordermill verify`, then start the workers")?;
        Ok(Exit::Done)
    }
}
