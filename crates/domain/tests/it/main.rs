//! The rules of the domain, proven through its public door.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod calendar;
mod codes;
mod decimals;
mod kpis;
mod money;
mod order_sequences;
mod order_table;
mod orders;
mod refunds;
mod stock;
mod text;
mod totals;
mod world;
