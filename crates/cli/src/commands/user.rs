use std::io::{Read as _, stdin};

use anyhow::{Context as _, Result, bail};
use app::Actor;
use app::access::{Password, users};
use clap::{Args, Subcommand};
use domain::{Email, Role};
use serde_json::json;

use crate::output::{Listing, Out, cell, minute};
use crate::session::{Exit, Session};
use store::users::User as Person;

/// The longest that is read from the standard input.
const INPUT_LIMIT: u64 = 64 * 1024;

/// Say which people may sign in, and what they may do
#[derive(Debug, Subcommand)]
pub enum User {
    Create(Create),
    /// List those who may, and those who no longer may
    List,
    /// Give somebody another password, and end their sessions
    Password {
        /// Their e-mail
        #[arg(value_parser = Email::parse)]
        email: Email,
        /// Read the password from the standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Shut somebody out, end their sessions, and every token that is theirs
    Disable {
        /// Their e-mail
        #[arg(value_parser = Email::parse)]
        email: Email,
    },
}

/// Let somebody sign in
#[derive(Debug, Args)]
pub struct Create {
    /// What they sign in with
    #[arg(long, value_parser = Email::parse)]
    email: Email,
    /// What they may do: viewer, operator or admin
    #[arg(long)]
    role: Role,
    /// Read the password from the standard input, where neither the list of processes nor the shell's history shows it
    #[arg(long, required = true)]
    password_stdin: bool,
}

impl User {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let out = session.out;
        match self {
            User::Create(create) => {
                let password = Password::choose(&password_from_stdin()?)?;
                let app = session.open().await?;
                let user = users::create(&app, &Actor::CLI, create.email, create.role, password).await?;
                if out.is_json() {
                    out.json(&user)?;
                } else {
                    out.line(format_args!("{} may sign in as {}", user.email, user.role))?;
                }
            }
            User::List => print(out, &users::list(&session.open().await?).await?)?,
            User::Password { email, password_stdin: _ } => {
                let password = Password::choose(&password_from_stdin()?)?;
                let app = session.open().await?;
                let user = users::set_password(&app, &Actor::CLI, email, password).await?;
                if out.is_json() {
                    out.json(&user)?;
                } else {
                    out.line(format_args!("{} signs in with the new password from now on", user.email))?;
                }
            }
            User::Disable { email } => {
                let user = users::disable(&session.open().await?, &Actor::CLI, email).await?;
                if out.is_json() {
                    out.json(&user)?;
                } else {
                    out.line(format_args!("{} may not sign in any more", user.email))?;
                }
            }
        }
        Ok(Exit::Done)
    }
}

/// The first line of the standard input.
fn password_from_stdin() -> Result<String> {
    let mut text = String::new();
    stdin().take(INPUT_LIMIT).read_to_string(&mut text).context("the password cannot be read")?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        bail!("there is no password on the standard input; try `printf %s \"$PASSWORD\" | ordermill user …`");
    }
    Ok(line.to_owned())
}

fn print(out: Out, users: &[Person]) -> Result<()> {
    if out.is_json() {
        return Ok(out.json(&json!({ "users": users }))?);
    }
    let mut listing: Listing = out.listing(&["e-mail", "role", "since", "disabled"]);
    for user in users {
        let disabled = user.disabled_at.map_or_else(|| cell("–"), minute);
        listing.row([cell(&user.email), cell(user.role), minute(user.created_at), disabled]);
    }
    Ok(out.table(&listing, "nobody may sign in yet")?)
}
