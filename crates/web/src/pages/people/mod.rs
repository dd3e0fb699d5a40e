//! Who may sign in, and with what: people with passwords, programs with tokens.

mod person;
mod show;
mod token;

pub(super) use person::{ask_disable, create, disable};
pub(super) use show::show;
pub(super) use token::{ask_revoke, create_token, revoke};
