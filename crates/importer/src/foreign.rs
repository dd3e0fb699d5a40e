//! Files that are something else than CSV, known by their first bytes.

use crate::ReadError;

const AS_CSV: &str = "export the orders as CSV where they come from";
const EXPORT: &str = "open it in your spreadsheet program and save it as CSV (UTF-8)";
const REPACK: &str = "unpack it first, or pack it with gzip, zstd or zip";
const TWICE: &str = "it is compressed twice; unpack it once";

/// What is refused, by the bytes at the start.
const SIGNATURES: &[(&[u8], &str, &str)] = &[
    (b"\xD0\xCF\x11\xE0", "an Excel workbook (.xls)", EXPORT),
    (b"%PDF", "a PDF document", AS_CSV),
    (b"\x89PNG", "an image (PNG)", AS_CSV),
    (b"\xFF\xD8\xFF", "an image (JPEG)", AS_CSV),
    (b"GIF8", "an image (GIF)", AS_CSV),
    (b"BZh", "compressed with bzip2", REPACK),
    (b"\xFD7zXZ\0", "compressed with xz", REPACK),
    (b"7z\xBC\xAF\x27\x1C", "a 7-Zip archive", REPACK),
    (b"Rar!", "a RAR archive", REPACK),
    (b"PAR1", "a Parquet file", AS_CSV),
    (b"SQLite format 3", "a SQLite database", AS_CSV),
    (b"{\\rtf", "a rich text document", AS_CSV),
    (b"\x1F\x8B", "compressed data inside compressed data (gzip)", TWICE),
    (b"\x28\xB5\x2F\xFD", "compressed data inside compressed data (zstd)", TWICE),
    (b"PK\x03\x04", "compressed data inside compressed data (zip)", TWICE),
];

/// What is refused, by the text at the start, without white space and in lower case.
const OPENINGS: &[(&str, &str, &str)] = &[
    (
        "<!doctypehtml",
        "an HTML page",
        "it may be a login page or a table saved as a page; download the export as CSV",
    ),
    (
        "<html",
        "an HTML page",
        "it may be a login page or a table saved as a page; download the export as CSV",
    ),
    ("<table", "an HTML table", "save it as CSV (UTF-8) in your spreadsheet program"),
    ("<?xml", "an XML document", AS_CSV),
    ("{\"", "a JSON document", AS_CSV),
    ("[{\"", "a JSON document", AS_CSV),
];

/// The workbook and document formats that are zip archives, by a folder that only they have.
pub(crate) fn refuse_office_member(name: &str) -> Result<(), ReadError> {
    let (what, advice) = match name.split('/').next() {
        Some("xl") => ("an Excel workbook (.xlsx)", EXPORT),
        Some("word") => ("a Word document", AS_CSV),
        Some("ppt") => ("a presentation", AS_CSV),
        _ if name == "content.xml" => ("an OpenDocument file", EXPORT),
        _ if name == "Index/Document.iwa" => ("an Apple Numbers or Pages document", EXPORT),
        _ => return Ok(()),
    };
    Err(ReadError::NotCsv { what, advice })
}

/// Refuses data whose first bytes are those of another kind of file. `head` is decompressed already.
pub(crate) fn refuse_signature(head: &[u8]) -> Result<(), ReadError> {
    for &(signature, what, advice) in SIGNATURES {
        if head.starts_with(signature) {
            return Err(ReadError::NotCsv { what, advice });
        }
    }
    Ok(())
}

/// Refuses text that opens like markup or JSON.
pub(crate) fn refuse_opening(text: &str) -> Result<(), ReadError> {
    let opening: String =
        text.chars().filter(|c| !c.is_whitespace()).take(16).flat_map(char::to_lowercase).collect();
    for &(start, what, advice) in OPENINGS {
        if opening.starts_with(start) {
            return Err(ReadError::NotCsv { what, advice });
        }
    }
    Ok(())
}
