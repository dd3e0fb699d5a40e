//! The rows of one order while they are gathered.

use std::borrow::Cow;

use super::RowSpan;
use crate::records::Cell;

/// A row of the order at hand.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) span: RowSpan,
    /// Whether it is known to belong to the order, and does not only stand among its rows.
    pub(super) of_order: bool,
    cells_start: usize,
    cells_end: usize,
}

impl Row {
    pub(super) fn raw(&self, text: &str) -> String {
        self.span.raw(text.as_bytes())
    }
}

/// The rows of the order at hand. Its buffers are used again for the next order.
#[derive(Default)]
pub(super) struct Group<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) rows: Vec<Row>,
    cells: Vec<Cell>,
}

impl Group<'_> {
    pub(super) fn push(&mut self, span: RowSpan, line: u64, cells: &[Cell], of_order: bool) {
        let cells_start = self.cells.len();
        self.cells.extend_from_slice(cells);
        self.rows.push(Row { line, span, of_order, cells_start, cells_end: self.cells.len() });
    }

    pub(super) fn cells_of(&self, row: &Row) -> &[Cell] {
        &self.cells[row.cells_start..row.cells_end]
    }

    pub(super) fn clear(&mut self) {
        self.id = Cow::Borrowed("");
        self.rows.clear();
        self.cells.clear();
    }
}
