//! What a command works with: the settings, the application, the way to print.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use app::config::{Config, GatewayMode, Settings};
use app::{App, SystemClock};
use queue::Queue;

use crate::output::Out;

/// How a command ended, when nothing went wrong in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is done.
    Done,
    /// What was asked for was not achieved; why has been printed.
    Failed,
    /// It is done in part: rows were rejected.
    Partly,
    /// A signal ended it.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Partly => 2,
            Exit::Interrupted => 130,
        }
    }

    /// What a process says that ended with this code.
    pub const fn of_code(code: i32) -> Self {
        match code {
            0 => Exit::Done,
            2 => Exit::Partly,
            130 => Exit::Interrupted,
            _ => Exit::Failed,
        }
    }

    /// The graver of two, for commands that do several things.
    pub fn and(self, other: Exit) -> Exit {
        let gravity = |exit| match exit {
            Exit::Done => 0,
            Exit::Partly => 1,
            Exit::Failed => 2,
            Exit::Interrupted => 3,
        };
        if gravity(other) > gravity(self) { other } else { self }
    }
}

/// What a command works with.
pub struct Session {
    /// The settings in force.
    pub settings: Settings,
    /// Where answers are printed.
    pub out: Out,
    /// Whether progress is shown.
    pub shows_progress: bool,
    /// Whether the schema is brought up to date.
    pub migrates: bool,
    /// Whether the command works on many things at once.
    pub is_large: bool,
    /// The job engine, once the application was opened.
    pub opened: OnceLock<Queue>,
}

impl Session {
    /// Opens the application over the database of the settings.
    pub async fn open(&self) -> Result<App> {
        let app = self.open_with(self.settings.config.clone()).await?;
        Ok(app.with_shown(self.settings.shown()))
    }

    /// Opens the application with other settings.
    pub async fn open_with(&self, mut config: Config) -> Result<App> {
        if !self.is_large {
            // Whoever asks one thing at a time needs one connection, and the thread that comes with it.
            config.database.readers = 1;
        }
        let app = App::open(config, Arc::new(SystemClock), self.migrates).await?;
        self.opened.get_or_init(|| app.queue().clone());
        Ok(app)
    }

    /// The settings in force for an installation of its own in a folder: the shop's database, Redis, payment provider and
    /// customers hear nothing of it.
    pub fn apart(&self, folder: &Path) -> Config {
        let mut config = self.settings.config.clone();
        config.database.url = folder.join("ordermill.db").display().to_string();
        config.redis.url.clear();
        config.gateway.mode = GatewayMode::InProcess;
        config.gateway.silence_rate = 0.0;
        config.notifications.channels = vec!["log".to_owned()];
        config
    }

    /// Writes what was counted of the jobs that were pushed. Workers do so themselves.
    pub async fn write_figures(&self) {
        if let Some(queue) = self.opened.get()
            && let Err(error) = queue.flush_metrics().await
        {
            tracing::warn!(%error, "the figures of the jobs pushed were not kept");
        }
    }
}
