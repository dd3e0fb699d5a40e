//! What can be done to an order.

use jiff::Timestamp;

use super::units::RefundedUnits;
use crate::coded::coded_enum;
use crate::money::Money;

/// One thing that happens to an order, with what it brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Every line is available: hold its stock.
    Reserve,
    /// At least one line is short: give the order up.
    FailReservation,
    /// The gateway accepted a charge, to be decided before `deadline`.
    AcceptCharge {
        /// When to ask the gateway and give the order up.
        deadline: Timestamp,
    },
    /// The gateway captured money, or the total is 0 and there is nothing to capture.
    Capture {
        /// What was captured.
        money: Money,
    },
    /// The gateway declined a charge.
    Decline {
        /// Whether another attempt will be made.
        attempts_left: bool,
    },
    /// The deadline passed, and the gateway, asked, has no capture.
    Expire,
    /// Someone calls the order off.
    Cancel,
    /// Goods leave.
    Ship {
        /// How many, over all lines; each line within [`LineUnits::shippable`](super::LineUnits::shippable).
        units: i64,
    },
    /// All goods arrived.
    Deliver,
    /// Someone asks for money back.
    RequestRefund {
        /// Minor units of the order's currency.
        amount: i64,
        /// Units, from [`LineUnits::on_request`](super::LineUnits::on_request).
        units: RefundedUnits,
    },
    /// The gateway gave pending money back.
    RefundSucceeded {
        /// As requested.
        amount: i64,
        /// Units, from [`LineUnits::on_success`](super::LineUnits::on_success).
        units: RefundedUnits,
        /// Whether it returns a capture that the order never needed (late, second, surplus).
        surplus: bool,
    },
    /// The gateway refused pending money for good.
    RefundFailed {
        /// As requested.
        amount: i64,
        /// Units, from [`LineUnits::on_failure`](super::LineUnits::on_failure).
        units: RefundedUnits,
    },
}

coded_enum! {
    /// An [`Action`] without what it brings along.
    ActionKind ("action") {
        /// See [`Action::Reserve`].
        Reserve = 1 => "reserve",
        /// See [`Action::FailReservation`].
        FailReservation = 2 => "fail_reservation",
        /// See [`Action::AcceptCharge`].
        AcceptCharge = 3 => "accept_charge",
        /// See [`Action::Capture`].
        Capture = 4 => "capture",
        /// See [`Action::Decline`].
        Decline = 5 => "decline",
        /// See [`Action::Expire`].
        Expire = 6 => "expire",
        /// See [`Action::Cancel`].
        Cancel = 7 => "cancel",
        /// See [`Action::Ship`].
        Ship = 8 => "ship",
        /// See [`Action::Deliver`].
        Deliver = 9 => "deliver",
        /// See [`Action::RequestRefund`].
        RequestRefund = 10 => "request_refund",
        /// See [`Action::RefundSucceeded`].
        RefundSucceeded = 11 => "refund_succeeded",
        /// See [`Action::RefundFailed`].
        RefundFailed = 12 => "refund_failed",
    }
}

impl Action {
    /// Which action this is.
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Reserve => ActionKind::Reserve,
            Self::FailReservation => ActionKind::FailReservation,
            Self::AcceptCharge { .. } => ActionKind::AcceptCharge,
            Self::Capture { .. } => ActionKind::Capture,
            Self::Decline { .. } => ActionKind::Decline,
            Self::Expire => ActionKind::Expire,
            Self::Cancel => ActionKind::Cancel,
            Self::Ship { .. } => ActionKind::Ship,
            Self::Deliver => ActionKind::Deliver,
            Self::RequestRefund { .. } => ActionKind::RequestRefund,
            Self::RefundSucceeded { .. } => ActionKind::RefundSucceeded,
            Self::RefundFailed { .. } => ActionKind::RefundFailed,
        }
    }
}

impl ActionKind {
    /// Whether a person does it; the others are done by jobs and by what the gateway tells.
    pub const fn is_manual(self) -> bool {
        matches!(self, Self::Cancel | Self::Ship | Self::Deliver | Self::RequestRefund)
    }

    /// The action as a person would say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Reserve => "reserve stock",
            Self::FailReservation => "give up for want of stock",
            Self::AcceptCharge => "accept a charge",
            Self::Capture => "record a capture",
            Self::Decline => "record a declined charge",
            Self::Expire => "expire",
            Self::Cancel => "cancel",
            Self::Ship => "ship",
            Self::Deliver => "mark as delivered",
            Self::RequestRefund => "refund",
            Self::RefundSucceeded => "complete a refund",
            Self::RefundFailed => "give up a refund",
        }
    }
}
