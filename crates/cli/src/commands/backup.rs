use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::session::{Exit, Session};

/// Copy the ledger, where it is a file, as it stands at one moment; safe on a live system
///
/// Never copy the file itself: what was committed last is in a log beside it. A ledger on a server is backed up with the
/// server's own tools, see docs/deployment.md.
#[derive(Debug, Args)]
pub struct Backup {
    /// The copy, which must not be there yet
    file: PathBuf,
}

impl Backup {
    pub fn run(self, session: &Session) -> Result<Exit> {
        let settings = session.settings.config.database.open_settings();
        let bytes = sql::backup::create(&settings, &self.file)?;
        let file = self.file.display();
        if session.out.is_json() {
            session.out.json(&json!({"file": file.to_string(), "bytes": bytes}))?;
        } else {
            let size = bytes as f64 / f64::from(1 << 20);
            session.out.line(format_args!("{file} holds the ledger of this moment, {size:.1} MiB"))?;
        }
        Ok(Exit::Done)
    }
}
