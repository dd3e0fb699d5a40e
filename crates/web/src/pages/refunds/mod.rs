//! Refunds: found, and seen with what becomes of them.

mod list;
mod show;

pub(super) use list::list;
pub(super) use show::show;
