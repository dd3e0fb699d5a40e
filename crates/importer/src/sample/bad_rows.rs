//! Rows that an import must reject.

use std::io::{self, Write};

use super::Cells;
use super::catalogue::{Article, person};
use crate::RejectCode;

/// Which orders get a bad row. The kinds of badness follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BadRows {
    every: u64,
}

impl BadRows {
    /// What the bad rows are rejected for, in turn.
    pub const CODES: [RejectCode; 7] = [
        RejectCode::InvalidDate,
        RejectCode::QuantityOutOfRange,
        RejectCode::InvalidPrice,
        RejectCode::InvalidEmail,
        RejectCode::RaggedRow,
        RejectCode::NegativeQuantity,
        RejectCode::UnknownCurrency,
    ];

    /// A bad row in the last of so many orders, and so on; 0 for none.
    pub const fn every(every: u64) -> Self {
        Self { every }
    }

    /// The row of this order that is bad, if one is.
    pub(super) fn row_of(self, order: u64, rows: u64) -> Option<u64> {
        let is_bad = self.every > 0 && (order + 1).is_multiple_of(self.every);
        // What an order has in common is read from its first row.
        is_bad.then(|| if self.spoils_first_row(order) { 0 } else { order % rows })
    }

    fn code(self, order: u64) -> RejectCode {
        Self::CODES[(order / self.every.max(1)) as usize % Self::CODES.len()]
    }

    fn spoils_first_row(self, order: u64) -> bool {
        matches!(self.code(order), RejectCode::InvalidEmail | RejectCode::UnknownCurrency)
    }

    pub(super) fn write(
        self,
        out: &mut impl Write,
        order: u64,
        cells: &Cells,
        article: &Article,
        quantity: u64,
    ) -> io::Result<()> {
        let mut row: Vec<String> = vec![
            format!("ORD-{}", cells.id),
            cells.placed_at.to_string(),
            cells.currency.to_owned(),
            format!("C{}", cells.customer),
            format!("c{}@example.com", cells.customer),
            person(cells.customer),
            article.sku.clone(),
            article.name.clone(),
            article.price.to_string(),
            quantity.to_string(),
        ];
        match self.code(order) {
            RejectCode::InvalidDate => row[1] = "31/31/2025".into(),
            RejectCode::UnknownCurrency => row[2] = "QQQ".into(),
            RejectCode::InvalidEmail => row[4] = "not an e-mail".into(),
            RejectCode::InvalidPrice => row[8] = "12.5O".into(),
            RejectCode::QuantityOutOfRange => row[9] = "0".into(),
            RejectCode::NegativeQuantity => row[9].insert(0, '-'),
            _ => row.truncate(9),
        }
        writeln!(out, "{}", row.join(","))
    }
}
