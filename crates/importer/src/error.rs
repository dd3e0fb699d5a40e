//! Why a file as a whole cannot be read. Rows that cannot be taken are [`Reject`](crate::Reject)s instead.

use std::io;
use std::path::PathBuf;

/// A file that cannot be read. The message names what was found and what to do; it does not name the file,
/// which the caller knows (but for [`ReadError::Open`]).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading the file failed on the way.
    #[error("reading the file failed")]
    Io(#[source] io::Error),
    /// Writing the decoded text failed.
    #[error("writing the decoded text failed")]
    Write(#[source] io::Error),
    /// The order ids seen could not be kept on disk while planning.
    #[error("keeping the order ids in the temporary folder failed")]
    Spill(#[source] io::Error),

    /// Nothing but white space.
    #[error("the file is empty: a header line and at least one order line are needed")]
    Empty,
    /// A header without rows.
    #[error("the file has a header (line {line}) and no rows below it")]
    HeaderOnly {
        /// The header's line.
        line: u64,
    },
    /// No line looks like a header.
    #[error(
        "no header found: none of the first lines names a known column. The first line is {first_line:?}. \
         Add a header such as {expected}, or say which of its columns mean that"
    )]
    NoHeader {
        /// The beginning of the first line.
        first_line: String,
        /// The names of the required columns.
        expected: String,
    },
    /// The header lacks columns that an order needs.
    #[error(
        "the header (line {line}) has no column for {missing}. It has: {found}. Rename a column, or say which \
         of them it is"
    )]
    MissingColumns {
        /// The header's line.
        line: u64,
        /// What is missing, in words.
        missing: String,
        /// The header's names.
        found: String,
    },
    /// Two columns for one field.
    #[error(
        "columns {first_position} ({first:?}) and {second_position} ({second:?}) both mean {field}: say which \
         one counts"
    )]
    DuplicateColumns {
        /// The field both map to.
        field: &'static str,
        /// Name of the first.
        first: String,
        /// Its position, from 1.
        first_position: usize,
        /// Name of the second.
        second: String,
        /// Its position, from 1.
        second_position: usize,
    },
    /// A column that was named is not in the header.
    #[error("no column is called {column:?}: the header (line {line}) has: {found}")]
    UnknownColumn {
        /// How it was named.
        column: String,
        /// The header's line.
        line: u64,
        /// The header's names.
        found: String,
    },
    /// No profile of that name.
    #[error("there is no profile {name:?}; known are: {known}")]
    UnknownProfile {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A profile file that cannot be read.
    #[error("the profile {name:?} is not valid: {reason}")]
    BadProfile {
        /// The profile's name or file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },

    /// Another kind of file.
    #[error("this is {what}, not a CSV file: {advice}")]
    NotCsv {
        /// What it is.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Binary data of no known kind.
    #[error("this is not a text file: line {line} is full of control bytes. Export the orders as CSV")]
    Binary {
        /// The line.
        line: u64,
    },
    /// A zero byte in the text.
    #[error(
        "line {line} has a NUL byte, which no CSV text has: the file is damaged, or in another encoding, such \
         as UTF-16"
    )]
    Nul {
        /// The line.
        line: u64,
    },
    /// Bytes that the encoding does not have.
    #[error("line {line} is not {encoding}: {reason}")]
    Encoding {
        /// The line.
        line: u64,
        /// The encoding that was expected.
        encoding: &'static str,
        /// What was found, and what to do.
        reason: String,
    },
    /// No such encoding.
    #[error("{0:?} is no known encoding; utf-8, utf-16le, utf-16be and windows-1252 are, for instance")]
    UnknownEncoding(String),

    /// Compressed data that ends too early.
    #[error("the {compression} data ends too early: the file was cut off. Copy or download it again")]
    Truncated {
        /// The compression.
        compression: &'static str,
    },
    /// Compressed data that does not decode.
    #[error("the {compression} data is damaged ({reason}). Copy or download the file again")]
    Damaged {
        /// The compression.
        compression: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// A zip without exactly one member to read.
    #[error("the zip holds {found}: it must hold exactly one CSV file")]
    ZipMembers {
        /// The members, in words.
        found: String,
    },
    /// More text than allowed comes out of a compressed file.
    #[error(
        "the {compression} file unpacks to more than {limit} bytes (max_bytes): raise the limit if it is no mistake"
    )]
    TooLarge {
        /// The compression.
        compression: &'static str,
        /// The limit in bytes.
        limit: u64,
    },

    /// A quote that never closes.
    #[error(
        "the quote that opens in line {line} is never closed: close it, or double it (\"\") if it belongs to the text"
    )]
    UnclosedQuote {
        /// The line in which it opens.
        line: u64,
    },
    /// A cell longer than allowed.
    #[error("column {column} of line {line} is longer than {limit} bytes{hint}")]
    FieldTooLong {
        /// The line in which it begins.
        line: u64,
        /// Its position, from 1.
        column: usize,
        /// The limit in bytes.
        limit: usize,
        /// What it probably is.
        hint: &'static str,
    },
    /// A row longer than allowed.
    #[error(
        "the row that begins in line {line} is longer than {limit} bytes: is this a CSV file with line ends?"
    )]
    RowTooLong {
        /// Its first line.
        line: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// An order of more rows or bytes than a chunk may have.
    #[error(
        "order {order:?} goes on for more than {rows} rows (from line {line}): is {column:?} the column of the order id?"
    )]
    OrderTooLong {
        /// The order id, maybe empty.
        order: String,
        /// The line it begins in.
        line: u64,
        /// How many rows of it were seen.
        rows: u64,
        /// The column read as order id.
        column: String,
    },
    /// So many orders are split that the file is not sorted by order.
    #[error(
        "the lines of more than {limit} orders do not follow each other (order {order:?} comes back in line \
         {again_line}, first seen in line {first_line}): sort the file by order id"
    )]
    NotSorted {
        /// How many are allowed.
        limit: usize,
        /// One of them.
        order: String,
        /// Its first line.
        first_line: u64,
        /// The line where it came back.
        again_line: u64,
    },
    /// The file is not the one that was planned.
    #[error("the file changed after it was planned (chunk {chunk}: {reason}): import it again")]
    Changed {
        /// The chunk that does not fit.
        chunk: u32,
        /// What does not fit.
        reason: String,
    },
}
