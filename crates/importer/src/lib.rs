//! Reading order files of any size: no database, no async, and memory that does not grow with the file.
//!
//! A file goes through four steps, each a function:
//!
//! 1. [`sniff`] looks at its beginning: compression, encoding, delimiter, header and [`Profile`]. The answer
//!    holds the [`Layout`], which is all that the later steps need to know and can be stored.
//! 2. [`spool`] unpacks, decodes, hashes and checks all of it as a stream. A plain UTF-8 file is only checked and
//!    then read in place.
//! 3. [`plan`] cuts the text into [`ChunkRange`]s at order boundaries and finds the orders whose lines lie apart.
//! 4. [`parse_chunk`] turns the bytes of one range into [`ParsedOrder`]s and [`Reject`]s, anywhere and in any order.
//!
//! What stops a file as a whole is a [`ReadError`]; what stops an order is a [`RejectCode`]. A [`RejectsWriter`]
//! writes rejects so that they can be corrected and read again.

mod compression;
mod encoding;
mod error;
mod field;
mod foreign;
mod formula;
mod layout;
mod look;
mod options;
mod parse;
mod plan;
mod profile;
mod records;
mod reject;
mod rejects_csv;
pub mod sample;
mod sniff;
mod spool;

pub use compression::Compression;
pub use encoding::Charset;
pub use error::ReadError;
pub use field::Field;
pub use formula::{neutralise, restore};
pub use layout::Layout;
pub use look::{Looked, look};
pub use options::{PlanOptions, ReadOptions};
pub use parse::{
    ParsedChunk, ParsedCustomer, ParsedLine, ParsedOrder, Recorded, Returns, RowSpan, Rules, TotalMismatch,
    parse_chunk,
};
pub use plan::{BrokenOrder, BrokenOrders, ChunkRange, Plan, plan};
pub use profile::{BlankSku, Profile, Workflow};
pub use reject::{Reject, RejectCode, UnknownCode};
pub use rejects_csv::RejectsWriter;
pub use sniff::{Sniffed, sniff};
pub use spool::{Spooled, spool};
