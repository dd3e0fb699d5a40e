use domain::refund::RefundableOrder;
use domain::{ActionKind, ChargeStatus, CustomerId, Money, OrderId, ProductId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sql::Tx;
use store::customers::Customer;
use store::events::Event;
use store::notifications::Notification;
use store::orders::OrderView;
use store::payments::Payment;
use store::products::Product;
use store::shipments::Shipment;
use store::webhooks::DeliveryRow;

use crate::refunds::{RefundView, refundable};
use crate::{App, Result};

/// Deliveries of webhooks that are shown of an order; a sender may repeat itself without end.
const DELIVERIES_AT_MOST: u32 = 200;

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
    /// What the gateway sent about it, oldest first, with what was done about it; the first 200.
    pub webhooks: Vec<DeliveryRow>,
    /// What happened, oldest first.
    pub timeline: Vec<Event>,
}

/// What can be done to an order as it stands.
#[derive(Debug)]
pub struct Possible {
    /// The order with its lines.
    pub order: OrderView,
    /// What a person may do.
    pub actions: Vec<ActionKind>,
    /// Its money and units, with what may still be shipped and refunded of them.
    pub room: RefundableOrder,
    /// The products of its lines, in no order, with their stock.
    pub products: Vec<Product>,
}

impl Possible {
    fn look(tx: &mut Tx<'_>, id: OrderId) -> Result<Self> {
        let head = store::orders::get_head(tx, id)?;
        let room = refundable::load(tx, &head)?;
        let mut products: Vec<ProductId> = room.lines.iter().map(|line| line.product).collect();
        products.sort_unstable();
        products.dedup();
        let mut actions = head.state.allowed_actions();
        actions.retain(|kind| kind.is_manual());
        let (order, products) = (store::orders::get_view(tx, id)?, store::products::list(tx, &products)?);
        Ok(Possible { order, actions, room, products })
    }
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
    app.look_up("order_story", move |tx: &mut Tx<'_>| Story::read(tx, id)).await
}

/// What can be done to an order as it stands.
pub async fn possible(app: &App, id: OrderId) -> Result<Possible> {
    app.look_up("possible_deeds", move |tx: &mut Tx<'_>| Possible::look(tx, id)).await
}

/// Both, over one snapshot.
pub async fn story_and_possible(app: &App, id: OrderId) -> Result<(Story, Possible)> {
    app.look_up("order_story", move |tx: &mut Tx<'_>| Ok((Story::read(tx, id)?, Possible::look(tx, id)?)))
        .await
}

impl Story {
    fn read(tx: &mut Tx<'_>, id: OrderId) -> Result<Self> {
        let order = store::orders::get_view(tx, id)?;
        let refunds = store::refunds::list_of_order(tx, id)?;
        Ok(Story {
            customer: store::customers::get(tx, CustomerId::from_ledger(order.row.customer_id))?,
            payments: store::payments::list(tx, &[id])?.into_iter().map(PaymentView::from).collect(),
            refunds: refunds.into_iter().map(RefundView::from).collect(),
            shipments: store::shipments::list_of_order(tx, id)?,
            notifications: store::notifications::list_of_order(tx, id)?,
            webhooks: store::webhooks::list_of_order(tx, id, DELIVERIES_AT_MOST)?,
            timeline: store::events::list(tx, id)?,
            order,
        })
    }
}
