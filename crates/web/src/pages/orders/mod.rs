//! Orders: found, seen, and moved on.

mod list;

pub(super) use list::list;
