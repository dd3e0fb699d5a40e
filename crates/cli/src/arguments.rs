//! What can be typed.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::commands::{
    analytics, backup, completions, config, demo, gateway, healthcheck, import, imports, kpis, leaderboard,
    man, migrate, notifications, orders, queue, refund, restore, seed, selftest, serve, shell, status, stock,
    token, user, verify, work,
};

/// Takes orders in and moves each through reserve, payment and finalize, or back; tells customers, refunds, and counts.
///
/// With nothing set up, everything is kept in ./data. Start with `ordermill demo`.
///
/// Exit codes: 0 done; 1 failed; 2 done in part (an import that rejected rows); 64 a command that cannot be
/// understood; 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "ordermill", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub everywhere: Everywhere,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Everywhere {
    /// The settings file [default: ordermill.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "ORDERMILL_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// The database: a path, sqlite:PATH, or mysql://USER@HOST/NAME
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Refuse a database whose schema is not up to date instead of bringing it up to date
    #[arg(long, global = true)]
    pub no_migrate: bool,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Log errors only, and show no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Work(work::Work),
    Import(import::Import),
    #[command(subcommand)]
    Imports(imports::Imports),
    #[command(subcommand)]
    Orders(orders::Orders),
    Refund(refund::Refund),
    #[command(subcommand)]
    Stock(stock::Stock),
    Kpis(kpis::Kpis),
    Leaderboard(leaderboard::Leaderboard),
    #[command(subcommand)]
    Analytics(analytics::Analytics),
    #[command(subcommand)]
    Notifications(notifications::Notifications),
    #[command(subcommand)]
    Queue(queue::Queue),
    Status(status::Status),
    Verify(verify::Verify),
    Selftest(selftest::Selftest),
    Migrate(migrate::Migrate),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Healthcheck(healthcheck::Healthcheck),
    Seed(seed::Seed),
    Gateway(gateway::Gateway),
    #[command(subcommand)]
    User(user::User),
    #[command(subcommand)]
    Token(token::Token),
    Shell(shell::Shell),
    Config(config::Config),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// Whether it works on many things at once, or for long. The others make do with one thread.
    pub fn is_large(&self) -> bool {
        matches!(
            self,
            Command::Demo(_)
                | Command::Serve(_)
                | Command::Work(_)
                | Command::Import(_)
                | Command::Seed(_)
                | Command::Selftest(_)
                | Command::Gateway(_)
                | Command::Verify(_)
        )
    }

    /// Whether it runs until it is stopped, so that its log is what people read of it.
    pub fn is_server(&self) -> bool {
        matches!(self, Command::Serve(_) | Command::Work(_) | Command::Gateway(_))
    }

    /// What it is called, if it may leave jobs to others.
    pub fn leaves_jobs_as(&self) -> Option<&'static str> {
        match self {
            Command::Import(_) => Some("ordermill import"),
            Command::Imports(_) => Some("ordermill imports"),
            Command::Orders(_) => Some("ordermill orders"),
            Command::Refund(_) => Some("ordermill refund"),
            Command::Notifications(_) => Some("ordermill notifications"),
            Command::Queue(_) => Some("ordermill queue"),
            _ => None,
        }
    }

    /// Settings that its own flags stand for: the flag's name, the setting, the value.
    pub fn flags(&self) -> Vec<(&'static str, &'static str, String)> {
        match self {
            Command::Serve(serve) => serve.flags(),
            _ => Vec::new(),
        }
    }
}
