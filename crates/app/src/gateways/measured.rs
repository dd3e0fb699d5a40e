use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use metrics::{counter, histogram};

use super::{
    ChargeAnswer, ChargeRequest, ChargeState, GatewayError, PaymentGateway, RefundAnswer, RefundRequest,
};

/// A gateway whose answers are counted.
pub(crate) struct Measured(pub(crate) Arc<dyn PaymentGateway>);

fn count<A>(
    call: &'static str,
    began: Instant,
    answers: &[Result<A, GatewayError>],
    word: impl Fn(&A) -> &'static str,
) {
    if answers.is_empty() {
        return;
    }
    histogram!("ordermill_gateway_call_seconds", "call" => call).record(began.elapsed());
    for answer in answers {
        let outcome = answer.as_ref().map_or("no_answer", &word);
        counter!("ordermill_gateway_calls_total", "call" => call, "outcome" => outcome).increment(1);
    }
}

#[async_trait]
impl PaymentGateway for Measured {
    async fn charge(&self, requests: Vec<ChargeRequest>) -> Vec<Result<ChargeAnswer, GatewayError>> {
        let began = Instant::now();
        let answers = self.0.charge(requests).await;
        count("charge", began, &answers, |answer| match answer {
            ChargeAnswer::Accepted { .. } => "accepted",
            ChargeAnswer::Declined { .. } => "declined",
        });
        answers
    }

    async fn void(&self, keys: Vec<String>) -> Vec<Result<ChargeState, GatewayError>> {
        let began = Instant::now();
        let answers = self.0.void(keys).await;
        count("void", began, &answers, |state| match state {
            ChargeState::Unknown => "unknown",
            ChargeState::Pending => "pending",
            ChargeState::Captured { .. } => "captured",
            ChargeState::Declined { .. } => "declined",
            ChargeState::Voided => "voided",
        });
        answers
    }

    async fn refund(&self, requests: Vec<RefundRequest>) -> Vec<Result<RefundAnswer, GatewayError>> {
        let began = Instant::now();
        let answers = self.0.refund(requests).await;
        count("refund", began, &answers, |answer| match answer {
            RefundAnswer::Succeeded { .. } => "succeeded",
            RefundAnswer::Refused { .. } => "refused",
        });
        answers
    }
}
