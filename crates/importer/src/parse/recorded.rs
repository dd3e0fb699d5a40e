//! The state that a file tells of an order.

use domain::{FulfilmentStatus, PaymentStatus};

use super::cells::shorten;
use crate::Field;
use crate::field::normalise;

/// What the system that an order comes from had done with it. Nothing is told where the file has no such column
/// or the cell is blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Its payment.
    pub payment: Option<PaymentStatus>,
    /// Its fulfilment.
    pub fulfilment: Option<FulfilmentStatus>,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// What was refunded, in minor units.
    pub refunded: i64,
}

impl Recorded {
    pub(super) fn read(
        payment: Option<&str>,
        fulfilment: Option<&str>,
        cancelled: bool,
        refunded: i64,
    ) -> Result<Self, (Field, String)> {
        let unknown = |field: Field, word: Option<&str>| {
            let word = shorten(word.unwrap_or_default());
            (field, format!("{word:?} is no {} that is known", field.as_str().replace('_', " ")))
        };
        Ok(Self {
            payment: payment
                .map(|word| payment_status(word).ok_or_else(|| unknown(Field::PaymentStatus, payment)))
                .transpose()?,
            fulfilment: fulfilment
                .map(|word| {
                    fulfilment_status(word).ok_or_else(|| unknown(Field::FulfilmentStatus, fulfilment))
                })
                .transpose()?,
            cancelled,
            refunded,
        })
    }

    /// What was done already that must not be done again, in a word.
    pub(super) fn settled(&self) -> Option<&'static str> {
        if self.cancelled {
            return Some("cancelled");
        }
        match (self.payment, self.fulfilment) {
            (Some(PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded), _) => Some("refunded"),
            _ if self.refunded > 0 => Some("refunded"),
            (Some(PaymentStatus::Paid), _) => Some("paid"),
            (Some(PaymentStatus::Failed), _) => Some("declined or voided"),
            (_, None | Some(FulfilmentStatus::Unfulfilled)) => None,
            _ => Some("shipped"),
        }
    }
}

fn payment_status(word: &str) -> Option<PaymentStatus> {
    Some(match normalise(word).as_str() {
        "paid" | "captured" | "completed" | "succeeded" => PaymentStatus::Paid,
        "unpaid" | "pending" | "authorized" | "authorised" | "awaitingpayment" | "open" | "due" => {
            PaymentStatus::Unpaid
        }
        "partiallyrefunded" => PaymentStatus::PartiallyRefunded,
        "refunded" | "fullyrefunded" => PaymentStatus::Refunded,
        "failed" | "declined" | "voided" | "expired" => PaymentStatus::Failed,
        _ => return None,
    })
}

fn fulfilment_status(word: &str) -> Option<FulfilmentStatus> {
    Some(match normalise(word).as_str() {
        "unfulfilled" | "unshipped" | "pending" | "open" | "notfulfilled" => FulfilmentStatus::Unfulfilled,
        "partial" | "partiallyfulfilled" | "partiallyshipped" => FulfilmentStatus::PartiallyShipped,
        "fulfilled" | "shipped" => FulfilmentStatus::Shipped,
        "delivered" => FulfilmentStatus::Delivered,
        "returned" | "restocked" => FulfilmentStatus::Returned,
        _ => return None,
    })
}
