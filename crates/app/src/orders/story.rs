use domain::{ChargeStatus, CustomerId, Money, OrderId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sql::Tx;
use store::customers::Customer;
use store::events::Event;
use store::notifications::Notification;
use store::orders::OrderView;
use store::payments::Payment;
use store::shipments::Shipment;

use crate::refunds::RefundView;
use crate::{App, Result};

/// An order with everything that belongs to it.
#[derive(Debug, Serialize)]
pub struct Story {
    /// The order with its lines.
    #[serde(flatten)]
    pub order: OrderView,
    /// Whose it is.
    pub customer: Customer,
    /// The attempts to charge it, oldest first.
    pub payments: Vec<PaymentView>,
    /// What went back, oldest first.
    pub refunds: Vec<RefundView>,
    /// What left, oldest first.
    pub shipments: Vec<Shipment>,
    /// What the customer was told, oldest first.
    pub notifications: Vec<Notification>,
    /// What happened, oldest first.
    pub timeline: Vec<Event>,
}

/// An attempt to charge an order as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PaymentView {
    /// From 1.
    pub attempt: i64,
    /// How it stands.
    #[schemars(with = "ChargeStatus")]
    pub status: &'static str,
    /// What was asked for.
    pub amount: Money,
    /// What was taken.
    pub captured: Money,
    /// The gateway's name for it.
    pub reference: Option<String>,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it ends unless the gateway has decided.
    pub deadline: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        PaymentView {
            attempt: payment.key.attempt,
            status: payment.status.as_str(),
            amount: payment.amount,
            captured: Money::new(payment.captured, payment.amount.currency),
            reference: payment.reference,
            reason: payment.reason,
            deadline: payment.deadline,
            created_at: payment.created_at,
        }
    }
}

/// An order's whole story, over one snapshot.
pub async fn story(app: &App, id: OrderId) -> Result<Story> {
    app.read("order_story", move |tx: &mut Tx<'_>| {
        let order = store::orders::get_view(tx, id)?;
        let refunds = store::refunds::list_of_order(tx, id)?;
        Ok(Story {
            customer: store::customers::get(tx, CustomerId::from_ledger(order.row.customer_id))?,
            payments: store::payments::list(tx, &[id])?.into_iter().map(PaymentView::from).collect(),
            refunds: refunds.into_iter().map(RefundView::from).collect(),
            shipments: store::shipments::list_of_order(tx, id)?,
            notifications: store::notifications::list_of_order(tx, id)?,
            timeline: store::events::list(tx, id)?,
            order,
        })
    })
    .await
}
