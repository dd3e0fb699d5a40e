//! Files that people do upload. Each gives rows or a message that a person can act on.

use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use importer::ReadError;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::whole::{Whole, file, message, read_default};

const HEADER: &str = "external_order_id,order_placed_at,currency,customer_email,product_sku,product_name,unit_price_cents,qty\n";
const ROW: &str = "A-1,2025-10-18T10:12:00Z,EUR,jane@example.com,SKU-1,Tea pot,1999,2\n";

fn outcome(result: Result<Whole, ReadError>) -> String {
    let whole = match result {
        Ok(whole) => whole,
        Err(error) => return format!("  error: {}\n", message(&error)),
    };
    let layout = &whole.sniffed.layout;
    let delimiter = char::from(layout.delimiter);
    let mut text = format!(
        "  {}, delimiter {delimiter:?}, header in line {}, profile {}: {} rows, {} skipped\n",
        whole.spooled.encoding,
        layout.header_line,
        layout.profile.name,
        whole.parsed.rows,
        whole.parsed.skipped
    );
    for order in &whole.parsed.orders {
        let lines: Vec<String> = order
            .lines
            .iter()
            .map(|line| {
                format!("{} × {} {:?} at {}", line.quantity, line.sku, line.name.as_str(), line.unit_price)
            })
            .collect();
        let total = domain::Money::new(order.totals.total, order.currency);
        let (id, at, first) = (order.external_id.as_str(), order.placed_at, order.first_line);
        writeln!(text, "  order {id:?} of {at}, line {first}: {}; {total}", lines.join(", ")).unwrap();
    }
    for reject in &whole.parsed.rejects {
        let field = reject.field.map_or("-", importer::Field::as_str);
        writeln!(text, "  reject line {}, {}, {field}: {}", reject.line, reject.code, reject.message)
            .unwrap();
    }
    text
}

fn committed() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nasty");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "csv")).collect();
    files.sort();
    files
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in members {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Files that are too large or too binary to keep.
fn generated() -> Vec<(&'static str, Vec<u8>)> {
    let good = format!("{HEADER}{ROW}");
    let long = "x".repeat(5 << 20);
    let gzipped = gzip(&format!("{HEADER}{}", ROW.repeat(2_000)));
    vec![
        (
            "5 MiB field",
            format!("{HEADER}{ROW}{}", ROW.replace("Tea pot", &long).replace("A-1", "A-2")).into(),
        ),
        ("5 MiB quoted field", format!("{HEADER}{}", ROW.replace("Tea pot", &format!("\"{long}\""))).into()),
        ("quote never closed, 3 MiB", format!("{HEADER}{ROW}A-2,\"{}", ROW.repeat(50_000)).into()),
        ("one row of 100 MiB", format!("{HEADER}{}", "a,".repeat(50 << 20)).into()),
        ("gzip", gzip(&good)),
        ("gzip of two members", [gzip(HEADER), gzip(ROW)].concat()),
        ("gzip cut off", gzipped[..gzipped.len() - 9].to_vec()),
        ("gzip cut off in its header", gzipped[..6].to_vec()),
        ("gzip with a flipped bit", {
            let mut damaged = gzipped.clone();
            let last = damaged.len() - 8;
            damaged[last] ^= 1;
            damaged
        }),
        ("gzip in gzip", gzip_bytes(&gzip(&good))),
        ("zstd", zstd::encode_all(good.as_bytes(), 3).unwrap()),
        ("zstd cut off", {
            let whole = zstd::encode_all(format!("{HEADER}{}", ROW.repeat(2_000)).as_bytes(), 3).unwrap();
            whole[..whole.len() - 3].to_vec()
        }),
        ("zip", zip(&[("export/orders.csv", &good)])),
        ("zip with what macOS adds", zip(&[("orders.csv", &good), ("__MACOSX/._orders.csv", "x")])),
        ("zip with a readme", zip(&[("README.md", "hello"), ("orders.csv", &good)])),
        ("zip with two files", zip(&[("january.csv", &good), ("february.csv", &good)])),
        ("zip with nothing", zip(&[])),
        ("zip cut off", {
            let whole = zip(&[("orders.csv", &good)]);
            whole[..whole.len() - 30].to_vec()
        }),
        ("xlsx", zip(&[("[Content_Types].xml", "<Types/>"), ("xl/workbook.xml", "<workbook/>")])),
        ("docx", zip(&[("[Content_Types].xml", "<Types/>"), ("word/document.xml", "<w/>")])),
    ]
}

fn gzip_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_nasty_file_gives_rows_or_a_clear_message() {
    let mut text = String::new();
    for path in committed() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        write!(text, "{name}\n{}\n", outcome(read_default(&path))).unwrap();
    }
    insta::assert_snapshot!("committed", text);
}

#[test]
fn a_large_or_binary_nasty_file_gives_rows_or_a_clear_message() {
    let mut text = String::new();
    for (name, content) in generated() {
        let (_folder, path) = file(content);
        write!(text, "{name}\n{}\n", outcome(read_default(&path))).unwrap();
    }
    insta::assert_snapshot!("generated", text);
}
