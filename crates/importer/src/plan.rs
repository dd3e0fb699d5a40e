//! Planning: one pass over the text that finds where it can be cut, and which orders cannot be taken whole.

mod order_ids;
mod stream;

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use crate::records::nth_cell;
use crate::{Layout, PlanOptions, ReadError};
use order_ids::{OrderIds, Seen};
use stream::{Record, RecordStream};

/// A run of rows that can be read on its own: no order reaches over its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkRange {
    /// Its number, from 0.
    pub index: u32,
    /// Its first byte in the text.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
    /// The line of its first row, from 1.
    pub first_line: u64,
    /// Its rows, blank ones not counted.
    pub rows: u64,
}

/// An order whose lines do not follow each other. All of them are rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenOrder {
    /// Its id.
    pub order_id: String,
    /// Its first line.
    pub first_line: u64,
    /// The line where it came back after another order.
    pub again_line: u64,
}

/// How a text is cut.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The chunks, which cover all rows.
    pub chunks: Vec<ChunkRange>,
    /// Rows in all chunks.
    pub rows: u64,
    /// Orders whose lines lie apart, by their first line.
    pub broken: Vec<BrokenOrder>,
}

/// The broken orders of a plan by id, as [`parse_chunk`](crate::parse_chunk) needs them.
#[derive(Debug, Clone, Default)]
pub struct BrokenOrders(HashMap<String, (u64, u64)>);

impl BrokenOrders {
    /// Takes the list of a plan.
    pub fn new(broken: &[BrokenOrder]) -> Self {
        Self(
            broken
                .iter()
                .map(|order| (order.order_id.clone(), (order.first_line, order.again_line)))
                .collect(),
        )
    }

    /// The first line of a broken order, and the line where it came back.
    pub(crate) fn lines_of(&self, order_id: &str) -> Option<(u64, u64)> {
        if self.0.is_empty() { None } else { self.0.get(order_id).copied() }
    }
}

/// Cuts the text into chunks of about `chunk_size` rows at order boundaries, and lists the orders that come back
/// after another one. Memory does not grow with the text: order ids are sorted on disk.
pub fn plan(mut text: impl Read + Seek, layout: &Layout, options: &PlanOptions) -> Result<Plan, ReadError> {
    text.seek(SeekFrom::Start(0)).map_err(ReadError::Io)?;
    let mut stream = RecordStream::new(&mut text, layout.delimiter, options);
    skip_header(&mut stream, layout)?;
    let mut planner = Planner::new(layout, options);
    while let Some(record) = stream.next()? {
        planner.take(&record, stream.bytes(&record))?;
    }
    let end = stream.offset();
    let (mut plan, split_ids) = planner.finish(end)?;
    if plan.rows == 0 {
        return Err(ReadError::HeaderOnly { line: layout.header_line });
    }
    plan.broken = name_broken(&mut text, layout, split_ids)?;
    if plan.broken.len() > options.max_broken_orders {
        let BrokenOrder { order_id, first_line, again_line } = plan.broken.swap_remove(0);
        let limit = options.max_broken_orders;
        return Err(ReadError::NotSorted { limit, order: order_id, first_line, again_line });
    }
    Ok(plan)
}

fn skip_header<R: Read>(stream: &mut RecordStream<'_, R>, layout: &Layout) -> Result<(), ReadError> {
    while let Some(record) = stream.next()? {
        if record.line == layout.header_line {
            return Ok(());
        }
    }
    Err(ReadError::Empty)
}

struct Planner<'a> {
    layout: &'a Layout,
    options: &'a PlanOptions,
    column: usize,
    chunks: Vec<ChunkRange>,
    chunk: Option<ChunkRange>,
    rows: u64,
    /// The order id cell of the order at hand as it stands, to see the same order without decoding it again.
    cell: Vec<u8>,
    id: String,
    order: Option<OrderAtHand>,
    ids: OrderIds,
}

#[derive(Clone, Copy)]
struct OrderAtHand {
    first_line: u64,
    offset: u64,
    rows: u64,
}

impl<'a> Planner<'a> {
    fn new(layout: &'a Layout, options: &'a PlanOptions) -> Self {
        Self {
            layout,
            options,
            column: layout.order_column(),
            chunks: Vec::new(),
            chunk: None,
            rows: 0,
            cell: Vec::new(),
            id: String::new(),
            order: None,
            ids: OrderIds::new(options.ids_in_memory),
        }
    }

    fn take(&mut self, record: &Record, bytes: &[u8]) -> Result<(), ReadError> {
        let starts_order = self.starts_order(bytes);
        if starts_order {
            self.order = Some(OrderAtHand { first_line: record.line, offset: record.offset, rows: 0 });
            self.ids.push(&self.id, Seen { line: record.line, offset: record.offset })?;
        }
        if self.chunk.is_none_or(|chunk| starts_order && self.is_full(&chunk, record.offset)) {
            self.close_chunk(record.offset);
            let index = self.chunks.len() as u32;
            let (offset, first_line) = (record.offset, record.line);
            self.chunk = Some(ChunkRange { index, offset, length: 0, first_line, rows: 0 });
        }
        self.rows += 1;
        if let Some(chunk) = &mut self.chunk {
            chunk.rows += 1;
        }
        self.check_length(record)
    }

    /// Whether this row begins another order. A row without an id does not: its order is not known, so nothing
    /// may be cut around it.
    fn starts_order(&mut self, bytes: &[u8]) -> bool {
        let Some(cell) = nth_cell(bytes, self.column, self.layout.delimiter) else { return false };
        let raw = cell.raw(bytes);
        if self.order.is_some() && raw == self.cell {
            return false;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let id = self.layout.value(cell.text(text));
        if id.is_empty() || (self.order.is_some() && id == self.id) {
            return false;
        }
        self.cell.clear();
        self.cell.extend_from_slice(raw);
        self.id.clear();
        self.id.push_str(&id);
        true
    }

    fn is_full(&self, chunk: &ChunkRange, offset: u64) -> bool {
        chunk.rows >= self.options.chunk_size || offset - chunk.offset >= self.options.chunk_bytes
    }

    fn close_chunk(&mut self, end: u64) {
        if let Some(mut chunk) = self.chunk.take() {
            chunk.length = end - chunk.offset;
            self.chunks.push(chunk);
        }
    }

    /// A chunk is read whole, so an order (or a run of rows without one) must not go on for ever.
    fn check_length(&mut self, record: &Record) -> Result<(), ReadError> {
        let start = OrderAtHand { first_line: record.line, offset: record.offset, rows: 0 };
        let order = self.order.get_or_insert(start);
        order.rows += 1;
        let most_bytes = self.options.chunk_bytes.saturating_add(self.options.max_row as u64);
        if order.rows <= self.options.max_order_rows && record.offset - order.offset <= most_bytes {
            return Ok(());
        }
        Err(ReadError::OrderTooLong {
            order: self.id.chars().take(80).collect(),
            line: order.first_line,
            rows: order.rows - 1,
            column: self.layout.header.get(self.column).cloned().unwrap_or_default(),
        })
    }

    fn finish(mut self, end: u64) -> Result<(Plan, Vec<(Seen, Seen)>), ReadError> {
        self.close_chunk(end);
        let split_ids = self.ids.repeated(self.options.max_broken_orders.saturating_add(1))?;
        Ok((Plan { chunks: self.chunks, rows: self.rows, broken: Vec::new() }, split_ids))
    }
}

/// Reads the ids of the broken orders again where they stand: while planning only their hashes were kept.
fn name_broken(
    text: &mut (impl Read + Seek),
    layout: &Layout,
    mut split_ids: Vec<(Seen, Seen)>,
) -> Result<Vec<BrokenOrder>, ReadError> {
    split_ids.sort_unstable_by_key(|(first, _)| first.offset);
    let options = PlanOptions::default();
    let mut broken = Vec::with_capacity(split_ids.len());
    for (first, again) in split_ids {
        text.seek(SeekFrom::Start(first.offset)).map_err(ReadError::Io)?;
        let mut stream = RecordStream::small(text, layout.delimiter, &options);
        let Some(record) = stream.next()? else { continue };
        let bytes = stream.bytes(&record);
        let Some(cell) = nth_cell(bytes, layout.order_column(), layout.delimiter) else { continue };
        let row = String::from_utf8_lossy(bytes);
        let order_id = layout.value(cell.text(&row)).into_owned();
        broken.push(BrokenOrder { order_id, first_line: first.line, again_line: again.line });
    }
    Ok(broken)
}
