//! What a dry run tells.

use app::imports::{DryRun, Reason, Reject};

use super::rejects::LETTERS;
use crate::pages::parts::Badge;
use crate::pages::words::{clipped, number};

/// Products of which there is too little that are listed.
const SHOWN: usize = 100;

/// What an import would do.
pub(super) struct Report {
    pub(super) rows: String,
    pub(super) figures: Vec<(&'static str, String)>,
    pub(super) reasons: Vec<ReasonRow>,
    pub(super) shortfalls: Vec<(String, String, String)>,
    pub(super) unlisted: usize,
}

/// Why rows would be rejected, with the first of them.
pub(super) struct ReasonRow {
    pub(super) code: Badge,
    pub(super) meaning: &'static str,
    pub(super) rows: String,
    pub(super) line: String,
    pub(super) message: String,
    pub(super) raw: String,
}

impl Report {
    pub(super) fn new(told: DryRun) -> Self {
        let count = |count: u64| number(count.cast_signed());
        let reason = |reason: &Reason| {
            ReasonRow::new(reason, told.rejects.iter().find(|reject| reject.code == reason.code))
        };
        Report {
            rows: count(told.rows),
            figures: vec![
                ("Orders to be imported", count(told.orders_imported)),
                ("There already", count(told.orders_duplicate)),
                ("Orders rejected", count(told.orders_rejected)),
                ("Products made", count(told.products_created)),
                ("Orders short of stock", count(told.orders_short)),
            ],
            reasons: told.reasons.iter().map(reason).collect(),
            unlisted: told.shortfalls.len().saturating_sub(SHOWN),
            shortfalls: told
                .shortfalls
                .into_iter()
                .take(SHOWN)
                .map(|short| (short.sku, number(short.wanted), number(short.available)))
                .collect(),
        }
    }
}

impl ReasonRow {
    /// Of those that come late in a long file there is none to be shown.
    fn new(reason: &Reason, first: Option<&Reject>) -> Self {
        ReasonRow {
            code: Badge::new(reason.code.as_str()),
            meaning: reason.code.meaning(),
            rows: number(reason.rows.cast_signed()),
            line: first.map(|reject| reject.line.to_string()).unwrap_or_default(),
            message: first.map(|reject| reject.message.clone()).unwrap_or_default(),
            raw: first.map(|reject| clipped(&reject.raw, LETTERS)).unwrap_or_default(),
        }
    }
}
