//! KPIs and leaderboards, kept in the ledger's transaction and rebuilt from it.

mod apply;
mod board;
mod changes;
mod currency;
mod customers;
mod diff;
mod error;
mod fact;
mod figures;
mod generation;
mod kpis;
mod leaderboard;
mod leaders;
mod products;
mod rebuild;
mod score;
mod spans;
mod sums;

pub use apply::apply;
pub use board::{Board, BoardEntry, BoardOf};
pub use currency::CurrencyChoice;
pub use diff::{DayDiff, FigureDiff, FirstOrder, FirstOrderDiff, ScoreDiff, ScoreDiffs, diff};
pub use error::{Error, Result};
pub use fact::{Fact, FactLine};
pub use figures::Figures;
pub use kpis::{Granularity, KpiPeriod, KpiQuery, KpiReport, Kpis, kpis};
pub use leaderboard::{BoardQuery, leaderboard, rank_of};
pub use rebuild::{Rebuild, other_zone, sweep};
pub use score::Score;
pub use sums::{SumCheck, SumDiff, check_sums, sum_checks};

/// The schema of the figures.
pub static MIGRATIONS: sql::Migrations = sql::Migrations {
    history: "analytics",
    steps: &[sql::Migration { version: 1, name: "figures", sql: include_str!("migrations/001_figures.sql") }],
};
