use std::sync::Arc;

use anyhow::Result;
use app::config::Config;
use app::{App, SystemClock};
use clap::Args;
use queue::Clock as _;
use serde_json::json;

use crate::session::{Exit, Session};

/// Bring the database's schema up to date; every command does so before it begins
#[derive(Debug, Args)]
pub struct Migrate {
    /// Bring jobs and figures back from Redis into the database, which goes on without it; stop all workers before
    #[arg(long)]
    without_redis: bool,
}

impl Migrate {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let config = &session.settings.config;
        if self.without_redis {
            return leave_redis(session, config.clone()).await;
        }
        let database = sql::Database::open(&config.database.open_settings())?;
        let steps = database.migrate(app::MIGRATIONS, SystemClock.now()).await?;
        let info = database.info().await?;
        if session.out.is_json() {
            session.out.json(&json!({"database": info.location, "engine": info.engine, "applied": steps}))?;
            return Ok(Exit::Done);
        }
        for step in &steps {
            session.out.line(format_args!("applied {step}"))?;
        }
        let what = if steps.is_empty() { "is up to date already" } else { "is up to date now" };
        session.out.line(format_args!("the schema of {} ({}) {what}", info.location, info.engine))?;
        Ok(Exit::Done)
    }
}

async fn leave_redis(session: &Session, config: Config) -> Result<Exit> {
    App::leave_redis(config, Arc::new(SystemClock)).await?;
    if session.out.is_json() {
        session.out.json(&json!({"redis": "not used any more"}))?;
    } else {
        session
            .out
            .line("jobs and figures are in the database now; start everything without `[redis] url`")?;
    }
    Ok(Exit::Done)
}
