use std::collections::HashMap;

use domain::{OrderId, Verdict};
use sql::Tx;
use store::payments::PaymentRef;

use super::Settlement;
use crate::gateways::{ChargeState, GatewayError};
use crate::workflow::PaymentKey;
use crate::{App, Result};

/// What the gateway said about attempts that were to be called off.
pub(crate) type Voided = HashMap<PaymentRef, Result<ChargeState, GatewayError>>;

/// Asks the gateway to call off whatever attempt of these orders is open.
pub(crate) async fn void_open(app: &App, orders: Vec<OrderId>) -> Result<Voided> {
    let payments = app.read("open_charges", move |tx| store::payments::list(tx, &orders)).await?;
    let open: Vec<PaymentRef> =
        payments.into_iter().filter(|payment| payment.status.is_open()).map(|payment| payment.key).collect();
    void(app, open).await
}

/// Asks the gateway to call off these attempts.
pub(super) async fn void(app: &App, attempts: Vec<PaymentRef>) -> Result<Voided> {
    let keys = attempts.iter().map(|attempt| PaymentKey::of(app.instance(), *attempt)).collect();
    let answers = app.gateway().void(keys).await;
    Ok(attempts.into_iter().zip(answers).collect())
}

/// Records what the gateway said about attempts of orders that no longer want them; what it had captured goes back.
/// Returns the orders of which an attempt must be called off again, with the reason.
pub(crate) fn record_voided(
    app: &App,
    tx: &mut Tx<'_>,
    orders: &[OrderId],
    voided: &Voided,
) -> Result<HashMap<OrderId, String>> {
    let mut mine: Vec<PaymentRef> =
        voided.keys().copied().filter(|attempt| orders.contains(&attempt.order)).collect();
    mine.sort_unstable();
    let mut settlement = Settlement::begin(app, tx, &mine)?;
    let mut unanswered = HashMap::new();
    for attempt in mine {
        match &voided[&attempt] {
            // It arrived after we asked: the watch over its deadline asks again.
            Ok(ChargeState::Unknown) if settlement.is_watched(attempt) => {}
            Ok(ChargeState::Pending) => {
                unanswered
                    .insert(attempt.order, "the payment gateway did not call the charge off".to_owned());
            }
            Ok(state) => learn(&mut settlement, attempt, state)?,
            Err(error) => {
                unanswered.insert(attempt.order, error.to_string());
            }
        }
    }
    settlement.finish(tx)?;
    Ok(unanswered)
}

/// Records where a charge stands at the gateway, which was asked to call it off.
pub(super) fn learn(settlement: &mut Settlement<'_>, attempt: PaymentRef, state: &ChargeState) -> Result<()> {
    match state {
        ChargeState::Captured { reference, amount } => {
            let (verdict, reason) = settlement.capture(attempt, *amount, reference)?;
            if verdict == Verdict::Rejected {
                // Wrong money never confirms, and asking again brings no other.
                settlement.expire(attempt, reason.as_deref().unwrap_or("other money was captured"))?;
            }
        }
        ChargeState::Declined { reason } => {
            settlement.decline(attempt, reason)?;
        }
        ChargeState::Voided | ChargeState::Unknown if settlement.is_reserved(attempt.order) => {
            settlement.expire(attempt, "no payment came in time")?;
        }
        ChargeState::Voided | ChargeState::Unknown => settlement.void(attempt),
        ChargeState::Pending => {
            tracing::warn!(
                order = attempt.order.get(),
                "the gateway did not call a charge off; it is asked again"
            );
        }
    }
    Ok(())
}
