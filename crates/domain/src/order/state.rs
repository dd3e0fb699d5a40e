//! What the state machine knows of an order.

use jiff::Timestamp;

use super::action::ActionKind;
use super::status::{FailReason, FulfilmentStatus, OrderStatus, PaymentStatus};
use crate::money::{Currency, Money};

/// An order as the state machine sees it: statuses, money in minor units, units over all lines.
///
/// Changed only by [`OrderState::apply`]; the store guards the write with the order's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderState {
    /// Where the order as a whole stands.
    pub status: OrderStatus,
    /// Why it failed, if it did.
    pub fail_reason: Option<FailReason>,
    /// Where its money stands.
    pub payment: PaymentStatus,
    /// Where its goods stand.
    pub fulfilment: FulfilmentStatus,
    /// The currency of every amount below.
    pub currency: Currency,
    /// What the customer owes.
    pub total: i64,
    /// What the gateway took, surplus included.
    pub captured: i64,
    /// What went back.
    pub refunded: i64,
    /// What is on its way back.
    pub refund_pending: i64,
    /// The part of `refunded` that the order never needed (late, second, surplus captures).
    pub surplus_refunded: i64,
    /// Units ordered.
    pub units: i64,
    /// Units that left.
    pub units_shipped: i64,
    /// Units refunded.
    pub units_refunded: i64,
    /// Units in refunds that are under way.
    pub units_refund_pending: i64,
    /// The part of `units_refunded` that had not been shipped, and never will be.
    pub units_released: i64,
    /// The part of `units_refund_pending` that was not shipped, and waits.
    pub units_release_pending: i64,
    /// Shipped units that came back into stock.
    pub units_returned: i64,
    /// When the order was confirmed, if it ever was.
    pub confirmed_at: Option<Timestamp>,
}

impl OrderState {
    /// An order that was just placed.
    pub const fn placed(total: Money, units: i64) -> Self {
        Self {
            status: OrderStatus::Pending,
            fail_reason: None,
            payment: PaymentStatus::Unpaid,
            fulfilment: FulfilmentStatus::Unfulfilled,
            currency: total.currency,
            total: total.amount,
            captured: 0,
            refunded: 0,
            refund_pending: 0,
            surplus_refunded: 0,
            units,
            units_shipped: 0,
            units_refunded: 0,
            units_refund_pending: 0,
            units_released: 0,
            units_release_pending: 0,
            units_returned: 0,
            confirmed_at: None,
        }
    }

    /// What can still be refunded.
    pub const fn refundable(&self) -> i64 {
        self.captured - self.refunded - self.refund_pending
    }

    /// Units that neither left nor were refunded; some may be in a refund under way.
    pub const fn units_to_ship(&self) -> i64 {
        self.units - self.units_shipped - self.units_released
    }

    /// Units for which stock is held.
    pub const fn units_held(&self) -> i64 {
        match self.status {
            OrderStatus::Reserved | OrderStatus::Confirmed => self.units_to_ship(),
            OrderStatus::Pending | OrderStatus::Completed | OrderStatus::Failed | OrderStatus::Cancelled => 0,
        }
    }

    /// The captured money that the order needed; the rest is surplus. Nothing, if it was never confirmed.
    pub const fn needed_money(&self) -> i64 {
        match self.confirmed_at {
            Some(_) if self.captured < self.total => self.captured,
            Some(_) => self.total,
            None => 0,
        }
    }

    /// Whether the order waits for nobody but, perhaps, a person.
    pub const fn is_at_rest(&self) -> bool {
        !matches!(self.status, OrderStatus::Pending | OrderStatus::Reserved)
    }

    /// Whether the state allows the action at all; amounts and counts are checked by [`OrderState::apply`].
    pub const fn allows(&self, action: ActionKind) -> bool {
        use OrderStatus::{Confirmed, Pending, Reserved};
        match action {
            ActionKind::Reserve | ActionKind::FailReservation => matches!(self.status, Pending),
            ActionKind::AcceptCharge | ActionKind::Decline | ActionKind::Expire => {
                matches!(self.status, Reserved)
            }
            ActionKind::Capture => match self.status {
                Pending => false,
                Reserved => true,
                // A total of 0 is captured once, by ourselves: a gateway never captures nothing.
                _ => self.total > 0,
            },
            ActionKind::Cancel => match self.status {
                Pending | Reserved => true,
                Confirmed => matches!(self.fulfilment, FulfilmentStatus::Unfulfilled),
                _ => false,
            },
            ActionKind::Ship => {
                matches!(self.status, Confirmed) && self.units_to_ship() > self.units_release_pending
            }
            ActionKind::Deliver => {
                matches!(self.status, Confirmed) && matches!(self.fulfilment, FulfilmentStatus::Shipped)
            }
            ActionKind::RequestRefund => self.refundable() > 0,
            ActionKind::RefundSucceeded | ActionKind::RefundFailed => self.refund_pending > 0,
        }
    }

    /// Every action that [`OrderState::allows`].
    pub fn allowed_actions(&self) -> Vec<ActionKind> {
        ActionKind::ALL.iter().copied().filter(|kind| self.allows(*kind)).collect()
    }
}
