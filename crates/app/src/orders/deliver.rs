use domain::{Action, OrderId};
use store::orders::OrderRow;

use crate::workflow::Step;
use crate::{Actor, App, Result};

/// Marks an order that was shipped as delivered: it is complete.
pub async fn deliver(app: &App, who: &Actor, id: OrderId) -> Result<OrderRow> {
    let (inner, who) = (app.clone(), who.clone());
    app.transaction("deliver_order", move |tx| {
        let at = inner.now();
        let mut step = Step::begin(&inner, tx, &who, at, &[id])?;
        super::act(&mut step, id, Action::Deliver, None)?;
        store::shipments::mark_delivered(tx, id, at)?;
        step.finish(tx)
    })
    .await?;
    super::current(app, id).await
}
