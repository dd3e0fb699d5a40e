//! Customers: found, and seen with what they bought and where they stand.

mod list;
mod rank;
mod show;

pub(super) use list::list;
pub(super) use rank::rank;
pub(super) use show::show;
