//! The figures in SQL.
//!
//! | table | a row is | key |
//! | --- | --- | --- |
//! | `kpi_generations` | a whole set of figures, in one time zone: the live one, one being rebuilt | `id` |
//! | `kpi_series` | one currency of a generation; its id leads every key below | `id` |
//! | `kpi_periods` | the key figures of a day, week, month or all time | `series, period, start_day` |
//! | `customer_days`, `customer_months` | a customer's score; the months know the days with an order, as bits | `series, day or month, customer_id` |
//! | `customer_totals` | a customer's score, first order and last day | `series, customer_id` |
//! | `customer_leaders` | the best of `customer_totals` | `series, customer_id` |
//! | `product_days`, `product_months` | a product's score | `series, day or month, product_id` |
//!
//! Days are numbers of days since 1970, weeks and months their first day, times epoch microseconds.
//!
//! # What is not stored, and why
//!
//! The writer is the bottleneck, so a stored row must earn its place. A batch touches each key figure and each product
//! once, but every order another customer: there, a stored row is a random page to write.
//!
//! - Boards by week, and those of products over all time, are added up when they are read, from days and months.
//! - No table that grows has an index beside its key. With 100,000 customers, an index on the score of `customer_totals` made
//!   writing and committing that table about twice as dear, with 1,000,000 customers nearly three times, because most
//!   orders dirty another page or two. Reading the best 20 of 1,000,000 without any help took about 80 ms.
//!   `customer_leaders` keeps the best 1,000 to 2,000 apart: nearly free for a customer far from the top. It is small
//!   enough to be indexed by score, and a board reads as many rows as it shows.
//! - Whether a customer is new in a period follows from the first and last day in `customer_totals`, which is read
//!   anyway; only an order between the two looks at the bits of the months.
//!
//! `examples/apply_cost.rs` measures it: 7.5 µs an order (median of seven runs on two cores, 7.3 to 9.1) in batches of
//! 500, with 100,000 customers and two lines an order; 17 µs with a commit of its own for each batch.
//!
//! # Order of locks
//!
//! Whoever writes figures first locks the rows of `kpi_generations` and `kpi_series`, all of them and in the order of
//! their ids; the rest is then serialised, and what was read before an upsert still holds.

mod apply;
mod counting;
mod customers;
mod figures;
mod generation;
mod kpis;
mod leaderboard;
mod leaders;
mod products;
mod rebuild;
mod settle;
mod source;
mod sums;
mod sweep;

pub use apply::apply;
pub use kpis::kpis;
pub use leaderboard::{customer_scores, leaderboard, rank_of};
pub use rebuild::{Rebuild, other_zone};
pub use settle::{is_settled, settle, settled};
pub use sums::{SumCheck, check_sums, sum_checks};
pub use sweep::sweep;

use sql::{Migration, Migrations, Value};

use crate::Score;
use crate::changes::Key;

/// The schema of the figures.
pub static MIGRATIONS: Migrations = Migrations {
    history: "analytics",
    steps: &[
        Migration::new(1, "figures", include_str!("migrations/001_figures.sql")),
        Migration::new(2, "feed", include_str!("migrations/002_feed.sql")),
        Migration::new(3, "leaders_by_score", include_str!("migrations/003_leaders_by_score.sql")),
    ],
};

/// `reached_at` of a stored row after a new part came in.
pub(crate) const LATEST: &str =
    "reached_at = CASE WHEN new.reached_at > reached_at THEN new.reached_at ELSE reached_at END";

/// The values of rows `(series, start, id, count, net, reached_at)`.
fn rows<'v>(series: i64, scores: &[(Key, Score)]) -> Vec<Value<'v>> {
    let mut values = Vec::with_capacity(scores.len() * 6);
    for ((start, id), Score { count, net, reached_at }) in scores {
        let row = [series, i64::from(*start), *id, *count, *net, *reached_at];
        values.extend(row.map(Value::Int));
    }
    values
}
