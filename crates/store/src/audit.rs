//! The ledger as an audit reads it: everything that belongs to a bounded set of orders, each table in one sweep along
//! its key, and the few sums that span the whole of it.

mod changes;
mod imports;
mod orders;
mod stock;

pub use changes::{Marks, Since, Unsettled, list_changed, list_unsettled, marks};
pub use imports::{Tally, list_tallies};
pub use orders::{
    AuditedEvent, AuditedLine, AuditedMovement, AuditedNotification, AuditedOrder, AuditedPayment,
    AuditedRefund, AuditedRefundLine, Slice, read_next, read_orders,
};
pub use stock::{Stray, for_each_level, for_each_movement, list_strays};
