use anyhow::Result;
use app::figures;
use clap::Subcommand;

use crate::output::Out;
use crate::session::{Exit, Session};
use crate::words::grouped;

/// Look after KPIs and leaderboards
#[derive(Debug, Subcommand)]
pub enum Analytics {
    /// Build all figures anew from the ledger, while orders go on, and tell what differed
    Rebuild,
}

impl Analytics {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        match self {
            Analytics::Rebuild => rebuild(session).await,
        }
    }
}

async fn rebuild(session: &Session) -> Result<Exit> {
    let app = session.open().await?;
    let rebuilt = figures::rebuild(&app).await?;
    if session.out.is_json() {
        session.out.json(&rebuilt)?;
    } else {
        print(session.out, &rebuilt)?;
    }
    Ok(Exit::Done)
}

fn print(out: Out, rebuilt: &figures::Rebuilt) -> Result<()> {
    for day in &rebuilt.days {
        out.line(day)?;
    }
    let orders = grouped(rebuilt.orders.cast_signed());
    match rebuilt.days.len() {
        0 => out.line(format_args!("built anew from {orders} orders; nothing differed"))?,
        days => {
            out.line(format_args!(
                "built anew from {orders} orders; {days} days differed and are right now"
            ))?;
        }
    }
    Ok(())
}
