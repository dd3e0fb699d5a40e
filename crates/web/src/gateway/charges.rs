//! What a shop asks of the gateway: lists of wishes, each answered by a list of the same length.

use std::collections::HashSet;

use app::gateways::simulator;
use app::gateways::{
    ChargeAnswer, ChargeRequest, ChargeState, GatewayError, PaymentGateway as _, RefundAnswer, RefundRequest,
};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use domain::Money;
use jiff::Timestamp;
use serde::Serialize;
use store::simulator::Charge;

use super::Simulator;
use crate::body::JsonBody;
use crate::{ApiError, Violation};

/// The most that a list may have: several times what a shop's largest batch needs.
const LIMIT: usize = 1024 * 1024;
/// The most bytes of a key.
const LONGEST_KEY: usize = 128;

type Answers<T> = Result<Json<Vec<T>>, ApiError>;

/// `POST /charges`
pub(super) async fn charge(
    State(simulator): State<Simulator>,
    JsonBody(requests): JsonBody<Vec<ChargeRequest>, LIMIT>,
) -> Answers<ChargeAnswer> {
    check(&requests, |request| (&request.key, request.amount))?;
    answers(simulator.charges.charge(requests).await)
}

/// `POST /voids`: a list of the charges' keys.
pub(super) async fn void(
    State(simulator): State<Simulator>,
    JsonBody(keys): JsonBody<Vec<String>, LIMIT>,
) -> Answers<ChargeState> {
    answers(simulator.charges.void(keys).await)
}

/// `POST /refunds`
pub(super) async fn refund(
    State(simulator): State<Simulator>,
    JsonBody(requests): JsonBody<Vec<RefundRequest>, LIMIT>,
) -> Answers<RefundAnswer> {
    check(&requests, |request| (&request.key, request.amount))?;
    answers(simulator.charges.refund(requests).await)
}

/// `GET /charges/{key}`
pub(super) async fn show(
    State(simulator): State<Simulator>,
    key: Result<Path<String>, PathRejection>,
) -> Result<Json<ChargeView>, ApiError> {
    let missing = |name: &str| ApiError::Missing { what: "charge", name: name.to_owned() };
    let Path(key) = key.map_err(|_| missing("with a key that is not UTF-8"))?;
    let mut charges = simulator.charges.charges(vec![key.clone()]).await?;
    let charge = charges.remove(&key).ok_or_else(|| missing(&key))?;
    Ok(Json(ChargeView::of(charge, simulator.clock.now())))
}

/// A charge as the gateway remembers it.
#[derive(Serialize)]
pub(super) struct ChargeView {
    key: String,
    reference: String,
    amount: Money,
    refunded: Money,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    due_at: Timestamp,
}

impl ChargeView {
    fn of(charge: Charge, now: Timestamp) -> Self {
        let (state, reason) = match simulator::state(&charge, now) {
            ChargeState::Unknown => ("unknown", None),
            ChargeState::Pending => ("pending", None),
            ChargeState::Captured { .. } => ("captured", None),
            ChargeState::Declined { reason } => ("declined", Some(reason)),
            ChargeState::Voided => ("voided", None),
        };
        let Charge { key, reference, amount, due_at, refunded, .. } = charge;
        let refunded = Money { amount: refunded, ..amount };
        ChargeView { key, reference, amount, refunded, state, reason, due_at }
    }
}

/// A gateway that cannot answer one wish can answer none.
fn answers<T>(answers: Vec<Result<T, GatewayError>>) -> Answers<T> {
    Ok(Json(answers.into_iter().collect::<Result<_, _>>()?))
}

/// Every wish has a key of its own and an amount above zero, or the list is refused whole.
fn check<'r, T>(wishes: &'r [T], facts: fn(&'r T) -> (&'r String, Money)) -> Result<(), ApiError> {
    let mut known = HashSet::new();
    let mut violations = Vec::new();
    for (index, wish) in wishes.iter().enumerate() {
        let (key, amount) = facts(wish);
        let mut must = |holds: bool, field: &str, detail: &str| {
            if !holds {
                let pointer = format!("/{index}/{field}");
                violations.push(Violation { pointer, detail: detail.to_owned() });
            }
        };
        must((1..=LONGEST_KEY).contains(&key.len()), "key", "a key has 1 to 128 bytes");
        must(known.insert(key), "key", "another wish of this list has the same key; send each once");
        must(amount.amount > 0, "amount", "an amount is above 0, in minor units");
    }
    if violations.is_empty() { Ok(()) } else { Err(ApiError::Invalid(violations)) }
}
