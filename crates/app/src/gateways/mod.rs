//! What stands outside: the payment gateway.

mod http;
mod in_process;
mod measured;
pub mod signature;
pub mod simulator;

use async_trait::async_trait;
use domain::Money;

pub use http::HttpGateway;
pub use in_process::{CALLBACKS, InProcess};
pub(crate) use measured::Measured;

/// A wish to charge a customer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChargeRequest {
    /// Our idempotency key: the same key is the same charge, however often it is sent.
    pub key: String,
    /// How much.
    #[serde(flatten)]
    pub amount: Money,
    /// The span that it follows from, where its trace is kept: of wishes that are sent together, each has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// What a gateway says to a [`ChargeRequest`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum ChargeAnswer {
    /// It will decide, and call back.
    Accepted {
        /// Its name for the charge.
        reference: String,
    },
    /// It said no at once.
    Declined {
        /// Why.
        reason: String,
    },
}

/// Where a charge stands at the gateway.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum ChargeState {
    /// It does not know the key.
    Unknown,
    /// Not decided.
    Pending,
    /// The money was taken.
    Captured {
        /// Its name for the charge.
        reference: String,
        /// How much.
        #[serde(flatten)]
        amount: Money,
    },
    /// It said no.
    Declined {
        /// Why.
        reason: String,
    },
    /// We called it off.
    Voided,
}

/// A wish to give money back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RefundRequest {
    /// Our idempotency key of the refund.
    pub key: String,
    /// Our key of the charge whose money goes back.
    pub charge_key: String,
    /// How much.
    #[serde(flatten)]
    pub amount: Money,
}

/// What a gateway says to a [`RefundRequest`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum RefundAnswer {
    /// The money is on its way.
    Succeeded {
        /// Its name for the refund.
        reference: String,
    },
    /// It will not do it, however often it is asked.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Why a gateway gave no answer. What it did is unknown: ask, or repeat with the same key.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the payment gateway gave no answer: {reason}")]
pub struct GatewayError {
    /// What went wrong.
    pub reason: String,
    passing: bool,
}

impl GatewayError {
    /// A fault that may pass: a refused connection, a timeout, a server error.
    pub fn passing(reason: impl ToString) -> Self {
        GatewayError { reason: reason.to_string(), passing: true }
    }

    /// A fault that will stay until somebody changes something.
    pub fn lasting(reason: impl ToString) -> Self {
        GatewayError { reason: reason.to_string(), passing: false }
    }

    /// Whether repeating the call may succeed.
    pub fn is_passing(&self) -> bool {
        self.passing
    }
}

/// A payment gateway. Every call takes a set and answers in its order; each is idempotent by key.
#[async_trait]
pub trait PaymentGateway: Send + Sync + 'static {
    /// Charges customers.
    async fn charge(&self, requests: Vec<ChargeRequest>) -> Vec<Result<ChargeAnswer, GatewayError>>;

    /// Calls charges off that are not decided, and tells where each stands then: asking and giving up in one step,
    /// so that no capture falls in between.
    async fn void(&self, keys: Vec<String>) -> Vec<Result<ChargeState, GatewayError>>;

    /// Gives money back.
    async fn refund(&self, requests: Vec<RefundRequest>) -> Vec<Result<RefundAnswer, GatewayError>>;
}
