use anyhow::Result;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::io::Write as _;

use crate::arguments::Cli;
use crate::output::Stdout;
use crate::session::Exit;

/// Print the completions of a shell
///
/// For instance: ordermill completions bash > ~/.local/share/bash-completion/completions/ordermill
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "ordermill", &mut script);
        let mut stdout = Stdout::new();
        stdout.write_all(&script)?;
        stdout.flush()?;
        Ok(Exit::Done)
    }
}
