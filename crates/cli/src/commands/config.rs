use anyhow::Result;
use app::config::{Shown, env_example, reference_page};
use clap::Args;
use serde_json::{Value, json};

use crate::output::{Out, cell};
use crate::session::{Exit, Session};

/// Show the settings in force and where each came from; secrets are hidden
#[derive(Debug, Args)]
pub struct Config {
    /// Only those that somebody set
    #[arg(long)]
    set: bool,
    /// Print the reference of all settings, in Markdown
    #[arg(long, conflicts_with_all = ["set", "env_example"])]
    pub reference: bool,
    /// Print an example of an environment file
    #[arg(long, conflicts_with = "set")]
    pub env_example: bool,
}

impl Config {
    pub fn run(self, session: &Session) -> Result<Exit> {
        let shown: Vec<Shown> = session
            .settings
            .shown()
            .into_iter()
            .filter(|setting| !self.set || setting.origin != "default")
            .collect();
        if session.out.is_json() {
            session.out.json(&json!({ "settings": shown }))?;
            return Ok(Exit::Done);
        }
        let mut listing = session.out.listing(&["setting", "value", "from"]);
        for Shown { name, value, origin } in shown {
            listing.row([cell(name), cell(written(&value)), cell(origin)]);
        }
        session.out.table(&listing, "nothing is set; the defaults are in force")?;
        Ok(Exit::Done)
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

pub fn print_reference(out: Out) -> Result<Exit> {
    out.line(reference_page().trim_end())?;
    Ok(Exit::Done)
}

pub fn print_env_example(out: Out) -> Result<Exit> {
    out.line(env_example().trim_end())?;
    Ok(Exit::Done)
}
