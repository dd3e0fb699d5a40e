//! The state machine: every change an order can go through.

use jiff::Timestamp;

use super::action::Action;
use super::effects::{Effects, EventKind, Transition};
use super::refused::{Reason, Refused};
use super::state::OrderState;
use super::status::{FailReason, FulfilmentStatus, OrderStatus, PaymentStatus};
use super::units::RefundedUnits;
use crate::money::Money;
use crate::notification::NotificationKind;

type Outcome = Result<Transition, Reason>;

const NO_EFFECTS: Effects = Effects {
    reserve_stock: false,
    release_stock: false,
    ship_stock: false,
    restock: false,
    take_payment: false,
    watch_deadline: None,
    void_charge: false,
    request_refund: None,
    notify: None,
    count_confirmed: false,
    count_failed: false,
    count_cancelled: false,
    count_refund: 0,
    alert: false,
};

impl OrderState {
    /// Does `action` at the instant `at`, or says why it cannot be done and what can.
    pub fn apply(self, action: Action, at: Timestamp) -> Result<Transition, Refused> {
        self.outcome(action, at).map_err(|reason| Refused::new(&self, action.kind(), reason))
    }

    fn outcome(self, action: Action, at: Timestamp) -> Outcome {
        // Whatever the state, wrong money is told and changes nothing.
        if let Action::Capture { money } = action
            && money != self.money(self.total)
        {
            return Ok(self.mismatch());
        }
        if !self.allows(action.kind()) {
            return Err(Reason::WrongState);
        }
        match action {
            Action::Reserve => Ok(self.reserve()),
            Action::FailReservation => Ok(self.fail(FailReason::OutOfStock)),
            Action::AcceptCharge { deadline } => Ok(self.accept_charge(deadline)),
            Action::Capture { money } if self.status == OrderStatus::Reserved => {
                Ok(self.confirm(money.amount, at))
            }
            Action::Capture { money } => self.return_surplus(money.amount),
            Action::Decline { attempts_left: true } => Ok(self.try_payment_again()),
            Action::Decline { attempts_left: false } => Ok(self.fail(FailReason::Declined)),
            Action::Expire => Ok(self.fail(FailReason::Expired)),
            Action::Cancel => Ok(self.cancel()),
            Action::Ship { units } => self.ship(units),
            Action::Deliver => Ok(self.deliver()),
            Action::RequestRefund { amount, units } => self.request_refund(amount, units),
            Action::RefundSucceeded { amount, units, surplus } => {
                self.complete_refund(amount, units, surplus)
            }
            Action::RefundFailed { amount, units } => self.free_refund(amount, units),
        }
    }

    const fn money(&self, amount: i64) -> Money {
        Money { amount, currency: self.currency }
    }

    const fn becomes(self, event: EventKind, effects: Effects) -> Transition {
        Transition { state: self, event, effects }
    }

    const fn reserve(mut self) -> Transition {
        self.status = OrderStatus::Reserved;
        let effects = Effects { reserve_stock: true, take_payment: true, ..NO_EFFECTS };
        self.becomes(EventKind::OrderReserved, effects)
    }

    const fn accept_charge(mut self, deadline: Timestamp) -> Transition {
        self.payment = PaymentStatus::Pending;
        let effects = Effects { watch_deadline: Some(deadline), ..NO_EFFECTS };
        self.becomes(EventKind::PaymentPending, effects)
    }

    const fn confirm(mut self, amount: i64, at: Timestamp) -> Transition {
        self.status = OrderStatus::Confirmed;
        self.payment = PaymentStatus::Paid;
        self.captured = amount;
        self.confirmed_at = Some(at);
        let effects =
            Effects { notify: Some(NotificationKind::Confirmation), count_confirmed: true, ..NO_EFFECTS };
        self.becomes(EventKind::OrderConfirmed, effects)
    }

    const fn mismatch(self) -> Transition {
        self.becomes(EventKind::CaptureMismatch, Effects { alert: true, ..NO_EFFECTS })
    }

    fn return_surplus(mut self, amount: i64) -> Outcome {
        self.captured = self.captured.checked_add(amount).ok_or(Reason::TooLarge)?;
        self.refund_pending += amount;
        let effects = Effects { request_refund: Some(amount), ..NO_EFFECTS };
        Ok(self.becomes(EventKind::LateCaptureRefunded, effects))
    }

    const fn try_payment_again(self) -> Transition {
        let effects = Effects { take_payment: true, ..NO_EFFECTS };
        self.becomes(EventKind::PaymentAttemptDeclined, effects)
    }

    const fn fail(mut self, reason: FailReason) -> Transition {
        let held = self.units_held() > 0;
        let (event, notify) = match reason {
            FailReason::OutOfStock => (EventKind::OutOfStock, NotificationKind::OutOfStock),
            FailReason::Declined => (EventKind::PaymentDeclined, NotificationKind::PaymentFailed),
            FailReason::Expired => (EventKind::ReservationExpired, NotificationKind::Expired),
        };
        if !matches!(reason, FailReason::OutOfStock) {
            self.payment = PaymentStatus::Failed;
        }
        self.status = OrderStatus::Failed;
        self.fail_reason = Some(reason);
        let effects = Effects {
            release_stock: held,
            void_charge: matches!(reason, FailReason::Expired),
            notify: Some(notify),
            count_failed: true,
            ..NO_EFFECTS
        };
        self.becomes(event, effects)
    }

    fn cancel(mut self) -> Transition {
        let left = self.refundable().max(0);
        let effects = Effects {
            release_stock: self.units_held() > 0,
            // Also when no charge was accepted yet: one may be on its way to the gateway.
            void_charge: self.status == OrderStatus::Reserved,
            request_refund: (left > 0).then_some(left),
            notify: Some(NotificationKind::Cancelled),
            count_cancelled: true,
            ..NO_EFFECTS
        };
        if self.payment == PaymentStatus::Pending {
            self.payment = PaymentStatus::Failed;
        }
        self.status = OrderStatus::Cancelled;
        self.refund_pending += left;
        self.becomes(EventKind::OrderCancelled, effects)
    }

    fn ship(mut self, units: i64) -> Outcome {
        let left = self.units_to_ship();
        if units <= 0 {
            return Err(Reason::BadUnits);
        }
        if units > left {
            return Err(Reason::AboveUnits(left));
        }
        if units > left - self.units_release_pending {
            return Err(Reason::RefundUnderWay(self.units_release_pending));
        }
        self.units_shipped += units;
        let event = if self.units_to_ship() == 0 {
            self.fulfilment = FulfilmentStatus::Shipped;
            EventKind::OrderShipped
        } else {
            self.fulfilment = FulfilmentStatus::PartiallyShipped;
            EventKind::OrderPartiallyShipped
        };
        let effects = Effects { ship_stock: true, notify: Some(NotificationKind::Shipped), ..NO_EFFECTS };
        Ok(self.becomes(event, effects))
    }

    const fn deliver(mut self) -> Transition {
        self.status = OrderStatus::Completed;
        self.fulfilment = FulfilmentStatus::Delivered;
        let effects = Effects { notify: Some(NotificationKind::Delivered), ..NO_EFFECTS };
        self.becomes(EventKind::OrderDelivered, effects)
    }

    fn request_refund(mut self, amount: i64, units: RefundedUnits) -> Outcome {
        if amount <= 0 {
            return Err(Reason::AmountNotPositive);
        }
        if amount > self.refundable() {
            return Err(Reason::AboveCaptured(self.money(self.refundable())));
        }
        units.check()?;
        let left = self.units - self.units_refunded - self.units_refund_pending;
        if units.total > left {
            return Err(Reason::AboveUnits(left));
        }
        if units.unshipped > self.units_to_ship() - self.units_release_pending {
            return Err(Reason::BadUnits);
        }
        self.refund_pending += amount;
        self.units_refund_pending += units.total;
        self.units_release_pending += units.unshipped;
        Ok(self.becomes(EventKind::RefundRequested, NO_EFFECTS))
    }

    fn complete_refund(mut self, amount: i64, units: RefundedUnits, surplus: bool) -> Outcome {
        self.take_from_pending(amount, units)?;
        let needed_left = self.needed_money() - (self.refunded - self.surplus_refunded);
        let needed = if surplus { 0 } else { amount.min(needed_left) };
        self.refunded += amount;
        self.surplus_refunded += amount - needed;
        self.units_refunded += units.total;
        self.units_released += units.unshipped;
        self.units_returned += units.returned;
        self.payment = self.payment_after_refund(needed);
        self.fulfilment = self.fulfilment_after_refund();
        let effects = Effects {
            // A dead order let its stock go when it died.
            restock: units.total > 0 && !self.status.is_dead(),
            notify: Some(NotificationKind::Refunded),
            count_refund: needed,
            ..NO_EFFECTS
        };
        Ok(self.becomes(EventKind::RefundSucceeded, effects))
    }

    fn free_refund(mut self, amount: i64, units: RefundedUnits) -> Outcome {
        self.take_from_pending(amount, units)?;
        Ok(self.becomes(EventKind::RefundFailed, Effects { alert: true, ..NO_EFFECTS }))
    }

    fn take_from_pending(&mut self, amount: i64, units: RefundedUnits) -> Result<(), Reason> {
        if amount <= 0 {
            return Err(Reason::AmountNotPositive);
        }
        if amount > self.refund_pending {
            return Err(Reason::NotPending(self.money(self.refund_pending)));
        }
        units.check()?;
        if units.total > self.units_refund_pending || units.unshipped > self.units_release_pending {
            return Err(Reason::AboveUnits(self.units_refund_pending));
        }
        self.refund_pending -= amount;
        self.units_refund_pending -= units.total;
        self.units_release_pending -= units.unshipped;
        Ok(())
    }

    /// The payment status once `needed` more of the money that the order needed went back.
    fn payment_after_refund(&self, needed: i64) -> PaymentStatus {
        let (back, of) = if self.confirmed_at.is_none() {
            (self.refunded, self.captured)
        } else if needed > 0 {
            (self.refunded - self.surplus_refunded, self.needed_money())
        } else {
            return self.payment;
        };
        let reached = if back == of { PaymentStatus::Refunded } else { PaymentStatus::PartiallyRefunded };
        // Forward only: a second late capture on a dead order does not undo the first one's refund.
        self.payment.max(reached)
    }

    const fn fulfilment_after_refund(&self) -> FulfilmentStatus {
        match self.fulfilment {
            FulfilmentStatus::PartiallyShipped if self.units_to_ship() == 0 => FulfilmentStatus::Shipped,
            FulfilmentStatus::Delivered if self.units_returned == self.units_shipped => {
                FulfilmentStatus::Returned
            }
            unchanged => unchanged,
        }
    }
}

impl RefundedUnits {
    const fn check(self) -> Result<(), Reason> {
        let Self { total, unshipped, returned } = self;
        if unshipped < 0 || returned < 0 || total < unshipped || total - unshipped < returned {
            return Err(Reason::BadUnits);
        }
        Ok(())
    }
}
