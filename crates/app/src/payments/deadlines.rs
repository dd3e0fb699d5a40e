use std::time::Duration;

use store::payments::PaymentRef;

use super::{Settlement, voiding};
use crate::gateways::ChargeState;
use crate::{App, Result};

/// When a gateway that did not call a charge off is asked again; meanwhile it is in nobody's way.
const ASKED_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Gives up to `limit` payments up whose deadline has passed, after asking the gateway: what it has captured counts,
/// what it has not is called off and its order fails. Returns how many were decided; an error, after those were, if the
/// gateway gave no answer about others.
pub async fn settle_overdue(app: &App, limit: u32) -> Result<usize> {
    let now = app.now();
    let overdue: Vec<PaymentRef> =
        app.read("overdue_payments", move |tx| store::payments::list_overdue(tx, now, limit)).await?;
    if overdue.is_empty() {
        return Ok(0);
    }
    let answers = voiding::void(app, overdue.clone()).await?;
    let unanswered = answers.values().find_map(|answer| answer.as_ref().err().cloned());
    let pending: Vec<PaymentRef> = overdue
        .iter()
        .copied()
        .filter(|attempt| matches!(answers.get(attempt), Some(Ok(ChargeState::Pending))))
        .collect();
    let decided = answers.len() - pending.len();
    let pause = ASKED_AGAIN_AFTER.min(app.config().gateway.reservation_deadline);
    let until = now.checked_add(pause).unwrap_or(now);
    let inner = app.clone();
    app.transaction("settle_overdue", move |tx| -> Result<()> {
        let mut settlement = Settlement::begin(&inner, tx, &overdue)?;
        for attempt in &overdue {
            if let Some(Ok(state)) = answers.get(attempt) {
                voiding::learn(&mut settlement, *attempt, state)?;
            }
        }
        settlement.finish(tx)?;
        Ok(store::payments::postpone(tx, &pending, until)?)
    })
    .await?;
    match unanswered {
        Some(error) => Err(error.into()),
        None => Ok(decided),
    }
}
