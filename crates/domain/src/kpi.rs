//! The definitions of the key figures. All money is in minor units of one currency.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// The figures of one period and currency. Only orders once confirmed count, but for the three that say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KpiFigures {
    /// Orders, on the business day they were placed.
    pub orders: i64,
    /// Units in them.
    pub units: i64,
    /// Money in them.
    pub gross: i64,
    /// Money given back, on the business day it went.
    pub refunds: i64,
    /// Orders that failed, whether confirmed or not, on the day placed.
    pub failed: i64,
    /// Orders that were cancelled, whether confirmed or not, on the day placed.
    pub cancelled: i64,
    /// Orders that were paid.
    pub paid: i64,
    /// Orders whose payment was declined for good.
    pub declined: i64,
    /// Orders that were not paid in time.
    pub expired: i64,
    /// Customers whose first confirmed order is in the period.
    pub new_customers: i64,
    /// Distinct customers with an order in the period.
    pub customers: i64,
}

impl KpiFigures {
    /// Gross less refunds of the same period.
    pub const fn net(&self) -> i64 {
        self.gross.saturating_sub(self.refunds)
    }

    /// Gross per order, floored to the minor unit; none without orders.
    pub const fn average_order_value(&self) -> Option<i64> {
        if self.orders > 0 { Some(self.gross.div_euclid(self.orders)) } else { None }
    }

    /// Refunds over gross; none where gross is 0.
    pub fn refund_rate(&self) -> Option<f64> {
        (self.gross != 0).then(|| self.refunds as f64 / self.gross as f64)
    }

    /// Paid over paid, declined and expired; none where there are none of them.
    pub fn payment_success_rate(&self) -> Option<f64> {
        let decided = self.paid + self.declined + self.expired;
        (decided != 0).then(|| self.paid as f64 / decided as f64)
    }

    /// Customers of the period who had ordered before it.
    pub const fn returning_customers(&self) -> i64 {
        self.customers - self.new_customers
    }
}

/// Adds up days. `customers` of a longer period must be counted, not added: the same person may come twice.
impl Add for KpiFigures {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            orders: self.orders + other.orders,
            units: self.units + other.units,
            gross: self.gross + other.gross,
            refunds: self.refunds + other.refunds,
            failed: self.failed + other.failed,
            cancelled: self.cancelled + other.cancelled,
            paid: self.paid + other.paid,
            declined: self.declined + other.declined,
            expired: self.expired + other.expired,
            new_customers: self.new_customers + other.new_customers,
            customers: self.customers + other.customers,
        }
    }
}

impl AddAssign for KpiFigures {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// The ranks of scores that are sorted, best first: equal scores share a rank, and the next one skips (1, 2, 2, 4).
pub fn rank_with_ties<T: PartialEq>(scores: &[T]) -> Vec<u64> {
    let mut rank = 0;
    let mut last: Option<&T> = None;
    (1..)
        .zip(scores)
        .map(|(place, score)| {
            if last != Some(score) {
                (rank, last) = (place, Some(score));
            }
            rank
        })
        .collect()
}
