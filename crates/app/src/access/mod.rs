//! Who may use this installation: people with passwords, programs with tokens, and what each of them did.

mod caller;
mod password;
pub mod tokens;
pub mod users;

pub use caller::Caller;
pub use password::Password;

use domain::ActionId;
use store::operator_actions::RecordedAction;

use crate::{App, Result};

/// What operators did last, newest first; only what came before `before`, where it is told.
pub async fn actions(app: &App, before: Option<ActionId>, limit: u32) -> Result<Vec<RecordedAction>> {
    app.read("operator_actions", move |tx| Ok(store::operator_actions::list_newest(tx, before, limit)?)).await
}
