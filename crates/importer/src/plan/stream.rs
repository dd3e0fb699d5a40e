//! Records of a text that is too large to hold.

use std::io::{self, Read};

use crate::records::{Scan, cell_at, count_line_ends, scan};
use crate::{PlanOptions, ReadError};

const BUFFER: usize = 512 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Where a record lies in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    /// The line it begins in, from 1.
    pub(super) line: u64,
    /// Its first byte in the text.
    pub(super) offset: u64,
    start: usize,
    end: usize,
}

/// Reads a text record by record through one buffer, which grows only for a long row.
pub(super) struct RecordStream<'a, R> {
    reader: &'a mut R,
    delimiter: u8,
    max_field: usize,
    max_row: usize,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The text's offset of the buffer's first byte.
    base: u64,
    line: u64,
    at_end: bool,
}

impl<'a, R: Read> RecordStream<'a, R> {
    pub(super) fn new(reader: &'a mut R, delimiter: u8, options: &PlanOptions) -> Self {
        Self::with_buffer(reader, delimiter, options, BUFFER)
    }

    /// With a small buffer, to read one record.
    pub(super) fn small(reader: &'a mut R, delimiter: u8, options: &PlanOptions) -> Self {
        Self::with_buffer(reader, delimiter, options, 4096)
    }

    fn with_buffer(reader: &'a mut R, delimiter: u8, options: &PlanOptions, size: usize) -> Self {
        let PlanOptions { max_field, max_row, .. } = *options;
        let buffer = vec![0; size];
        Self {
            reader,
            delimiter,
            max_field,
            max_row,
            buffer,
            start: 0,
            end: 0,
            base: 0,
            line: 1,
            at_end: false,
        }
    }

    /// The next record. Its bytes stay in the buffer until the next call.
    pub(super) fn next(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            let pending = &self.buffer[self.start..self.end];
            match scan(pending, self.delimiter, self.at_end) {
                Scan::Record { end, next, lines } => {
                    if end > self.max_field {
                        self.check_size(end)?;
                    }
                    let (line, offset) = (self.line, self.offset());
                    let record = Record { line, offset, start: self.start, end: self.start + end };
                    self.start += next;
                    self.line += lines;
                    return Ok(Some(record));
                }
                Scan::Blank { next, lines } => {
                    self.start += next;
                    self.line += lines;
                }
                Scan::Incomplete => {
                    if pending.len() > self.max_field {
                        self.check_size(pending.len())?;
                    }
                    self.refill()?;
                }
                Scan::UnclosedQuote { lines, .. } => {
                    return Err(ReadError::UnclosedQuote { line: self.line + lines });
                }
                Scan::End => return Ok(None),
            }
        }
    }

    pub(super) fn bytes(&self, record: &Record) -> &[u8] {
        &self.buffer[record.start..record.end]
    }

    /// How far the text was read.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    fn refill(&mut self) -> Result<(), ReadError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        if self.end * 2 > self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let at_start = self.base == 0 && self.end == 0;
        while self.end < self.buffer.len() {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::Io(error)),
            }
        }
        if at_start && self.buffer[..self.end].starts_with(BYTE_ORDER_MARK) {
            self.start = BYTE_ORDER_MARK.len();
        }
        Ok(())
    }

    /// Looks at the cells of a long row, as far as it was read.
    fn check_size(&self, length: usize) -> Result<(), ReadError> {
        let row = &self.buffer[self.start..self.start + length];
        let (mut next, mut column) = (Some(0), 1);
        while let Some(at) = next {
            let (cell, following) = cell_at(row, at, self.delimiter);
            if cell.len() > self.max_field {
                let line = self.line + count_line_ends(&row[..at]);
                let quoted = row.get(at) == Some(&b'"');
                let hint = if quoted { ": is the quote that opens it never closed?" } else { "" };
                return Err(ReadError::FieldTooLong { line, column, limit: self.max_field, hint });
            }
            next = following;
            column += 1;
        }
        if length > self.max_row {
            return Err(ReadError::RowTooLong { line: self.line, limit: self.max_row });
        }
        Ok(())
    }
}
