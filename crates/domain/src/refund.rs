//! Refunds: how much, of which lines, within which caps.

mod allocate;

pub use allocate::{allocate, line_shares};

use crate::coded::coded_enum;
use crate::ids::ProductId;
use crate::money::{Currency, Money};
use crate::order::{LineUnits, OrderTotals, RefundedUnits};
use crate::stock::MovementKind;

coded_enum! {
    /// Where a refund stands.
    RefundStatus ("refund status") {
        /// Recorded; its money and units are pending.
        Requested = 1 => "requested",
        /// The gateway was called, or is about to be.
        Processing = 2 => "processing",
        /// The money went back.
        Succeeded = 3 => "succeeded",
        /// Given up; its money and units are free again.
        Failed = 4 => "failed",
    }
}

coded_enum! {
    /// Why a refund was made.
    RefundCause ("cause of a refund") {
        /// Someone asked for it.
        Request = 1 => "request",
        /// The order was cancelled after it was paid.
        Cancellation = 2 => "cancellation",
        /// Money came that the order does not need (late, second, surplus capture). Stays out of KPIs.
        Surplus = 3 => "surplus",
    }
}

impl RefundStatus {
    /// Whether it is settled.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// What is asked to be refunded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundRequest {
    /// Money alone, in minor units.
    Amount(i64),
    /// Units of lines, with their money, and part of the shipping.
    Lines {
        /// Line number and units.
        lines: Vec<(i64, i64)>,
        /// Shipping to give back, in minor units.
        shipping: i64,
    },
    /// Everything that is left, units too.
    All,
}

/// What must be known of an order to refund it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundableOrder {
    /// The currency of every amount.
    pub currency: Currency,
    /// Its totals.
    pub totals: OrderTotals,
    /// Captured money.
    pub captured: i64,
    /// Money that went back.
    pub refunded: i64,
    /// Money on its way back.
    pub refund_pending: i64,
    /// The part of both that was for no line: shipping above all.
    pub shipping_refunded: i64,
    /// Its lines.
    pub lines: Vec<RefundableLine>,
}

/// What must be known of a line to refund it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundableLine {
    /// Number of the line within its order.
    pub line_no: i64,
    /// What was sold.
    pub product: ProductId,
    /// Its counts.
    pub units: LineUnits,
    /// Its total, before the order's discount and tax.
    pub total: i64,
    /// Money that refunds gave this line, those under way included.
    pub amount_refunded: i64,
}

/// A refund worked out within the caps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPlan {
    /// Minor units to give back.
    pub amount: i64,
    /// The part of it that is for no line: shipping, adjustment, surplus.
    pub shipping: i64,
    /// The lines that get money or units, by line number.
    pub lines: Vec<PlannedLine>,
}

/// One line of a [`RefundPlan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedLine {
    /// Number of the line within its order.
    pub line_no: i64,
    /// What was sold.
    pub product: ProductId,
    /// Minor units for this line.
    pub amount: i64,
    /// Units, split as things stand now; settled by [`LineUnits::on_success`].
    pub units: RefundedUnits,
}

/// A refund that the caps, or sense, do not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefused {
    /// There is nothing (left) to give back.
    #[error("nothing is left to refund")]
    NothingLeft,
    /// A refund of no money.
    #[error("the refund would be of no money; the amount must be above zero")]
    ZeroAmount,
    /// More money than is left.
    #[error("{asked} asked for, {left} left to refund")]
    AboveLeft {
        /// What was asked for.
        asked: Money,
        /// What is left of the captured money.
        left: Money,
    },
    /// More shipping than was paid and not refunded.
    #[error("{asked} of shipping asked for, {left} left to refund")]
    AboveShipping {
        /// What was asked for.
        asked: Money,
        /// What is left of the shipping.
        left: Money,
    },
    /// No such line.
    #[error("the order has no line {0}")]
    UnknownLine(i64),
    /// A line is asked for with no units.
    #[error("line {0}: the quantity must be above zero")]
    BadQuantity(i64),
    /// More units than are left.
    #[error("line {line_no}: {asked} units asked for, {left} left to refund")]
    AboveQuantity {
        /// Number of the line.
        line_no: i64,
        /// Units asked for.
        asked: i64,
        /// Units left.
        left: i64,
    },
}

impl RefundableOrder {
    /// Money that can still be refunded.
    pub const fn left(&self) -> i64 {
        self.captured - self.refunded - self.refund_pending
    }
}

impl RefundPlan {
    /// The units of all lines, for [`Action::RequestRefund`](crate::Action::RequestRefund).
    pub fn units(&self) -> RefundedUnits {
        self.lines.iter().map(|line| line.units).sum()
    }
}

/// The stock movements of a refund line that succeeded: none, one or two, each with its quantity.
///
/// What was not shipped is released, and without `restock` adjusted away; what was shipped came back or stays gone.
pub fn movements(units: RefundedUnits, restock: bool) -> impl Iterator<Item = (MovementKind, i64)> {
    let gone = if restock { 0 } else { -units.unshipped };
    [
        (MovementKind::Release, units.unshipped),
        (MovementKind::Adjust, gone),
        (MovementKind::Return, units.returned),
    ]
    .into_iter()
    .filter(|(_, quantity)| *quantity != 0)
}
