//! Why an action was refused, in words a person can act on.

use super::action::ActionKind;
use super::state::OrderState;
use super::status::{FulfilmentStatus, OrderStatus, PaymentStatus};
use crate::money::Money;

/// An action that the order's state does not allow. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where the order stands.
    pub status: OrderStatus,
    /// Where its money stands.
    pub payment: PaymentStatus,
    /// Where its goods stand.
    pub fulfilment: FulfilmentStatus,
    /// What was asked for.
    pub action: ActionKind,
    /// Why not.
    pub reason: Reason,
    /// What could be asked for instead.
    pub allowed: Vec<ActionKind>,
}

/// Why an action was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The statuses do not allow it.
    #[error("its state does not allow that")]
    WrongState,
    /// A refund of nothing, or of less.
    #[error("the amount must be above zero")]
    AmountNotPositive,
    /// More money than there is to give back.
    #[error("only {0} can still be refunded")]
    AboveCaptured(Money),
    /// A refund that was not requested, or is settled already.
    #[error("no such refund is under way ({0} pending)")]
    NotPending(Money),
    /// A shipment of nothing, or counts that contradict each other.
    #[error("the number of units must be above zero and consistent")]
    BadUnits,
    /// More units than are left.
    #[error("only {0} units are left")]
    AboveUnits(i64),
    /// The units wanted are part of a refund that is under way.
    #[error("a refund of {0} of these units is under way; wait for it or ship the others")]
    RefundUnderWay(i64),
    /// The sum does not fit 64 bits.
    #[error("the amount is too large")]
    TooLarge,
}

impl Refused {
    pub(super) fn new(state: &OrderState, action: ActionKind, reason: Reason) -> Self {
        Self {
            status: state.status,
            payment: state.payment,
            fulfilment: state.fulfilment,
            action,
            reason,
            allowed: state.allowed_actions(),
        }
    }
}

impl std::error::Error for Refused {}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, payment, fulfilment, action, reason, allowed } = self;
        write!(f, "cannot {}: {reason}; ", action.words())?;
        write!(f, "the order is {status}, its payment {payment}, its goods {fulfilment}; ")?;
        // A person is told what a person can do.
        let useful = allowed.iter().filter(|kind| kind.is_manual() || !action.is_manual());
        let words: Vec<&str> = useful.map(|kind| kind.words()).collect();
        if words.is_empty() {
            return f.write_str("nothing more can be done to it");
        }
        write!(f, "possible now: {}", words.join(", "))
    }
}
