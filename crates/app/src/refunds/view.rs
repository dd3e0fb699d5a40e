use domain::{Money, OrderId, RefundCause, RefundId, RefundStatus};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use store::refunds::Refund;

/// A refund as it is shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RefundView {
    /// Our id.
    pub id: RefundId,
    /// The order that it is of.
    pub order_id: OrderId,
    /// What makes a repeated request this refund.
    pub key: String,
    /// All that goes back.
    pub amount: Money,
    /// How much of it is shipping.
    pub shipping: Money,
    /// How it stands.
    #[schemars(with = "RefundStatus")]
    pub status: &'static str,
    /// Why it came to be, as a word.
    #[schemars(with = "RefundCause")]
    pub cause: &'static str,
    /// Why, in a person's words.
    pub reason: Option<String>,
    /// Who asked for it.
    pub actor: String,
    /// The gateway's name for it.
    pub reference: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it succeeded or failed.
    pub settled_at: Option<Timestamp>,
}

impl From<Refund> for RefundView {
    fn from(refund: Refund) -> Self {
        RefundView {
            id: refund.id,
            order_id: refund.order,
            key: refund.key,
            shipping: Money::new(refund.shipping, refund.amount.currency),
            amount: refund.amount,
            status: refund.status.as_str(),
            cause: refund.cause.as_str(),
            reason: refund.reason,
            actor: refund.actor,
            reference: refund.reference,
            error: refund.error,
            requested_at: refund.requested_at,
            settled_at: refund.settled_at,
        }
    }
}
