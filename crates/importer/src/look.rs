//! Looking at a file with somebody who decides how it is to be read.

use std::borrow::Cow;
use std::path::Path;

use crate::sniff::{SHOWN, find_layout, first_rows};
use crate::{Charset, Compression, Layout, ReadError, ReadOptions, foreign, spool};

/// What a file looks like, also where it cannot be read as it is.
#[derive(Debug)]
pub struct Looked {
    /// How it is compressed.
    pub compression: Compression,
    /// Its encoding, as far as its beginning shows.
    pub encoding: Charset,
    /// How its rows would be read.
    pub layout: Layout,
    /// The first rows below the header, cell by cell.
    pub rows: Vec<Vec<String>>,
    /// Why its rows cannot be read like that.
    pub refused: Option<ReadError>,
}

/// Looks at the beginning of a file. Fails if it has no rows at all, since it is something else.
pub fn look(path: &Path, options: &ReadOptions) -> Result<Looked, ReadError> {
    let head = spool::head(path, options)?;
    foreign::refuse_opening(&head.text)?;
    let reading = find_layout(&head.text, head.whole, options)?;
    let layout = reading.layout.clone();
    let below = first_rows(&head.text, head.whole, layout.delimiter, false).into_iter();
    let below = below.filter(|(line, _)| *line > layout.header_line).take(SHOWN);
    let value = |cell: String| layout.value(Cow::Owned(cell)).into_owned();
    let rows = below.map(|(_, cells)| cells.into_iter().map(value).collect()).collect();
    let refused = reading.checked(options).err();
    Ok(Looked { compression: head.compression, encoding: head.encoding, layout, rows, refused })
}
