//! The `ordermill` command.

mod arguments;
mod commands;
mod error;
mod logging;
mod output;
mod progress;
mod session;
mod settle;
mod shutdown;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Cli;

fn main() -> ExitCode {
    // Another provider in place is as good; there is none so early.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match Cli::try_parse() {
        Ok(cli) => commands::run(cli),
        Err(usage) => error::report_usage(&usage),
    }
}
