//! The pure rules of ordermill: money, ids, orders, payments, fulfilment, refunds, stock and KPI definitions.
//!
//! Nothing here does IO, reads a clock or draws a random number: what a rule needs is passed in. Start with
//! [`OrderState::apply`], the state machine that every change of an order goes through.

mod access;
mod calendar;
mod coded;
mod ids;
mod kpi;
mod money;
mod notification;
pub mod order;
pub mod refund;
pub mod stock;
mod text;
mod webhook;

pub use access::Role;
pub use calendar::{Calendar, Period, date_of, day_number};
pub use coded::UnknownName;
pub use ids::{
    ActionId, CustomerId, EventId, IdError, ImportId, NotificationId, OrderId, OrderLineId, PaymentId,
    ProductId, RefundId, RefundLineId, ShipmentId, ShipmentLineId, StockMovementId, TokenId, UserId,
    WebhookId,
};
pub use kpi::{KpiFigures, rank_with_ties};
pub use money::{
    Currency, CurrencyError, DecimalError, DecimalStyle, Money, MoneyError, parse_decimal, split_pro_rata,
};
pub use notification::{Channel, NotificationKind, NotificationStatus};
pub use order::{
    Action, ActionKind, ChargeStatus, Effects, EventKind, FailReason, FulfilmentStatus, LineUnits,
    OrderState, OrderStatus, PaymentStatus, RefundedUnits, Refused, ShipmentStatus, Transition,
};
pub use refund::{RefundCause, RefundPlan, RefundRefused, RefundRequest, RefundStatus};
pub use stock::{CauseKind, Demand, MovementKind, StockError, StockLevel};
pub use text::{
    Email, ExternalId, IdempotencyKey, Label, PersonName, ProductName, Quantity, Sku, SourceName, TextError,
    TextRule, TokenName,
};
pub use webhook::Verdict;
