//! What a transition asks of the transaction it is part of.

use jiff::Timestamp;

use super::state::OrderState;
use crate::coded::coded_enum;
use crate::notification::NotificationKind;

/// The outcome of an [`Action`](super::Action) that was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The order afterwards.
    pub state: OrderState,
    /// The one row that the timeline gets.
    pub event: EventKind,
    /// What else belongs into the same transaction.
    pub effects: Effects,
}

/// What else belongs into the transaction of a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent marks of one transition, not a state")]
pub struct Effects {
    /// Write a `reserve` movement per line.
    pub reserve_stock: bool,
    /// Write a `release` movement per line for [`LineUnits::held`](super::LineUnits::held).
    pub release_stock: bool,
    /// Write a `ship` movement per shipment line.
    pub ship_stock: bool,
    /// Write the refund's movements, see [`refund::movements`](crate::refund::movements).
    pub restock: bool,
    /// Enqueue the next attempt to charge.
    pub take_payment: bool,
    /// Enqueue the job that looks again at this instant.
    pub watch_deadline: Option<Timestamp>,
    /// Call off whatever charge is still open, if one is.
    pub void_charge: bool,
    /// Insert a refund of this amount and its job. The state counts it as pending already.
    pub request_refund: Option<i64>,
    /// Queue this notification.
    pub notify: Option<NotificationKind>,
    /// KPIs: count the order (orders, units, gross, paid) on the business day it was placed.
    pub count_confirmed: bool,
    /// KPIs: count a failure on the business day the order was placed.
    pub count_failed: bool,
    /// KPIs: count a cancellation on the business day the order was placed.
    pub count_cancelled: bool,
    /// KPIs: count this much as refunded today; 0 where the money never confirmed an order.
    pub count_refund: i64,
    /// Tell an operator.
    pub alert: bool,
}

coded_enum! {
    /// What the timeline tells.
    EventKind ("event kind") {
        /// The order came in.
        OrderPlaced = 1 => "order_placed",
        /// Its stock is held.
        OrderReserved = 2 => "order_reserved",
        /// A line was short; the order failed.
        OutOfStock = 3 => "out_of_stock",
        /// The gateway accepted a charge.
        PaymentPending = 4 => "payment_pending",
        /// The total was captured.
        OrderConfirmed = 5 => "order_confirmed",
        /// A charge was declined; another attempt follows.
        PaymentAttemptDeclined = 6 => "payment_attempt_declined",
        /// The last charge was declined; the order failed.
        PaymentDeclined = 7 => "payment_declined",
        /// No payment came in time; the order failed.
        ReservationExpired = 8 => "reservation_expired",
        /// The order was called off.
        OrderCancelled = 9 => "order_cancelled",
        /// Some units left.
        OrderPartiallyShipped = 10 => "order_partially_shipped",
        /// The last units left.
        OrderShipped = 11 => "order_shipped",
        /// They arrived.
        OrderDelivered = 12 => "order_delivered",
        /// A refund is under way.
        RefundRequested = 13 => "refund_requested",
        /// Money went back.
        RefundSucceeded = 14 => "refund_succeeded",
        /// A refund was given up.
        RefundFailed = 15 => "refund_failed",
        /// Money came that the order does not need; its refund is under way.
        LateCaptureRefunded = 16 => "late_capture_refunded",
        /// Money came that is not the order's total; nothing was changed.
        CaptureMismatch = 17 => "capture_mismatch",
    }
}
