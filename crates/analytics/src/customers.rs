//! The customers that facts touch: what is known of each, and what it becomes. Pure, and the same for every backend.

use std::collections::HashMap;

use crate::changes::{Changes, ConfirmedOrder};
use crate::score::{Fold, Score};

/// What is stored of a customer over all time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) score: Score,
    /// The first confirmed order by `(placed_at, id)`; none if only refunds were told so far.
    pub(crate) first: Option<(i64, i64)>,
    /// The last business day with a confirmed order.
    pub(crate) last_day: Option<i32>,
}

/// A customer that the facts touch.
pub(crate) struct Customer<'a> {
    pub(crate) id: i64,
    gained: Score,
    /// The newly confirmed orders, the oldest first.
    pub(crate) orders: &'a [ConfirmedOrder],
    pub(crate) known: Option<Known>,
}

/// The customers that the changes touch, in the order of their ids, each with what is known of it.
pub(crate) fn touched(changes: &Changes, mut known: HashMap<i64, Known>) -> Vec<Customer<'_>> {
    let mut orders = changes.orders.chunk_by(|a, b| a.customer == b.customer).peekable();
    let customers = changes.customer_totals().into_iter().map(|(id, gained)| Customer {
        id,
        gained,
        orders: orders.next_if(|of| of.first().is_some_and(|order| order.customer == id)).unwrap_or_default(),
        known: known.remove(&id),
    });
    customers.collect()
}

impl Customer<'_> {
    /// The first order among those newly confirmed.
    pub(crate) fn first_gained(&self) -> Option<(i64, i64)> {
        self.orders.first().map(|order| (order.placed_at, order.order_id))
    }

    /// What is known of the customer once the facts are in.
    pub(crate) fn after(&self) -> Known {
        let mut score = self.known.map(|known| known.score).unwrap_or_default();
        score.fold(&self.gained);
        let first = self.known.and_then(|known| known.first);
        let last_day = self.known.and_then(|known| known.last_day);
        Known {
            score,
            first: first.into_iter().chain(self.first_gained()).min(),
            last_day: last_day.max(self.orders.iter().map(|order| order.day).max()),
        }
    }
}
