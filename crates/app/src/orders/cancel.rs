use domain::{Action, OrderId};
use serde_json::json;
use store::orders::OrderRow;

use crate::workflow::Step;
use crate::{Actor, App, Result};

/// Calls an order off: what it holds is let go, an open charge is called off, captured money goes back.
pub async fn cancel(app: &App, who: &Actor, id: OrderId, reason: Option<String>) -> Result<OrderRow> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("cancel_order", move |tx| {
        let mut step = Step::begin(&inner, tx, &who, inner.now(), &[id])?;
        let data = reason.as_ref().map(|reason| json!({ "reason": reason }).to_string());
        super::act(&mut step, id, Action::Cancel, data)?;
        step.finish(tx)
    })
    .await?;
    super::current(app, id).await
}
