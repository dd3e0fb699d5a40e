use domain::{Currency, CustomerId, FailReason, OrderId, ProductId};
use jiff::Timestamp;

/// What happened in the ledger, as far as figures go. Each is told once, in the transaction that made it true.
///
/// A fact has one business day: that of `placed_at`, for a refund that of `at`. Facts may be told in any order; the
/// figures come out the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// An order was confirmed, for the first and only time.
    Confirmed {
        /// The order.
        order_id: OrderId,
        /// Whose it is.
        customer_id: CustomerId,
        /// The currency of all its amounts.
        currency: Currency,
        /// When it was placed: its business day.
        placed_at: Timestamp,
        /// When it was confirmed: its score is reached then.
        at: Timestamp,
        /// Units in its lines.
        units: i64,
        /// Its total, in minor units.
        gross: i64,
        /// What was sold, with the net amount of each line.
        lines: Vec<FactLine>,
    },
    /// A refund of an order that was once confirmed succeeded.
    Refunded {
        /// The order.
        order_id: OrderId,
        /// Whose it is.
        customer_id: CustomerId,
        /// The currency of all its amounts.
        currency: Currency,
        /// When it succeeded: its business day.
        at: Timestamp,
        /// The money that went back, in minor units, not negative.
        amount: i64,
        /// What was refunded, with the share of each line.
        lines: Vec<FactLine>,
    },
    /// An order failed.
    Failed {
        /// The order.
        order_id: OrderId,
        /// Its currency.
        currency: Currency,
        /// When it was placed: its business day.
        placed_at: Timestamp,
        /// Why.
        reason: FailReason,
    },
    /// An order was cancelled, whether confirmed before or not.
    Cancelled {
        /// The order.
        order_id: OrderId,
        /// Its currency.
        currency: Currency,
        /// When it was placed: its business day.
        placed_at: Timestamp,
    },
}

/// A line of a [`Fact`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactLine {
    /// The product.
    pub product_id: ProductId,
    /// Units sold or refunded; not negative.
    pub quantity: i64,
    /// Minor units sold or refunded.
    pub amount: i64,
}

impl Fact {
    /// The order that the fact is about.
    pub const fn order_id(&self) -> OrderId {
        match self {
            Fact::Confirmed { order_id, .. }
            | Fact::Refunded { order_id, .. }
            | Fact::Failed { order_id, .. }
            | Fact::Cancelled { order_id, .. } => *order_id,
        }
    }

    /// The currency of its amounts.
    pub const fn currency(&self) -> Currency {
        match self {
            Fact::Confirmed { currency, .. }
            | Fact::Refunded { currency, .. }
            | Fact::Failed { currency, .. }
            | Fact::Cancelled { currency, .. } => *currency,
        }
    }

    /// The instant whose business day the fact counts on.
    pub const fn counts_at(&self) -> Timestamp {
        match self {
            Fact::Confirmed { placed_at, .. }
            | Fact::Failed { placed_at, .. }
            | Fact::Cancelled { placed_at, .. } => *placed_at,
            Fact::Refunded { at, .. } => *at,
        }
    }
}
