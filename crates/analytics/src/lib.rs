//! KPIs and leaderboards, kept in the ledger's transaction and rebuilt from it.
//!
//! [`Fact`]s go in: an order was confirmed, refunded, failed, cancelled. [`apply`] adds them to the figures in the
//! transaction that made them true, so that figures and ledger cannot part. Reads come out: [`kpis`], [`leaderboard`],
//! [`rank_of`]. A backend owes no more than that, and the same figures; [`mod@sql`] is the one for SQL.
//!
//! What each figure means is said by [`domain::KpiFigures`]. What is decided here:
//!
//! - A fact counts on one business day: an order's on the day it was placed, a refund's on the day it succeeded.
//!   Weeks, months and all time are made of these days. Facts may come in any order.
//! - A [`Score`] is net money: confirmed orders less refunds, each on its own day, so that a day may be negative.
//!   Everybody with an order or refund in a period is on its board.
//! - A score is *reached* at the latest of the instants that moved it: when an order was confirmed or a refund
//!   succeeded. A fact of zero money moves nothing. Equal scores: who reached it first, then the smaller id.
//! - New customers are counted by currency, and so is everything else; amounts of two currencies never meet.
//! - A report's weeks and months are cut to its span, so that its periods add up to its total; distinct customers of
//!   the total are counted, not added.
//!
//! Two things prove the figures: a [`Rebuild`] beside the live ones, and, without a write, [`diff`] of the stored days
//! with the ledger's ([`Figures`]) together with [`check_sums`] of all that is derived from the days.

mod board;
mod changes;
mod counting;
mod currency;
mod customers;
mod diff;
mod error;
mod fact;
mod feed;
mod figures;
mod names;
mod packed;
pub mod redis;
mod report;
mod score;
mod spans;
pub mod sql;
mod sums;
mod zone;

pub use board::{Board, BoardEntry, BoardOf, BoardQuery, CustomerScores};
pub use currency::CurrencyChoice;
pub use diff::{DayDiff, FigureDiff, FirstOrder, FirstOrderDiff, ScoreDiff, ScoreDiffs, diff};
pub use error::{Error, Result};
pub use fact::{Fact, FactLine};
pub use feed::disown;
pub use figures::Figures;
pub use report::{Granularity, KpiPeriod, KpiQuery, KpiReport, Kpis};
pub use score::Score;
pub use sums::SumDiff;

pub use self::sql::{
    MIGRATIONS, Rebuild, SumCheck, apply, check_sums, customer_scores, kpis, leaderboard, other_zone,
    rank_of, sum_checks, sweep,
};
