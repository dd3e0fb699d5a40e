//! Orders and their lines.

mod head;
mod insert;
mod lines;
pub(crate) mod search;
mod stages;
mod view;

pub use head::{Change, Head, find_ids, get_head, list_heads, list_totals, lock_heads, save};
pub use insert::{KnownOrder, NewLine, NewOrder, find_known, insert, set_customers};
pub use lines::{Line, UnitChange, change_units, list_lines, set_products};
pub use search::{Place, Search, Sort, search};
pub use stages::{Stages, stages_of_newest};
pub use view::{Filter, LineView, OrderRow, OrderView, get_view, list, names, next_of_import, resolve};
