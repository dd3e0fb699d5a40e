//! Facts as text: short, because every transaction with figures writes one.

use domain::{Currency, CustomerId, FailReason, OrderId, ProductId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Error, Fact, FactLine, Result};

/// A fact in the order of its fields; times are epoch microseconds.
#[derive(Serialize, Deserialize)]
enum Packed {
    #[serde(rename = "c")]
    Confirmed(i64, i64, Currency, i64, i64, i64, i64, Vec<(i64, i64, i64)>),
    #[serde(rename = "r")]
    Refunded(i64, i64, Currency, i64, i64, Vec<(i64, i64, i64)>),
    #[serde(rename = "f")]
    Failed(i64, Currency, i64, FailReason),
    #[serde(rename = "x")]
    Cancelled(i64, Currency, i64),
}

pub(crate) fn to_text(facts: &[Fact]) -> String {
    let packed: Vec<Packed> = facts.iter().map(pack).collect();
    serde_json::to_string(&packed).expect("facts are plain data")
}

pub(crate) fn from_text(text: &str) -> Result<Vec<Fact>> {
    let unreadable =
        || Error::Unreadable { expected: "set of facts", found: text.chars().take(64).collect() };
    let packed: Vec<Packed> = serde_json::from_str(text).map_err(|_| unreadable())?;
    packed.into_iter().map(|one| unpack(one).ok_or_else(unreadable)).collect()
}

fn pack(fact: &Fact) -> Packed {
    let lines = |lines: &[FactLine]| {
        lines.iter().map(|line| (line.product_id.get(), line.quantity, line.amount)).collect()
    };
    match fact {
        Fact::Confirmed { order_id, customer_id, currency, placed_at, at, units, gross, lines: sold } => {
            let (placed_at, at) = (placed_at.as_microsecond(), at.as_microsecond());
            let (order, customer) = (order_id.get(), customer_id.get());
            Packed::Confirmed(order, customer, *currency, placed_at, at, *units, *gross, lines(sold))
        }
        Fact::Refunded { order_id, customer_id, currency, at, amount, lines: returned } => {
            let (order, customer, at) = (order_id.get(), customer_id.get(), at.as_microsecond());
            Packed::Refunded(order, customer, *currency, at, *amount, lines(returned))
        }
        Fact::Failed { order_id, currency, placed_at, reason } => {
            Packed::Failed(order_id.get(), *currency, placed_at.as_microsecond(), *reason)
        }
        Fact::Cancelled { order_id, currency, placed_at } => {
            Packed::Cancelled(order_id.get(), *currency, placed_at.as_microsecond())
        }
    }
}

fn unpack(packed: Packed) -> Option<Fact> {
    let lines = |lines: Vec<(i64, i64, i64)>| -> Vec<FactLine> {
        let line = |(product, quantity, amount)| FactLine {
            product_id: ProductId::from_ledger(product),
            quantity,
            amount,
        };
        lines.into_iter().map(line).collect()
    };
    let time = |micros| Timestamp::from_microsecond(micros).ok();
    Some(match packed {
        Packed::Confirmed(order, customer, currency, placed_at, at, units, gross, sold) => Fact::Confirmed {
            order_id: OrderId::from_ledger(order),
            customer_id: CustomerId::from_ledger(customer),
            currency,
            placed_at: time(placed_at)?,
            at: time(at)?,
            units,
            gross,
            lines: lines(sold),
        },
        Packed::Refunded(order, customer, currency, at, amount, returned) => Fact::Refunded {
            order_id: OrderId::from_ledger(order),
            customer_id: CustomerId::from_ledger(customer),
            currency,
            at: time(at)?,
            amount,
            lines: lines(returned),
        },
        Packed::Failed(order, currency, placed_at, reason) => Fact::Failed {
            order_id: OrderId::from_ledger(order),
            currency,
            placed_at: time(placed_at)?,
            reason,
        },
        Packed::Cancelled(order, currency, placed_at) => {
            Fact::Cancelled { order_id: OrderId::from_ledger(order), currency, placed_at: time(placed_at)? }
        }
    })
}
