use std::collections::BTreeMap;

use domain::{Calendar, Currency, KpiFigures, day_number};
use jiff::civil::Date;

use crate::changes::fold;
use crate::score::Fold;
use crate::{Fact, Result, Score};

/// The figures of a span of business days, as the ledger gives them or as they are stored: what [`diff`](crate::diff)
/// compares. Takes memory for each customer and product of each day, so that long histories are compared span by span.
#[derive(Debug, Clone)]
pub struct Figures {
    pub(crate) origin: Origin,
    calendar: Calendar,
    pub(crate) from: i32,
    pub(crate) to: i32,
    pub(crate) days: BTreeMap<(i32, Currency), DayFigures>,
    /// The first order, by `(placed_at, id)`, of each customer with an order in the span: within the span if the
    /// ledger told it, ever if it is stored.
    pub(crate) firsts: BTreeMap<(Currency, i64), (i64, i64)>,
}

/// Where figures come from. A span of the ledger does not tell who ordered before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Ledger,
    Stored,
}

/// The figures of one day and currency.
#[derive(Debug, Clone, Default)]
pub(crate) struct DayFigures {
    pub(crate) kpis: KpiFigures,
    pub(crate) customers: BTreeMap<i64, Score>,
    pub(crate) products: BTreeMap<i64, Score>,
}

impl Figures {
    /// No figures yet, for the days `from..=to`.
    pub fn new(calendar: &Calendar, from: Date, to: Date) -> Self {
        Self::empty(Origin::Ledger, calendar, day_number(from), day_number(to))
    }

    pub(crate) fn empty(origin: Origin, calendar: &Calendar, from: i32, to: i32) -> Self {
        let calendar = calendar.clone();
        Figures { origin, calendar, from, to, days: BTreeMap::new(), firsts: BTreeMap::new() }
    }

    /// Adds facts of the ledger; those of other days are passed over. To be complete, the figures need every fact
    /// that [counts](Fact::counts_at) in the span.
    pub fn add(&mut self, facts: &[Fact]) -> Result<()> {
        let (from, to) = (self.from, self.to);
        let inside =
            |fact: &&Fact| (from..=to).contains(&self.calendar.business_day_number(fact.counts_at()));
        let changes = fold(&self.calendar, facts.iter().filter(inside))?;
        for (currency, changes) in changes {
            for (day, figures) in changes.days {
                self.days.entry((day, currency)).or_default().kpis += figures;
            }
            for ((day, id), score) in changes.customer_days {
                let of = self.days.entry((day, currency)).or_default();
                let known = of.customers.entry(id).or_default();
                of.kpis.customers += i64::from(known.count == 0 && score.count > 0);
                known.fold(&score);
            }
            for ((day, id), score) in changes.product_days {
                let of = self.days.entry((day, currency)).or_default();
                of.products.entry(id).or_default().fold(&score);
            }
            for order in changes.orders {
                let placed = (order.placed_at, order.order_id);
                let first = self.firsts.entry((currency, order.customer)).or_insert(placed);
                *first = (*first).min(placed);
            }
        }
        Ok(())
    }

    /// The business day of an instant in epoch microseconds; none if it is no instant.
    pub(crate) fn day_of(&self, micros: i64) -> Option<i32> {
        let at = jiff::Timestamp::from_microsecond(micros).ok()?;
        Some(self.calendar.business_day_number(at))
    }

    /// Whether a day is in the span.
    pub(crate) fn covers(&self, day: i32) -> bool {
        (self.from..=self.to).contains(&day)
    }
}
