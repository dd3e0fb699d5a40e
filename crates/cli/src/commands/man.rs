use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory as _};

use crate::arguments::Cli;
use crate::output::Stdout;
use crate::session::Exit;

/// Print the manual page, or write one for each command into a folder
#[derive(Debug, Args)]
pub struct Man {
    /// Write all pages into this folder
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

impl Man {
    pub fn run(self) -> Result<Exit> {
        let command = Cli::command();
        if let Some(folder) = self.dir {
            std::fs::create_dir_all(&folder)
                .and_then(|()| clap_mangen::generate_to(command, &folder))
                .with_context(|| format!("the pages cannot be written into {}", folder.display()))?;
            return Ok(Exit::Done);
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        let mut stdout = Stdout::new();
        stdout.write_all(&page)?;
        stdout.flush()?;
        Ok(Exit::Done)
    }
}
