//! What an order costs, line by line and in all.

use crate::text::Quantity;

/// The money of one order line, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineTotals {
    /// Units ordered.
    pub quantity: Quantity,
    /// Price of one.
    pub unit_price: i64,
    /// Taken off this line alone.
    pub discount: i64,
    /// `quantity × unit_price − discount`; an order's own discount and tax come on top.
    pub total: i64,
}

/// The money of an order, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderTotals {
    /// The sum of the line totals.
    pub subtotal: i64,
    /// Taken off the order as a whole.
    pub discount: i64,
    /// Added for shipping.
    pub shipping: i64,
    /// All taxes.
    pub tax: i64,
    /// Whether the prices contain the tax already.
    pub tax_included: bool,
    /// What an import added or took to meet the total that its file told.
    pub adjustment: i64,
    /// What the customer owes.
    pub total: i64,
}

/// Figures that make no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TotalsError {
    /// A price, discount, tax or shipping below zero.
    #[error("{0} must not be below zero")]
    Negative(&'static str),
    /// More was taken off than there was.
    #[error("the {0} would be below zero")]
    BelowZero(&'static str),
    /// It does not fit 64 bits.
    #[error("the {0} is too large")]
    TooLarge(&'static str),
}

fn not_negative(what: &'static str, amount: i64) -> Result<i64, TotalsError> {
    if amount < 0 { Err(TotalsError::Negative(what)) } else { Ok(amount) }
}

/// The most that an order may come to, in minor units. Sums of orders, and the scores they make, are exact below 2⁵³
/// only: one order near that would leave no room in its day's figures for any other.
pub const LARGEST_TOTAL: i64 = 10_000_000_000_000;

fn countable(total: i64) -> Result<i64, TotalsError> {
    if total <= LARGEST_TOTAL { Ok(total) } else { Err(TotalsError::TooLarge("order total")) }
}

impl LineTotals {
    /// Works out a line.
    pub fn new(quantity: Quantity, unit_price: i64, discount: i64) -> Result<Self, TotalsError> {
        not_negative("unit price", unit_price)?;
        not_negative("line discount", discount)?;
        let gross =
            unit_price.checked_mul(i64::from(quantity.get())).ok_or(TotalsError::TooLarge("line total"))?;
        if discount > gross {
            return Err(TotalsError::BelowZero("line total"));
        }
        Ok(Self { quantity, unit_price, discount, total: gross - discount })
    }
}

impl OrderTotals {
    /// Works out an order from its line totals.
    pub fn new(
        line_totals: impl IntoIterator<Item = i64>,
        discount: i64,
        shipping: i64,
        tax: i64,
        tax_included: bool,
    ) -> Result<Self, TotalsError> {
        let subtotal = line_totals
            .into_iter()
            .try_fold(0_i64, i64::checked_add)
            .ok_or(TotalsError::TooLarge("subtotal"))?;
        let totals = Self {
            subtotal,
            discount: not_negative("discount", discount)?,
            shipping: not_negative("shipping", shipping)?,
            tax: not_negative("tax", tax)?,
            tax_included,
            adjustment: 0,
            total: 0,
        };
        let total = totals.computed().ok_or(TotalsError::TooLarge("order total"))?;
        if total < 0 {
            return Err(TotalsError::BelowZero("order total"));
        }
        Ok(Self { total: countable(total)?, ..totals })
    }

    /// The same order with `total` as told from outside; the adjustment takes up the difference.
    pub fn adjusted_to(self, total: i64) -> Result<Self, TotalsError> {
        countable(not_negative("order total", total)?)?;
        let adjustment = i128::from(total) - i128::from(self.total) + i128::from(self.adjustment);
        let adjustment = i64::try_from(adjustment).map_err(|_| TotalsError::TooLarge("adjustment"))?;
        Ok(Self { adjustment, total, ..self })
    }

    /// The tax that is added to the prices: none if they contain it.
    pub const fn tax_on_top(&self) -> i64 {
        if self.tax_included { 0 } else { self.tax }
    }

    /// Whether the total is what its parts give.
    pub fn is_consistent(&self) -> bool {
        self.computed() == Some(self.total)
    }

    fn computed(&self) -> Option<i64> {
        let parts = [self.subtotal, self.shipping, self.tax_on_top(), self.adjustment];
        let sum: i128 = parts.into_iter().map(i128::from).sum();
        i64::try_from(sum - i128::from(self.discount)).ok()
    }
}
