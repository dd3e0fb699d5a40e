//! Records of a CSV text: where one ends, and which cells it has.
//!
//! The planner and the row parser both stand on these functions, so they cannot disagree about a boundary or
//! a line number. The grammar is that of the `csv` crate, which the property tests hold it to: a quote opens a
//! cell only at the cell's start, `""` inside quotes is one quote, text after a closing quote is kept, LF, CRLF
//! and a bare CR end a record, and blank lines are no records. Unlike the crate, lines are counted as an
//! editor counts them, so a file with bare CRs has the right numbers too.

use std::borrow::Cow;

use memchr::{memchr, memchr2_iter, memchr3};

const QUOTE: u8 = b'"';

/// What stands at the start of a buffer. Lengths are in bytes from the buffer's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scan {
    /// A whole record: its bytes end at `end`, the next one begins at `next`, `lines` line ends were passed.
    Record { end: usize, next: usize, lines: u64 },
    /// Line ends that belong to no record.
    Blank { next: usize, lines: u64 },
    /// The record goes on behind the buffer.
    Incomplete,
    /// The text ends inside the quoted cell that opens at `at`, `lines` line ends after the record's first.
    UnclosedQuote { at: usize, lines: u64 },
    /// Nothing is left.
    End,
}

/// Finds the end of the record that starts at `buf[0]`; `last` says that no text follows the buffer.
pub(crate) fn scan(buf: &[u8], delimiter: u8, last: bool) -> Scan {
    match buf.first() {
        None if last => return Scan::End,
        None => return Scan::Incomplete,
        Some(b'\r' | b'\n') => return scan_blank(buf, last),
        Some(_) => {}
    }
    let (mut from, mut lines) = (0, 0);
    while let Some(at) = memchr3(QUOTE, b'\n', b'\r', &buf[from..]).map(|found| from + found) {
        match buf[at] {
            QUOTE if at == 0 || buf[at - 1] == delimiter => match closing_quote(buf, at + 1, last) {
                Some(closing) => {
                    lines += count_line_ends(&buf[at..closing.at]);
                    from = closing.at + 1;
                }
                None if last => return Scan::UnclosedQuote { at, lines },
                None => return Scan::Incomplete,
            },
            QUOTE => from = at + 1,
            b'\n' => return Scan::Record { end: at, next: at + 1, lines: lines + 1 },
            _ => {
                return match buf.get(at + 1) {
                    Some(b'\n') => Scan::Record { end: at, next: at + 2, lines: lines + 1 },
                    None if !last => Scan::Incomplete,
                    _ => Scan::Record { end: at, next: at + 1, lines: lines + 1 },
                };
            }
        }
    }
    if last { Scan::Record { end: buf.len(), next: buf.len(), lines: lines + 1 } } else { Scan::Incomplete }
}

fn scan_blank(buf: &[u8], last: bool) -> Scan {
    let mut next = buf.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(buf.len());
    // A CR at the very end may be half of a CRLF.
    if next == buf.len() && !last && buf.ends_with(b"\r") {
        next -= 1;
    }
    if next == 0 { Scan::Incomplete } else { Scan::Blank { next, lines: count_line_ends(&buf[..next]) } }
}

struct Closing {
    at: usize,
    doubled: bool,
}

/// The quote that closes the cell whose text starts at `from`, or nothing if the buffer ends first.
fn closing_quote(buf: &[u8], mut from: usize, last: bool) -> Option<Closing> {
    let mut doubled = false;
    while let Some(at) = memchr(QUOTE, &buf[from..]).map(|found| from + found) {
        match buf.get(at + 1) {
            Some(&QUOTE) => {
                doubled = true;
                from = at + 2;
            }
            None if !last => return None,
            _ => return Some(Closing { at, doubled }),
        }
    }
    None
}

/// Line ends as an editor counts them: LF, CRLF, and CR alone are one each.
pub(crate) fn count_line_ends(text: &[u8]) -> u64 {
    memchr2_iter(b'\n', b'\r', text)
        .filter(|&at| text[at] == b'\n' || text.get(at + 1) != Some(&b'\n'))
        .count() as u64
}

/// Where a cell lies in its text. `escaped` cells still carry their quotes; others are ready to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    start: u32,
    end: u32,
    escaped: bool,
}

impl Cell {
    /// The cell's bytes as they stand, with quotes if there is anything to unescape.
    pub(crate) fn raw<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.start as usize..self.end as usize]
    }

    /// The cell's text without quotes.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let raw = &text[self.start as usize..self.end as usize];
        if self.escaped { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) }
    }

    pub(crate) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }
}

/// Appends the cells of the record at `start..end` of `text`, which `scan` has found.
pub(crate) fn split(text: &[u8], start: usize, end: usize, delimiter: u8, cells: &mut Vec<Cell>) {
    let record = &text[..end];
    let mut at = start;
    loop {
        let (cell, next) = cell_at(record, at, delimiter);
        cells.push(cell);
        match next {
            Some(next) => at = next,
            None => return,
        }
    }
}

/// The cell at `index` (from 0) of a record, if the record has so many.
pub(crate) fn nth_cell(record: &[u8], index: usize, delimiter: u8) -> Option<Cell> {
    let mut at = 0;
    for _ in 0..index {
        at = cell_at(record, at, delimiter).1?;
    }
    Some(cell_at(record, at, delimiter).0)
}

/// The cell that starts at `at`, and where the next one starts.
pub(crate) fn cell_at(record: &[u8], at: usize, delimiter: u8) -> (Cell, Option<usize>) {
    let cell = |start: usize, end: usize, escaped| Cell { start: start as u32, end: end as u32, escaped };
    let until = |from: usize| memchr(delimiter, &record[from..]).map_or(record.len(), |found| from + found);
    let (cell, end) = if record.get(at) == Some(&QUOTE) {
        match closing_quote(record, at + 1, true) {
            Some(closing) => {
                let end = until(closing.at + 1);
                let plain = end == closing.at + 1 && !closing.doubled;
                (if plain { cell(at + 1, closing.at, false) } else { cell(at, end, true) }, end)
            }
            None => (cell(at, record.len(), true), record.len()),
        }
    } else {
        let end = until(at);
        (cell(at, end, false), end)
    };
    (cell, (end < record.len()).then_some(end + 1))
}

/// The text of a cell that begins with a quote: doubled quotes become one, text behind the closing one stays.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = &raw[1..];
    while let Some(at) = rest.find('"') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                text.push('"');
                rest = after;
            }
            None => break,
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(record: &str) -> Vec<String> {
        let mut cells = Vec::new();
        split(record.as_bytes(), 0, record.len(), b',', &mut cells);
        cells.iter().map(|cell| cell.text(record).into_owned()).collect()
    }

    #[test]
    fn quotes_open_a_cell_only_at_its_start() {
        assert_eq!(cells(r#"12" ruler,"a ""b"", c","x"y,"#), [r#"12" ruler"#, r#"a "b", c"#, "xy", ""]);
    }

    #[test]
    fn every_kind_of_line_end_ends_a_record() {
        assert_eq!(scan(b"a\nb", b',', true), Scan::Record { end: 1, next: 2, lines: 1 });
        assert_eq!(scan(b"a\r\nb", b',', true), Scan::Record { end: 1, next: 3, lines: 1 });
        assert_eq!(scan(b"a\rb", b',', true), Scan::Record { end: 1, next: 2, lines: 1 });
        assert_eq!(scan(b"a\r", b',', false), Scan::Incomplete);
        assert_eq!(scan(b"\r\n\r\na", b',', false), Scan::Blank { next: 4, lines: 2 });
    }

    #[test]
    fn lines_inside_quotes_are_counted() {
        assert_eq!(scan(b"\"a\r\nb\rc\nd\",e\nf", b',', true), Scan::Record { end: 12, next: 13, lines: 4 });
        assert_eq!(scan(b"x,\"a\nb", b',', true), Scan::UnclosedQuote { at: 2, lines: 0 });
    }
}
