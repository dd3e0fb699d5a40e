//! The log goes to stderr, so that answers can be piped.

use std::io::{self, IsTerminal as _, Write};

use anyhow::{Context as _, Result};
use app::config::{LogFormat, Origin, Settings};
use app::recent::KeepTroubles;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::arguments::Everywhere;
use crate::{output, progress};

/// Our own modules, as a filter names them.
const OURS: [&str; 8] = ["app", "web", "queue", "store", "sql", "analytics", "importer", "ordermill"];

/// Starts the log. A command that answers and ends logs warnings only, unless the settings say otherwise.
pub fn start(settings: &Settings, everywhere: &Everywhere, is_server: bool) -> Result<()> {
    let log = &settings.config.log;
    let is_set = *settings.origin("log.filter") != Origin::Default;
    let filter = match (everywhere.quiet, everywhere.verbose) {
        (true, _) => "error".to_owned(),
        (false, 0) if is_set || is_server => log.filter.clone(),
        (false, 0) => "warn".to_owned(),
        (false, 1) if !is_server => "info".to_owned(),
        (false, 1) => ours("debug"),
        (false, _) => ours("trace"),
    };
    let filter = EnvFilter::builder().parse(&filter).context("the log's filter cannot be read")?;
    let lines = tracing_subscriber::fmt::layer().with_writer(|| Stderr);
    // What is not worth a line is not worth keeping either.
    let all = tracing_subscriber::registry().with(filter).with(KeepTroubles::new());
    match log.format {
        LogFormat::Json => all.with(lines.json().flatten_event(true)).init(),
        LogFormat::Pretty => {
            let colours = io::stderr().is_terminal() && output::wants_colour();
            all.with(lines.with_ansi(colours).with_target(everywhere.verbose > 0)).init();
        }
    }
    Ok(())
}

fn ours(level: &str) -> String {
    let modules = OURS.map(|module| format!("{module}={level}"));
    format!("info,{}", modules.join(","))
}

/// Writes above a progress bar, if one is on the screen.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        progress::BARS.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
