//! The rejects of an import as a CSV that people correct and upload again.

use std::io::{self, Write};

use crate::formula::{neutralise, restore};
use crate::layout::REJECT_COLUMNS;
use crate::records::split;
use crate::{Layout, Reject};

/// Writes rejects: line, code, field and message, then the original columns as they stood. Cells that a
/// spreadsheet would run carry an apostrophe, which is taken off when the file is read again.
pub struct RejectsWriter<'a, W: Write> {
    csv: csv::Writer<W>,
    layout: &'a Layout,
    /// How many columns of the original are our own, since it was a rejects file itself.
    ours: usize,
}

impl<'a, W: Write> RejectsWriter<'a, W> {
    /// Writes the header.
    pub fn new(out: W, layout: &'a Layout) -> io::Result<Self> {
        let ours = layout.own_columns();
        let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(out);
        let header = layout.header.iter().skip(ours).map(String::as_str);
        for name in REJECT_COLUMNS.into_iter().chain(header) {
            csv.write_field(&*neutralise(name))?;
        }
        csv.write_record(None::<&[u8]>)?;
        Ok(Self { csv, layout, ours })
    }

    /// Writes a row.
    pub fn write(&mut self, reject: &Reject) -> io::Result<()> {
        self.csv.write_field(reject.line.to_string())?;
        self.csv.write_field(reject.code.as_str())?;
        self.csv.write_field(reject.field.map_or("", crate::Field::as_str))?;
        self.csv.write_field(&*neutralise(&reject.message))?;
        let raw = reject.raw.as_str();
        let mut cells = Vec::new();
        split(raw.as_bytes(), 0, raw.len(), self.layout.delimiter, &mut cells);
        for cell in cells.iter().skip(self.ours) {
            let text = cell.text(raw);
            let original = if self.layout.rejects_file { restore(&text) } else { &text };
            self.csv.write_field(&*neutralise(original))?;
        }
        self.csv.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Flushes, and gives the writer back.
    pub fn finish(mut self) -> io::Result<W> {
        self.csv.flush()?;
        self.csv.into_inner().map_err(|error| io::Error::other(error.to_string()))
    }
}
