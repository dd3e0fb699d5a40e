//! The commands: each reads what was typed, calls one use case, and prints what came of it.

pub mod analytics;
pub mod backup;
pub mod completions;
pub mod config;
pub mod demo;
pub mod gateway;
pub mod healthcheck;
pub mod import;
pub mod imports;
pub mod kpis;
pub mod leaderboard;
pub mod man;
pub mod metrics;
pub mod migrate;
pub mod notifications;
pub mod orders;
pub mod queue;
pub mod refund;
pub mod restore;
pub mod seed;
pub mod selftest;
pub mod serve;
pub mod shell;
pub mod status;
pub mod stock;
pub mod token;
pub mod user;
pub mod verify;
pub mod work;

use std::process::ExitCode;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};
use app::config::Sources;
use tokio::runtime::{Builder, Runtime};

use crate::arguments::{Cli, Command};
use crate::output::Out;
use crate::session::{Exit, Session};
use crate::{error, logging};

/// Runs a command and gives the exit code.
pub fn run(cli: Cli) -> ExitCode {
    match begin(cli) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failed) => error::report(&failed),
    }
}

fn begin(cli: Cli) -> Result<Exit> {
    let Cli { everywhere, command } = cli;
    let out = Out::new(everywhere.json);
    match command {
        // These need no settings, so wrong ones are not in their way.
        Command::Completions(command) => return command.run(),
        Command::Man(command) => return command.run(),
        Command::Shell(command) => return command.run(&everywhere),
        Command::Config(config::Config { reference: true, .. }) => return config::print_reference(out),
        Command::Config(config::Config { env_example: true, .. }) => return config::print_env_example(out),
        _ => {}
    }
    let mut flags = command.flags();
    flags.extend(everywhere.database.iter().map(|url| ("--database", "database.url", url.clone())));
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .collect();
    let sources = Sources { file: everywhere.config.clone(), environment, flags };
    let settings = app::config::load(&sources)?;
    logging::start(&settings, &everywhere, command.is_server())?;
    let (is_large, is_server) = (command.is_large(), command.is_server());
    let session = Session {
        settings,
        out,
        shows_progress: !everywhere.quiet,
        migrates: !everywhere.no_migrate,
        is_large,
        opened: OnceLock::new(),
    };
    let leaves_jobs_as = command.leaves_jobs_as();
    runtime(is_large)?.block_on(async {
        // Whatever only answers begins no trace.
        let traces = if is_server || leaves_jobs_as.is_some() { traces(&session)? } else { None };
        let span = leaves_jobs_as.map(telemetry::Span::root).unwrap_or_default();
        let ended = span.around(dispatch(command, &session)).await;
        if let Err(error) = &ended {
            span.fail(|| format!("{error:#}"));
        }
        drop(span);
        if leaves_jobs_as.is_some() {
            session.write_figures().await;
        }
        if let Some(traces) = traces {
            traces.stop().await;
        }
        ended
    })
}

/// Keeps traces, where the settings name a collector.
fn traces(session: &Session) -> Result<Option<telemetry::Running>> {
    let settings = session.settings.config.telemetry.start_settings();
    settings.map(telemetry::start).transpose().context("[telemetry] traces cannot be kept")
}

/// A command that answers and ends needs one thread.
fn runtime(is_large: bool) -> Result<Runtime> {
    let mut builder = if is_large { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.enable_all().build().context("the threads cannot be started")
}

async fn dispatch(command: Command, session: &Session) -> Result<Exit> {
    match command {
        Command::Demo(command) => command.run(session).await,
        Command::Serve(command) => command.run(session).await,
        Command::Work(command) => command.run(session).await,
        Command::Import(command) => command.run(session).await,
        Command::Imports(command) => command.run(session).await,
        Command::Orders(command) => command.run(session).await,
        Command::Refund(command) => command.run(session).await,
        Command::Stock(command) => command.run(session).await,
        Command::Kpis(command) => command.run(session).await,
        Command::Leaderboard(command) => command.run(session).await,
        Command::Analytics(command) => command.run(session).await,
        Command::Notifications(command) => command.run(session).await,
        Command::Queue(command) => command.run(session).await,
        Command::Status(command) => command.run(session).await,
        Command::Verify(command) => command.run(session).await,
        Command::Selftest(command) => command.run(session).await,
        Command::Migrate(command) => command.run(session).await,
        Command::Backup(command) => command.run(session),
        Command::Restore(command) => command.run(session).await,
        Command::Healthcheck(command) => command.run(session).await,
        Command::Seed(command) => command.run(session).await,
        Command::Gateway(command) => command.run(session).await,
        Command::User(command) => command.run(session).await,
        Command::Token(command) => command.run(session).await,
        Command::Config(command) => command.run(session),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
        Command::Shell(_) => unreachable!("a shell is no command of a session"),
    }
}
