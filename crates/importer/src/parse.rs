//! Turning a chunk's rows into orders and rejects.

mod amounts;
mod cells;
mod dates;
mod fingerprint;
mod group;
mod line;
mod order;
mod recorded;

use domain::order::OrderTotals;
use domain::{Currency, Email, ExternalId, Label, PersonName, ProductName, Quantity, Sku};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::records::{Cell, Scan, scan, split};
use crate::{BrokenOrders, ChunkRange, Field, Layout, ReadError, Reject, RejectCode, Workflow};
use group::Group;
use order::OrderReader;
pub use recorded::Recorded;

/// What to do when an order's total is not what its rows add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TotalMismatch {
    /// The order is rejected.
    #[default]
    Reject,
    /// The told total counts; the difference is kept as an adjustment.
    Adjust,
}

/// What to do with rows of a negative quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// Their orders are rejected.
    #[default]
    Reject,
    /// They take back units of the same order.
    Refund,
}

/// The rules that an import holds its rows to.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The shop's zone, for times without an offset where the profile names none.
    pub zone: TimeZone,
    /// The latest time an order may have been placed, such as two years from now.
    pub latest: Timestamp,
    /// What the import is for.
    pub workflow: Workflow,
    /// Totals that do not add up.
    pub total_mismatch: TotalMismatch,
    /// Negative quantities.
    pub returns: Returns,
}

/// The customer of an order: at least an id or an e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedCustomer {
    /// Id in the system it comes from.
    pub external_id: Option<ExternalId>,
    /// E-mail; without it no mail is sent.
    pub email: Option<Email>,
    /// Name.
    pub name: Option<PersonName>,
}

/// Where a row lies in its chunk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowSpan {
    start: u32,
    end: u32,
}

impl RowSpan {
    fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    fn raw(self, chunk: &[u8]) -> String {
        String::from_utf8_lossy(chunk.get(self.start as usize..self.end as usize).unwrap_or_default())
            .into_owned()
    }
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedLine {
    /// Its number in the order, from 1.
    pub line_no: u32,
    /// What was sold.
    pub sku: Sku,
    /// Its name as sold.
    pub name: ProductName,
    /// Price of one unit in minor units.
    pub unit_price: i64,
    /// How many units.
    pub quantity: Quantity,
    /// `unit_price` × `quantity`.
    pub total: i64,
    /// Its line in the file.
    pub file_line: u64,
    /// Where its row lies.
    pub row: RowSpan,
}

/// An order whose rows passed all rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedOrder {
    /// Id in the system it comes from.
    pub external_id: ExternalId,
    /// The earliest time of its rows.
    pub placed_at: Timestamp,
    /// Its currency.
    pub currency: Currency,
    /// Who bought.
    pub customer: ParsedCustomer,
    /// What was bought.
    pub lines: Vec<ParsedLine>,
    /// What was taken back, with positive quantities: never more of a SKU than `lines` have. Empty unless the
    /// rules take returns. Totals do not contain it.
    pub returns: Vec<ParsedLine>,
    /// Its money.
    pub totals: OrderTotals,
    /// How it was paid.
    pub payment_method: Option<Label>,
    /// Free text.
    pub notes: Option<String>,
    /// The state that the file tells, which a historical order enters in.
    pub recorded: Recorded,
    /// The file's line of its first row.
    pub first_line: u64,
    /// The file's line of its last row.
    pub last_line: u64,
    /// The same for the same content, however it was written; tells a duplicate from one that differs.
    pub content_hash: [u8; 16],
}

impl ParsedOrder {
    /// All its rows by line: those of `lines` and of `returns`.
    pub fn rows(&self) -> impl Iterator<Item = &ParsedLine> {
        let mut rows: Vec<&ParsedLine> = self.lines.iter().chain(&self.returns).collect();
        rows.sort_unstable_by_key(|row| row.line_no);
        rows.into_iter()
    }

    /// Rejects the whole order for what the caller found in one of its lines. `chunk` are the bytes it was
    /// parsed from.
    pub fn reject(
        &self,
        chunk: &[u8],
        line_no: u32,
        code: RejectCode,
        field: Option<Field>,
        message: &str,
    ) -> Vec<Reject> {
        let bad_line =
            self.rows().find(|row| row.line_no == line_no).map_or(self.first_line, |row| row.file_line);
        self.rows()
            .map(|row| {
                let (line, raw) = (row.file_line, row.row.raw(chunk));
                if row.line_no == line_no {
                    Reject { line, code, field, message: message.to_owned(), raw }
                } else {
                    Reject {
                        line,
                        code: RejectCode::OrderRejected,
                        field: None,
                        message: blame(bad_line),
                        raw,
                    }
                }
            })
            .collect()
    }
}

fn blame(line: u64) -> String {
    format!("the order is rejected for its line {line}")
}

/// What a chunk holds. Its rows are those of its orders, its rejects, and `skipped`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedChunk {
    /// The orders, as they follow each other.
    pub orders: Vec<ParsedOrder>,
    /// The rows that are not imported, by line.
    pub rejects: Vec<Reject>,
    /// How many orders those rows belong to; a row without an order id counts as one.
    pub rejected_orders: u64,
    /// Rows in all.
    pub rows: u64,
    /// Rows that have delimiters and nothing else.
    pub skipped: u64,
}

/// Reads the rows of one chunk of a plan; `bytes` are exactly those of its range.
///
/// Bad rows become rejects. An error means that the bytes are not what was planned.
pub fn parse_chunk(
    bytes: &[u8],
    chunk: &ChunkRange,
    layout: &Layout,
    rules: &Rules,
    broken: &BrokenOrders,
) -> Result<ParsedChunk, ReadError> {
    let changed = |reason: &str| ReadError::Changed { chunk: chunk.index, reason: reason.to_owned() };
    let text = std::str::from_utf8(bytes).map_err(|_| changed("it is not UTF-8"))?;
    let mut reader = ChunkReader {
        text,
        layout,
        broken,
        order_column: layout.order_column(),
        orders: OrderReader::new(layout, rules),
        group: Group::default(),
        cells: Vec::new(),
        parsed: ParsedChunk::default(),
    };
    let (mut at, mut line) = (0, chunk.first_line);
    loop {
        match scan(&bytes[at..], layout.delimiter, true) {
            Scan::Record { end, next, lines } => {
                reader.take(at, at + end, line);
                at += next;
                line += lines;
            }
            Scan::Blank { next, lines } => {
                at += next;
                line += lines;
            }
            Scan::UnclosedQuote { .. } | Scan::Incomplete => {
                return Err(changed("it ends within a quoted cell"));
            }
            Scan::End => break,
        }
    }
    reader.finish_order();
    if reader.parsed.rows != chunk.rows {
        return Err(changed(&format!("it has {} rows instead of {}", reader.parsed.rows, chunk.rows)));
    }
    Ok(reader.parsed)
}

struct ChunkReader<'a> {
    text: &'a str,
    layout: &'a Layout,
    broken: &'a BrokenOrders,
    order_column: usize,
    orders: OrderReader<'a>,
    group: Group<'a>,
    /// The cells of the row at hand.
    cells: Vec<Cell>,
    parsed: ParsedChunk,
}

impl ChunkReader<'_> {
    fn take(&mut self, start: usize, end: usize, line: u64) {
        self.parsed.rows += 1;
        self.cells.clear();
        split(self.text.as_bytes(), start, end, self.layout.delimiter, &mut self.cells);
        let value = |cell: &Cell| self.layout.value(cell.text(self.text));
        let id = self.cells.get(self.order_column).map(value).unwrap_or_default();
        if id.is_empty() && self.cells.iter().all(|cell| value(cell).is_empty()) {
            self.parsed.skipped += 1;
            return;
        }
        if !id.is_empty() && id != self.group.id {
            self.finish_order();
            self.group.id = id;
            self.group.push(RowSpan::new(start, end), line, &self.cells, true);
        } else {
            let known = !id.is_empty() || (self.layout.profile.fill_down && !self.group.id.is_empty());
            self.group.push(RowSpan::new(start, end), line, &self.cells, known);
        }
    }

    /// Reads the order at hand. Rows without an id behind it stand for themselves.
    fn finish_order(&mut self) {
        let Group { id, rows, .. } = &self.group;
        let own = rows.iter().rposition(|row| row.of_order).map_or(0, |last| last + 1);
        let orphans = rows[own..].iter().map(|row| {
            let message = "the order id is blank".to_owned();
            let field = Some(Field::ExternalOrderId);
            Reject { line: row.line, code: RejectCode::MissingField, field, message, raw: row.raw(self.text) }
        });
        let orphans: Vec<Reject> = orphans.collect();
        if own > 0 {
            let rejects_before = self.parsed.rejects.len();
            if let Some((first, again)) = self.broken.lines_of(id) {
                let message = format!(
                    "the rows of order {id:?} do not follow each other: it begins in line {first} and comes back in \
                     line {again}. Sort the file by order id"
                );
                let code = RejectCode::OrderNotContiguous;
                self.parsed.rejects.extend(rows[..own].iter().map(|row| {
                    let (message, raw) = (message.clone(), row.raw(self.text));
                    Reject { line: row.line, code, field: Some(Field::ExternalOrderId), message, raw }
                }));
            } else {
                match self.orders.read(self.text, &self.group, own) {
                    Ok(order) => self.parsed.orders.push(order),
                    Err(rejects) => self.parsed.rejects.extend(rejects),
                }
            }
            self.parsed.rejected_orders += u64::from(self.parsed.rejects.len() > rejects_before);
        }
        self.parsed.rejected_orders += orphans.len() as u64;
        self.parsed.rejects.extend(orphans);
        self.group.clear();
    }
}
