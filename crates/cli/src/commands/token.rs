use anyhow::Result;
use app::Actor;
use app::access::tokens::{self, Wanted};
use clap::{Args, Subcommand};
use domain::{Email, Role, TokenName};
use jiff::Timestamp;
use serde_json::json;
use store::tokens::Token as Known;

use crate::output::{Out, cell, minute};
use crate::session::{Exit, Session};

/// Make and revoke the tokens that programs sign in to the API with
#[derive(Debug, Subcommand)]
pub enum Token {
    Create(Create),
    /// List them by name; the tokens themselves are kept nowhere
    List,
    /// Take a token no more
    Revoke {
        /// Its name
        #[arg(value_parser = TokenName::parse)]
        name: TokenName,
    },
}

/// Make a token; it is printed alone, and never again
#[derive(Debug, Args)]
pub struct Create {
    /// What it may do: viewer, operator or admin
    #[arg(long)]
    role: Role,
    /// What people call it; never given to another
    #[arg(long, value_parser = TokenName::parse)]
    name: TokenName,
    /// Whose it is: it may do no more than they may, and ends when they are disabled [default: the installation's]
    #[arg(long, value_parser = Email::parse, value_name = "EMAIL")]
    owner: Option<Email>,
    /// When it ends, such as 2030-01-31T00:00:00Z [default: when it is revoked]
    #[arg(long, value_name = "TIME")]
    expires: Option<Timestamp>,
}

impl Token {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let (app, out) = (session.open().await?, session.out);
        match self {
            Token::Create(Create { role, name, owner, expires }) => {
                let wanted = Wanted { name, role, owner, expires_at: expires };
                let (text, token) = tokens::create(&app, &Actor::CLI, wanted).await?;
                if out.is_json() {
                    out.json(&json!({ "token": text, "about": token }))?;
                } else {
                    out.line(text)?;
                }
            }
            Token::List => print(out, &tokens::list(&app).await?)?,
            Token::Revoke { name } => {
                tokens::revoke(&app, &Actor::CLI, name.clone()).await?;
                if out.is_json() {
                    out.json(&json!({ "revoked": name }))?;
                } else {
                    out.line(format_args!("token {name} is not taken any more"))?;
                }
            }
        }
        Ok(Exit::Done)
    }
}

fn print(out: Out, tokens: &[Known]) -> Result<()> {
    if out.is_json() {
        return Ok(out.json(&json!({ "tokens": tokens }))?);
    }
    let mut listing = out.listing(&["name", "role", "made", "ends", "last used", "revoked"]);
    let moment = |at: Option<Timestamp>| at.map_or_else(|| cell("–"), minute);
    for token in tokens {
        listing.row([
            cell(&token.name),
            cell(token.role),
            minute(token.created_at),
            moment(token.expires_at),
            moment(token.last_used_at),
            moment(token.revoked_at),
        ]);
    }
    Ok(out.table(&listing, "there are none")?)
}
