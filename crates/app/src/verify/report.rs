use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::Scope;

/// What a check of the rules found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How much was checked: everything, where there was no earlier run to go on from.
    pub scope: Scope,
    /// Orders that were checked.
    pub orders: u64,
    /// How long it took; seconds in JSON.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// Each rule, in the order of its number.
    pub rules: Vec<RuleReport>,
    /// What was left to a whole run, in sentences.
    pub notes: Vec<String>,
}

/// What a check of one rule found.
#[derive(Debug, Clone, Serialize)]
pub struct RuleReport {
    /// Its number, from 1.
    pub rule: u8,
    /// What it says.
    pub title: &'static str,
    /// How many things it was checked on; [`counts`](Self::counts) says which.
    pub checked: u64,
    /// What was counted: orders, products, imports.
    pub counts: &'static str,
    /// Where it does not hold: the first thousand.
    pub breaches: Vec<Breach>,
    /// How many more there are.
    pub more: u64,
}

/// A place where a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// The rule's number.
    pub rule: u8,
    /// Which figure or row is wrong.
    pub what: &'static str,
    /// Of which thing.
    pub name: String,
    /// What the rule asks for.
    pub expected: String,
    /// What there is.
    pub found: String,
}

impl Report {
    /// Whether every rule holds.
    pub fn is_clean(&self) -> bool {
        self.rules.iter().all(|rule| rule.breaches.is_empty() && rule.more == 0)
    }

    /// The breaches of all rules.
    pub fn breaches(&self) -> impl Iterator<Item = &Breach> {
        self.rules.iter().flat_map(|rule| &rule.breaches)
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Breach { rule, what, name, expected, found } = self;
        write!(f, "rule {rule}: {name}: {what}: expected {expected}, found {found}")
    }
}

fn seconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(took.as_secs_f64())
}
