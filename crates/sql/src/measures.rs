//! What is measured of transactions. It costs next to nothing where nobody collects it.

use std::time::Duration;

use metrics::{counter, histogram};

/// How a transaction ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Committed,
    RolledBack,
}

/// Transactions that ended.
pub(crate) fn ended(kind: &'static str, outcome: Outcome, count: usize) {
    let outcome = match outcome {
        Outcome::Committed => "committed",
        Outcome::RolledBack => "rolled_back",
    };
    counter!("ordermill_ledger_transactions_total", "kind" => kind, "outcome" => outcome)
        .increment(count as u64);
}

/// A commit that took so long.
pub(crate) fn committed_within(took: Duration) {
    histogram!("ordermill_ledger_commit_seconds").record(took);
}

/// Transactions that run again because they gave way to others or lost their server.
pub(crate) fn run_again(count: usize) {
    counter!("ordermill_ledger_retries_total").increment(count as u64);
}
