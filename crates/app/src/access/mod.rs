//! Who may use this installation: people with passwords, programs with tokens, and what each of them did.

mod caller;
mod password;
pub(crate) mod secret;
pub mod sessions;
pub mod setup;
pub mod tokens;
pub mod users;

pub use caller::Caller;
pub use password::Password;

use domain::ActionId;
use serde_json::Value;
use sql::Tx;
use store::Part;
use store::operator_actions::{NewAction, RecordedAction, Search};

use crate::{Actor, App, Result};

/// Records what an operator asks for where no transaction of the ledger does it: of queues, of jobs. It is recorded
/// before it is done, so that nothing is done that nobody hears of.
pub async fn record(
    app: &App,
    who: &Actor,
    kind: &'static str,
    subject: &str,
    about: Option<Value>,
) -> Result<()> {
    let (inner, who, subject) = (app.clone(), who.clone(), subject.to_owned());
    app.transaction("record_action", move |tx| {
        record_in(&inner, tx, &who, kind, &subject, (None, about.clone()))
    })
    .await
}

/// Records what an operator does within the transaction that does it: to what, and how that stood before and stands after.
pub(crate) fn record_in(
    app: &App,
    tx: &mut Tx<'_>,
    who: &Actor,
    kind: &'static str,
    subject: &str,
    (before, after): (Option<Value>, Option<Value>),
) -> Result<()> {
    let action = NewAction { kind, subject, before, after };
    Ok(store::operator_actions::insert(tx, who.as_str(), &action, app.now())?)
}

/// What operators did last, newest first.
pub async fn actions(app: &App, search: Search) -> Result<Part<RecordedAction, ActionId>> {
    app.read("operator_actions", move |tx| Ok(store::operator_actions::search(tx, &search)?)).await
}
