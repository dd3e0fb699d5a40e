//! What a set of facts changes: pure, and the same for every backend.

use std::collections::BTreeMap;

use domain::{Calendar, Currency, FailReason, KpiFigures, Period};
use jiff::Timestamp;

use crate::score::{CustomerMonth, Fold, Score, merge};
use crate::spans::{day_bit, start_of};
use crate::{BoardOf, Error, Fact, FactLine, Result};

/// Amounts and counts stay exact in a double: figures end up in JSON, and as scores of sorted sets.
pub(crate) const LIMIT: i64 = (1 << 53) - 1;

/// A day number or the first day of a longer period, and the id of a customer or product.
pub(crate) type Key = (i32, i64);

/// Key figures by the code of a period and the first day of it.
pub(crate) type Periods = BTreeMap<(i64, i32), KpiFigures>;

/// What facts change in the figures of one currency.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The additive figures by day. `customers` and `new_customers` need what is stored, and stay 0 here.
    pub(crate) days: BTreeMap<i32, KpiFigures>,
    /// The confirmed orders, sorted by customer and then by age.
    pub(crate) orders: Vec<ConfirmedOrder>,
    /// Scores of customers by day, sorted.
    pub(crate) customer_days: Vec<(Key, Score)>,
    /// Scores of products by day, sorted.
    pub(crate) product_days: Vec<(Key, Score)>,
}

/// A confirmed order, as far as counting customers needs it. Sorts by customer, then by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConfirmedOrder {
    pub(crate) customer: i64,
    pub(crate) placed_at: i64,
    pub(crate) order_id: i64,
    pub(crate) day: i32,
}

/// Folds facts by currency.
pub(crate) fn fold<'a>(
    calendar: &Calendar,
    facts: impl IntoIterator<Item = &'a Fact>,
) -> Result<BTreeMap<Currency, Changes>> {
    let mut all: BTreeMap<Currency, Changes> = BTreeMap::new();
    for fact in facts {
        let day = calendar.business_day_number(fact.counts_at());
        let changes = all.entry(fact.currency()).or_default();
        if changes.add(day, fact).is_none() {
            return Err(Error::TooLarge { order_id: fact.order_id() });
        }
    }
    for changes in all.values_mut() {
        changes.orders.sort_unstable();
        merge(&mut changes.customer_days);
        merge(&mut changes.product_days);
    }
    Ok(all)
}

impl Changes {
    /// Adds a fact; none if a sum grows beyond what a figure holds.
    fn add(&mut self, day: i32, fact: &Fact) -> Option<()> {
        let figures = self.days.entry(day).or_default();
        match fact {
            Fact::Confirmed { order_id, customer_id, placed_at, at, units, gross, lines, .. } => {
                figures.orders += 1;
                figures.units = sum(figures.units, *units)?;
                figures.gross = sum(figures.gross, *gross)?;
                let (customer, placed_at) = (customer_id.get(), placed_at.as_microsecond());
                self.orders.push(ConfirmedOrder { customer, placed_at, order_id: order_id.get(), day });
                self.customer_days.push(((day, customer), Score::of(1, *gross, *at)));
                self.add_lines(day, *at, lines, 1)?;
            }
            Fact::Refunded { customer_id, at, amount, lines, .. } => {
                figures.refunds = sum(figures.refunds, *amount)?;
                self.customer_days.push(((day, customer_id.get()), Score::of(0, -*amount, *at)));
                self.add_lines(day, *at, lines, -1)?;
            }
            Fact::Failed { reason, .. } => {
                figures.failed += 1;
                match reason {
                    FailReason::Declined => figures.declined += 1,
                    FailReason::Expired => figures.expired += 1,
                    FailReason::OutOfStock => {}
                }
            }
            Fact::Cancelled { .. } => figures.cancelled += 1,
        }
        Some(())
    }

    fn add_lines(&mut self, day: i32, at: Timestamp, lines: &[FactLine], sign: i64) -> Option<()> {
        for line in lines {
            let (quantity, amount) = (sum(0, line.quantity)?, sum(0, line.amount)?);
            let score = Score::of(sign * quantity, sign * amount, at);
            self.product_days.push(((day, line.product_id.get()), score));
        }
        Some(())
    }

    /// The additive figures of every stored period.
    pub(crate) fn periods(&self) -> Periods {
        let mut periods = Periods::new();
        for (day, figures) in &self.days {
            for period in crate::spans::PERIODS {
                *periods.entry((period.code(), start_of(period, *day))).or_default() += *figures;
            }
        }
        periods
    }

    /// Scores of customers by month, with the days that they ordered on; sorted.
    pub(crate) fn customer_months(&self) -> Vec<(Key, CustomerMonth)> {
        let mut months = by(Period::Month, &self.customer_days, |month, day, score| CustomerMonth {
            score: *score,
            order_days: if score.count > 0 { day_bit(month, day) } else { 0 },
        });
        merge(&mut months);
        months
    }

    /// Scores of products by month, sorted.
    pub(crate) fn product_months(&self) -> Vec<(Key, Score)> {
        by_period(Period::Month, &self.product_days)
    }

    /// Scores by period, sorted.
    pub(crate) fn scores(&self, of: BoardOf, period: Period) -> Vec<(Key, Score)> {
        let days = match of {
            BoardOf::Customers => &self.customer_days,
            BoardOf::Products => &self.product_days,
        };
        by_period(period, days)
    }

    /// Scores of customers over all these days, sorted by id.
    pub(crate) fn customer_totals(&self) -> Vec<(i64, Score)> {
        let mut totals: Vec<_> = self.customer_days.iter().map(|((_, id), score)| (*id, *score)).collect();
        merge(&mut totals);
        totals
    }
}

fn by_period(period: Period, days: &[(Key, Score)]) -> Vec<(Key, Score)> {
    let mut scores = by(period, days, |_, _, score| *score);
    merge(&mut scores);
    scores
}

fn by<V: Fold>(
    period: Period,
    days: &[(Key, Score)],
    value: impl Fn(i32, i32, &Score) -> V,
) -> Vec<(Key, V)> {
    let mut known = (0, i32::MAX);
    days.iter()
        .map(|((day, id), score)| {
            if known.1 != *day {
                known = (start_of(period, *day), *day);
            }
            ((known.0, *id), value(known.0, *day, score))
        })
        .collect()
}

/// Refuses a fact whose amounts no figure can hold.
pub(crate) fn check_amounts(fact: &Fact) -> Result<()> {
    let holds = |amount: i64| amount.unsigned_abs() <= LIMIT.unsigned_abs();
    let line_holds = |line: &FactLine| holds(line.quantity) && holds(line.amount);
    let all_hold = match fact {
        Fact::Confirmed { units, gross, lines, .. } => {
            holds(*units) && holds(*gross) && lines.iter().all(line_holds)
        }
        Fact::Refunded { amount, lines, .. } => holds(*amount) && lines.iter().all(line_holds),
        Fact::Failed { .. } | Fact::Cancelled { .. } => true,
    };
    if all_hold { Ok(()) } else { Err(Error::TooLarge { order_id: fact.order_id() }) }
}

fn sum(a: i64, b: i64) -> Option<i64> {
    a.checked_add(b).filter(|sum| sum.unsigned_abs() <= LIMIT.unsigned_abs())
}
