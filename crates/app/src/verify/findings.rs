use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::time::Duration;

use domain::{ImportId, OrderId, RefundId};

use super::Scope;
use super::report::{Breach, Report, RuleReport};

/// The rules, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Stock = 1,
    Holding = 2,
    Money = 3,
    Jobs = 4,
    Timeline = 5,
    Figures = 6,
    Imports = 7,
}

const RULES: [(Rule, &str, &str); 7] = [
    (Rule::Stock, "stock levels are the sums of their movements", "products"),
    (Rule::Holding, "each order holds what its state says", "orders"),
    (Rule::Money, "money adds up, and stays within its caps", "orders"),
    (Rule::Jobs, "what is not at rest has a job or a deadline", "orders"),
    (Rule::Timeline, "each change has one event, and each cause one notification", "orders"),
    (Rule::Figures, "figures are what the ledger gives", "sales and refunds"),
    (Rule::Imports, "each row of an import is counted once", "imports"),
];

/// Breaches of one rule that are listed.
const LISTED: usize = 1_000;

/// What a breach is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Thing<'a> {
    Order(OrderId),
    Line(OrderId, i64),
    Event(OrderId, i64),
    Payment(OrderId, i64),
    Refund(OrderId, RefundId),
    Import(ImportId),
    Product(&'a str),
    Named(&'a str),
}

impl Thing<'_> {
    const fn order(self) -> Option<OrderId> {
        match self {
            Thing::Order(order)
            | Thing::Line(order, _)
            | Thing::Event(order, _)
            | Thing::Payment(order, _)
            | Thing::Refund(order, _) => Some(order),
            Thing::Import(_) | Thing::Product(_) | Thing::Named(_) => None,
        }
    }
}

impl Display for Thing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Thing::Order(order) => write!(f, "order {order}"),
            Thing::Line(order, line_no) => write!(f, "line {line_no} of order {order}"),
            Thing::Event(order, version) => write!(f, "event {version} of order {order}"),
            Thing::Payment(order, attempt) => write!(f, "payment {attempt} of order {order}"),
            Thing::Refund(order, refund) => write!(f, "refund {refund} of order {order}"),
            Thing::Import(import) => write!(f, "import {import}"),
            Thing::Product(sku) => write!(f, "product {sku}"),
            Thing::Named(name) => f.write_str(name),
        }
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    rules: [Found; RULES.len()],
    notes: Vec<String>,
}

#[derive(Debug, Default)]
struct Found {
    checked: u64,
    breaches: Vec<(Breach, Option<OrderId>)>,
    more: u64,
}

impl Findings {
    /// Counts things that a rule was checked on.
    pub(super) fn checked(&mut self, rule: Rule, things: u64) {
        self.of(rule).checked += things;
    }

    /// A rule does not hold.
    pub(super) fn breach(
        &mut self,
        rule: Rule,
        thing: Thing<'_>,
        what: &'static str,
        expected: impl Display,
        found: impl Display,
    ) {
        let (name, number) = (thing.to_string(), rule as u8);
        let (expected, found) = (expected.to_string(), found.to_string());
        self.of(rule).add((Breach { rule: number, what, name, expected, found }, thing.order()));
    }

    /// A rule does not hold if the two differ.
    pub(super) fn same(
        &mut self,
        rule: Rule,
        thing: Thing<'_>,
        what: &'static str,
        expected: i64,
        found: i64,
    ) {
        if expected != found {
            self.breach(rule, thing, what, expected, found);
        }
    }

    /// Says what is left to a whole run.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Whether every rule holds so far.
    pub(super) fn is_clean(&self) -> bool {
        self.rules.iter().all(|found| found.breaches.is_empty() && found.more == 0)
    }

    /// The orders that breaches are about.
    pub(super) fn suspects(&self) -> Vec<OrderId> {
        let breaches = self.rules.iter().flat_map(|found| &found.breaches);
        let orders: BTreeSet<OrderId> = breaches.filter_map(|(_, order)| *order).collect();
        orders.into_iter().collect()
    }

    /// Takes every breach back.
    pub(super) fn acquit(&mut self) {
        for found in &mut self.rules {
            found.breaches.clear();
            found.more = 0;
        }
    }

    /// Adds the breaches of another check, whose things are counted already.
    pub(super) fn convict(&mut self, mut other: Findings) {
        for found in &mut other.rules {
            found.checked = 0;
        }
        self.merge(other);
    }

    /// Adds what another check found.
    pub(super) fn merge(&mut self, other: Findings) {
        for (found, other) in self.rules.iter_mut().zip(other.rules) {
            found.checked += other.checked;
            found.more += other.more;
            other.breaches.into_iter().for_each(|breach| found.add(breach));
        }
        self.notes.extend(other.notes);
    }

    pub(super) fn report(self, scope: Scope, orders: u64, took: Duration) -> Report {
        let rules = RULES.into_iter().zip(self.rules).map(|((rule, title, counts), found)| RuleReport {
            rule: rule as u8,
            title,
            checked: found.checked,
            counts,
            breaches: found.breaches.into_iter().map(|(breach, _)| breach).collect(),
            more: found.more,
        });
        Report { scope, orders, took, rules: rules.collect(), notes: self.notes }
    }

    fn of(&mut self, rule: Rule) -> &mut Found {
        &mut self.rules[rule as usize - 1]
    }
}

impl Found {
    fn add(&mut self, breach: (Breach, Option<OrderId>)) {
        if self.breaches.len() < LISTED {
            self.breaches.push(breach);
        } else {
            self.more += 1;
        }
    }
}
