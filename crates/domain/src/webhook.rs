//! What became of a webhook delivery.

use crate::coded::coded_enum;

coded_enum! {
    /// The answer recorded for each delivery, good or bad.
    Verdict ("verdict") {
        /// It changed the ledger.
        Applied = 1 => "applied",
        /// Its event was handled before.
        Duplicate = 2 => "duplicate",
        /// It tells of something the order has already moved beyond.
        Stale = 3 => "stale",
        /// It is genuine and means nothing to us.
        Ignored = 4 => "ignored",
        /// It is not genuine, not readable, or contradicts the ledger.
        Rejected = 5 => "rejected",
    }
}
