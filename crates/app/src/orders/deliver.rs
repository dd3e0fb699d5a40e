use domain::{Action, OrderId};
use sql::Tx;

use crate::workflow::Step;
use crate::{Actor, App, Result};

/// Marks an order that was shipped as delivered: it is complete.
pub(super) fn deliver_in(app: &App, tx: &mut Tx<'_>, who: &Actor, id: OrderId) -> Result<()> {
    let at = app.now();
    let mut step = Step::begin(app, tx, who, at, &[id])?;
    super::act(&mut step, id, Action::Deliver, None)?;
    store::shipments::mark_delivered(tx, id, at)?;
    step.finish(tx)
}
