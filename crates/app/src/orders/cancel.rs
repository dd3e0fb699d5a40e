use domain::{Action, OrderId};
use serde_json::json;
use sql::Tx;

use crate::workflow::Step;
use crate::{Actor, App, Result};

/// Calls an order off: what it holds is let go, an open charge is called off, captured money goes back.
pub(super) fn cancel_in(
    app: &App,
    tx: &mut Tx<'_>,
    who: &Actor,
    id: OrderId,
    reason: Option<&str>,
) -> Result<()> {
    let mut step = Step::begin(app, tx, who, app.now(), &[id])?;
    let data = reason.map(|reason| json!({ "reason": reason }).to_string());
    super::act(&mut step, id, Action::Cancel, data)?;
    step.finish(tx)
}
