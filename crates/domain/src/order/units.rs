//! The units of an order line: what may still be shipped, refunded, and which units a refund takes.

/// The counts of one order line.
///
/// A refund takes units that were not shipped before units that were. So a line with unshipped units left has
/// never had a shipped unit refunded, and these four counts tell everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineUnits {
    /// Units ordered.
    pub quantity: i64,
    /// Units that left.
    pub shipped: i64,
    /// Units refunded.
    pub refunded: i64,
    /// Units in refunds that are under way.
    pub refund_pending: i64,
}

/// The units that one refund, or all lines of it together, is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RefundedUnits {
    /// All units of it.
    pub total: i64,
    /// Those of them that were not shipped: the stock held for them is let go.
    pub unshipped: i64,
    /// Those of the shipped ones that came back into stock. Known only when the refund succeeds.
    pub returned: i64,
}

impl LineUnits {
    /// Units that may be shipped now: neither shipped, refunded, nor in a refund under way.
    pub const fn shippable(self) -> i64 {
        let left = self.quantity - self.shipped - self.refunded - self.refund_pending;
        if left > 0 { left } else { 0 }
    }

    /// Units that may be refunded now.
    pub const fn refundable(self) -> i64 {
        self.quantity - self.refunded - self.refund_pending
    }

    /// Units for which stock is held while the order is reserved or confirmed.
    pub const fn held(self) -> i64 {
        let left = self.quantity - self.shipped - self.refunded;
        if left > 0 { left } else { 0 }
    }

    /// Splits a refund of `count` units that is requested now.
    pub const fn on_request(self, count: i64) -> RefundedUnits {
        self.split(self.refunded + self.refund_pending, count)
    }

    /// Splits a refund of `count` pending units that succeeds now. What was shipped comes back if `restock`.
    ///
    /// Only now is it settled which units it takes: another refund may have failed in between.
    pub const fn on_success(self, count: i64, restock: bool) -> RefundedUnits {
        let mut units = self.split(self.refunded, count);
        if restock {
            units.returned = units.total - units.unshipped;
        }
        units
    }

    /// Splits a refund of `count` pending units that fails now: what becomes free again.
    pub const fn on_failure(self, count: i64) -> RefundedUnits {
        self.split(self.refunded + self.refund_pending - count, count)
    }

    const fn split(self, taken_before: i64, count: i64) -> RefundedUnits {
        let free = self.quantity - self.shipped - taken_before;
        let unshipped = if free <= 0 {
            0
        } else if free < count {
            free
        } else {
            count
        };
        RefundedUnits { total: count, unshipped, returned: 0 }
    }
}

impl RefundedUnits {
    /// A refund of money alone.
    pub const NONE: Self = Self { total: 0, unshipped: 0, returned: 0 };
}

impl std::iter::Sum for RefundedUnits {
    fn sum<I: Iterator<Item = Self>>(lines: I) -> Self {
        lines.fold(Self::NONE, |sum, line| Self {
            total: sum.total.saturating_add(line.total),
            unshipped: sum.unshipped.saturating_add(line.unshipped),
            returned: sum.returned.saturating_add(line.returned),
        })
    }
}
