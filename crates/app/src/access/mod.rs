//! Who may use this installation: people with passwords, programs with tokens, and what each of them did.

mod caller;
mod password;
pub mod tokens;
pub mod users;

pub use caller::Caller;
pub use password::Password;

use domain::ActionId;
use serde_json::Value;
use store::operator_actions::{NewAction, RecordedAction};

use crate::{Actor, App, Result};

/// Records what an operator did where no transaction of the ledger did it: to queues, to jobs.
pub async fn record(
    app: &App,
    who: &Actor,
    kind: &'static str,
    subject: &str,
    after: Option<Value>,
) -> Result<()> {
    let (inner, who, subject) = (app.clone(), who.clone(), subject.to_owned());
    app.transaction("record_action", move |tx| {
        let action = NewAction { kind, subject: &subject, before: None, after: after.clone() };
        Ok(store::operator_actions::insert(tx, who.as_str(), &action, inner.now())?)
    })
    .await
}

/// What operators did last, newest first; only what came before `before`, where it is told.
pub async fn actions(app: &App, before: Option<ActionId>, limit: u32) -> Result<Vec<RecordedAction>> {
    app.read("operator_actions", move |tx| Ok(store::operator_actions::list_newest(tx, before, limit)?)).await
}
