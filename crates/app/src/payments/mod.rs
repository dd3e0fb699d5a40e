//! Payments: what the gateway says, and what becomes of it.

mod deadlines;
mod inbox;
mod settlement;
mod voiding;

pub use deadlines::settle_overdue;
pub(crate) use inbox::record;
pub use inbox::{Checked, Incoming, Receipt, Standing, check, receive, receive_checked};
pub(crate) use settlement::Settlement;
pub(crate) use voiding::{record_voided, void_open};
