//! The definitions once more, as slow and plain as they can be written: every figure from all facts.

use std::collections::{BTreeMap, BTreeSet};

use analytics::{BoardOf, Fact, FactLine, Score};
use domain::{Currency, FailReason, KpiFigures, Period};
use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// All facts of one currency.
pub(crate) struct Naive<'a> {
    facts: Vec<&'a Fact>,
    zone: TimeZone,
}

impl<'a> Naive<'a> {
    pub(crate) fn new(facts: &'a [Fact], zone: &TimeZone, currency: Currency) -> Self {
        let facts = facts.iter().filter(|fact| fact.currency() == currency).collect();
        Naive { facts, zone: zone.clone() }
    }

    pub(crate) fn days(&self) -> BTreeSet<Date> {
        self.facts.iter().map(|fact| self.day(counts_at(fact))).collect()
    }

    fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    pub(crate) fn figures(&self, from: Date, to: Date) -> KpiFigures {
        let inside = |at: Timestamp| (from..=to).contains(&self.day(at));
        let mut figures = KpiFigures::default();
        let mut customers = BTreeSet::new();
        let mut firsts = BTreeMap::new();
        for fact in &self.facts {
            if let Fact::Confirmed { customer_id, placed_at, order_id, .. } = fact {
                let first = firsts.entry(*customer_id).or_insert((*placed_at, *order_id));
                *first = (*first).min((*placed_at, *order_id));
            }
            if !inside(counts_at(fact)) {
                continue;
            }
            match fact {
                Fact::Confirmed { customer_id, units, gross, .. } => {
                    figures.orders += 1;
                    figures.paid += 1;
                    figures.units += units;
                    figures.gross += gross;
                    customers.insert(*customer_id);
                }
                Fact::Refunded { amount, .. } => figures.refunds += amount,
                Fact::Failed { reason, .. } => {
                    figures.failed += 1;
                    figures.declined += i64::from(*reason == FailReason::Declined);
                    figures.expired += i64::from(*reason == FailReason::Expired);
                }
                Fact::Cancelled { .. } => figures.cancelled += 1,
            }
        }
        figures.customers = customers.len() as i64;
        figures.new_customers = firsts.values().filter(|(placed_at, _)| inside(*placed_at)).count() as i64;
        figures
    }

    /// The periods with any figure inside the span, each cut to the span.
    pub(crate) fn periods(&self, period: Period, from: Date, to: Date) -> Vec<(Date, KpiFigures)> {
        let starts: BTreeSet<Date> = self
            .days()
            .into_iter()
            .filter(|day| (from..=to).contains(day))
            .map(|day| start(period, day))
            .collect();
        let cut = |start: Date| self.figures(start.max(from), last(period, start).min(to));
        starts.into_iter().map(|start| (start, cut(start))).collect()
    }

    /// Everybody on a board, the best first.
    pub(crate) fn board(&self, of: BoardOf, period: Period, date: Date) -> Vec<(i64, Score)> {
        let mut scores: BTreeMap<i64, Score> = BTreeMap::new();
        for fact in &self.facts {
            if start(period, self.day(counts_at(fact))) != start(period, date) {
                continue;
            }
            for (id, count, net, at) in parts(of, fact) {
                let score = scores.entry(id).or_default();
                score.count += count;
                score.net += net;
                if net != 0 {
                    score.reached_at = score.reached_at.max(at.as_microsecond());
                }
            }
        }
        let mut board: Vec<_> = scores.into_iter().collect();
        board.sort_by_key(|(id, score)| (-score.net, score.reached_at, *id));
        board
    }
}

fn parts(of: BoardOf, fact: &Fact) -> Vec<(i64, i64, i64, Timestamp)> {
    let by_line = |lines: &[FactLine], sign: i64, at| {
        lines
            .iter()
            .map(|line| (line.product_id.get(), sign * line.quantity, sign * line.amount, at))
            .collect()
    };
    match (of, fact) {
        (BoardOf::Customers, Fact::Confirmed { customer_id, gross, at, .. }) => {
            vec![(customer_id.get(), 1, *gross, *at)]
        }
        (BoardOf::Customers, Fact::Refunded { customer_id, amount, at, .. }) => {
            vec![(customer_id.get(), 0, -amount, *at)]
        }
        (BoardOf::Products, Fact::Confirmed { lines, at, .. }) => by_line(lines, 1, *at),
        (BoardOf::Products, Fact::Refunded { lines, at, .. }) => by_line(lines, -1, *at),
        (_, Fact::Failed { .. } | Fact::Cancelled { .. }) => Vec::new(),
    }
}

fn counts_at(fact: &Fact) -> Timestamp {
    match fact {
        Fact::Confirmed { placed_at, .. }
        | Fact::Failed { placed_at, .. }
        | Fact::Cancelled { placed_at, .. } => *placed_at,
        Fact::Refunded { at, .. } => *at,
    }
}

fn start(period: Period, day: Date) -> Date {
    match period {
        Period::Day => day,
        Period::Week => {
            let mut start = day;
            while start.weekday() != Weekday::Monday {
                start = start.yesterday().unwrap();
            }
            start
        }
        Period::Month => day.first_of_month(),
        Period::All => Date::MIN,
    }
}

fn last(period: Period, start_day: Date) -> Date {
    let mut last = start_day;
    while let Ok(next) = last.tomorrow()
        && start(period, next) == start_day
    {
        last = next;
    }
    last
}
