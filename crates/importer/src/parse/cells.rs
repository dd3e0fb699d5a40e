//! The cells of an order's rows, and what is wrong with them.

use std::borrow::Cow;

use super::amounts::AmountReader;
use super::group::{Group, Row};
use super::order::OrderReader;
use super::{Returns, blame};
use crate::{Field, Layout, Reject, RejectCode};

/// What is wrong with one row.
pub(super) struct Fault {
    pub(super) row: usize,
    pub(super) code: RejectCode,
    pub(super) field: Option<Field>,
    pub(super) message: String,
}

/// One order being read.
pub(super) struct Reading<'r, 'a> {
    pub(super) reader: &'r mut OrderReader<'a>,
    pub(super) text: &'a str,
    pub(super) group: &'r Group<'a>,
    pub(super) rows: &'r [Row],
    pub(super) faults: Vec<Fault>,
}

impl<'a> Reading<'_, 'a> {
    /// Rows with the wrong number of cells, and rows among those of the order that do not name it.
    pub(super) fn check_shape(&mut self) {
        let expected = self.reader.layout.header.len();
        for (row, found) in self.rows.iter().enumerate() {
            let cells = self.group.cells_of(found);
            let surplus = cells.get(expected..).unwrap_or_default();
            if cells.len() < expected || surplus.iter().any(|cell| !cell.text(self.text).trim().is_empty()) {
                let message = format!("the row has {} columns, the header has {expected}", cells.len());
                self.faults.push(Fault { row, code: RejectCode::RaggedRow, field: None, message });
            } else if !found.of_order {
                let field = Field::ExternalOrderId;
                self.fault(row, RejectCode::MissingField, field, "the order id is blank".to_owned());
            }
        }
    }

    /// An amount of the whole order, if it is told. The outer option is empty if there is a fault.
    #[expect(clippy::option_option, reason = "a blank cell is no fault")]
    pub(super) fn amount(&mut self, field: Field, amounts: &AmountReader<'_>) -> Option<Option<i64>> {
        let Some((row, text)) = self.agreed(field, RejectCode::OrderValueDiffers) else { return Some(None) };
        match amounts.not_negative(&text) {
            Ok(amount) => Some(Some(amount)),
            Err((code, message)) => {
                self.fault(row, code, field, message);
                None
            }
        }
    }

    /// Every row needs the cell; where order cells stand on the first row only, that one.
    pub(super) fn require(&mut self, field: Field) {
        let needed = if self.reader.layout.profile.fill_down { 1 } else { self.rows.len() };
        for row in 0..needed {
            if self.value(row, field).is_empty() {
                self.fault(row, RejectCode::MissingField, field, format!("{} is blank", field.as_str()));
            }
        }
    }

    /// The value that a cell has in the first row where it is not blank.
    pub(super) fn first(&self, field: Field) -> Option<(usize, Cow<'a, str>)> {
        self.reader.columns[field as usize]?;
        (0..self.rows.len()).map(|row| (row, self.value(row, field))).find(|(_, value)| !value.is_empty())
    }

    /// The same, for a cell that must not have another value in another row.
    pub(super) fn agreed(&mut self, field: Field, differs: RejectCode) -> Option<(usize, Cow<'a, str>)> {
        let (first, told) = self.first(field)?;
        let told_raw = self.raw(first, field);
        for row in first + 1..self.rows.len() {
            if self.raw(row, field) == told_raw {
                continue;
            }
            let value = self.value(row, field);
            let same = value == told || (field != Field::CustomerId && value.eq_ignore_ascii_case(&told));
            if !value.is_empty() && !same {
                let (value, told, line) = (shorten(&value), shorten(&told), self.rows[first].line);
                let message =
                    format!("{} is {value:?}, but {told:?} in line {line} of the same order", field.as_str());
                self.fault(row, differs, field, message);
            }
        }
        Some((first, told))
    }

    pub(super) fn raw(&self, row: usize, field: Field) -> &'a [u8] {
        let cells = self.group.cells_of(&self.rows[row]);
        let cell = self.reader.columns[field as usize].and_then(|column| cells.get(column));
        cell.map(|cell| cell.raw(self.text.as_bytes())).unwrap_or_default()
    }

    /// A cell's value, blank if the file has no such column.
    pub(super) fn value(&self, row: usize, field: Field) -> Cow<'a, str> {
        let cells = self.group.cells_of(&self.rows[row]);
        let cell = self.reader.columns[field as usize].and_then(|column| cells.get(column));
        cell.map(|cell| self.reader.layout.value(cell.text(self.text))).unwrap_or_default()
    }

    pub(super) fn row(&self, row: usize) -> &Row {
        &self.rows[row]
    }

    pub(super) fn takes_returns(&self) -> bool {
        self.reader.rules.returns == Returns::Refund
    }

    pub(super) fn layout(&self) -> &'a Layout {
        self.reader.layout
    }

    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        result: Result<T, E>,
        row: usize,
        code: RejectCode,
        field: Field,
    ) -> Option<T> {
        result.map_err(|error| self.fault(row, code, field, error.to_string())).ok()
    }

    pub(super) fn fault(&mut self, row: usize, code: RejectCode, field: Field, message: String) {
        self.faults.push(Fault { row, code, field: Some(field), message });
    }

    /// The first fault of each row; rows without one name the first bad line.
    pub(super) fn into_rejects(self) -> Vec<Reject> {
        let mut faults = self.faults;
        faults.sort_by_key(|fault| fault.row);
        faults.dedup_by_key(|fault| fault.row);
        let bad_line = faults.first().map_or(0, |fault| self.rows[fault.row].line);
        let mut faults = faults.into_iter().peekable();
        let rejects = self.rows.iter().enumerate().map(|(index, row)| {
            let (line, raw) = (row.line, row.raw(self.text));
            match faults.next_if(|fault| fault.row == index) {
                Some(Fault { code, field, message, .. }) => Reject { line, code, field, message, raw },
                None => Reject {
                    line,
                    code: RejectCode::OrderRejected,
                    field: None,
                    message: blame(bad_line),
                    raw,
                },
            }
        });
        rejects.collect()
    }
}

/// A value for a message.
pub(super) fn shorten(value: &str) -> String {
    const SHOWN: usize = 60;
    let mut shown: String = value.chars().take(SHOWN).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    shown
}
