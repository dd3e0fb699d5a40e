//! What holds for any bytes.

use importer::{PlanOptions, ReadError, ReadOptions};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::whole::{Whole, file, read, rules};

const HEADER: &str = "order_id,order_date,currency,email,sku,price,qty\n";

fn read_cut(text: &[u8], chunk_size: u64, ids_in_memory: usize) -> Result<Whole, ReadError> {
    let (_folder, path) = file(text);
    let limits = PlanOptions { chunk_size, ids_in_memory, ..PlanOptions::default() };
    let options = ReadOptions { delimiter: Some(b','), ..ReadOptions::default() };
    read(&path, &options, &limits, &rules())
}

/// The records as the csv crate sees them, but for those with nothing in their cells.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let records =
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
    records.filter(|cells| cells.iter().any(|cell| !cell.trim().is_empty())).collect()
}

/// The text from a line on, counted as an editor does.
fn from_line(text: &str, line: u64) -> &str {
    let mut rest = text;
    for _ in 1..line {
        let end = rest.find(['\r', '\n']).unwrap();
        rest = rest[end..].strip_prefix("\r\n").unwrap_or(&rest[end + 1..]);
    }
    rest
}

fn nasty_text() -> impl Strategy<Value = String> {
    let piece =
        select(vec!["a", "b", ",", "\"", "\"\"", "\n", "\r", "\r\n", " ", "é", ",\"", "\",", "'", "=", "\t"]);
    vec(piece, 0..120).prop_map(|pieces| pieces.concat())
}

/// Cells of a row that are good more often than not.
fn row() -> impl Strategy<Value = [&'static str; 7]> {
    [
        select(vec!["A-1", "A-2", "A-3", ""]),
        select(vec!["2025-10-18", "18.10.2025", "2025-10-18T10:00:00Z", "2025-10-18", "1/2/2025", ""]),
        select(vec!["EUR", "EUR", "EUR", "eur", "JPY", "QQQ", ""]),
        select(vec!["jane@example.com", "jane@example.com", "JANE@example.com", "x@", ""]),
        select(vec!["SKU-1", "SKU-2", "=1+1", "\u{feff}"]),
        select(vec!["9.90", "1.234,56", "5", "0", "-1", "9223372036854775807"]),
        select(vec!["1", "3", "2.0", "-1", "0", "999999999999999999999"]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn rows_are_the_csv_crates_records_for_any_chunk_size(
        body in nasty_text(),
        chunk_size in 1_u64..6,
        ids_in_memory in 1_usize..6,
    ) {
        let text = format!("{HEADER}{body}");
        let expected = &records(&text)[1..];
        match read_cut(text.as_bytes(), chunk_size, ids_in_memory) {
            Ok(whole) => {
                let mut rejects = whole.parsed.rejects;
                rejects.sort_by_key(|reject| reject.line);
                let found: Vec<_> = rejects.iter().flat_map(|reject| records(&reject.raw)).collect();
                prop_assert_eq!(&found[..], expected);
                for reject in rejects {
                    prop_assert!(from_line(&text, reject.line).starts_with(&reject.raw));
                }
            }
            Err(ReadError::UnclosedQuote { line }) => {
                prop_assert!(from_line(&text, line).contains('"'));
                // Closing it makes one record of the rest.
                let closed = read_cut(format!("{text}\"").as_bytes(), chunk_size, ids_in_memory);
let still_open = matches!(closed, Err(ReadError::UnclosedQuote { .. }));
                prop_assert!(!still_open);
            }
            Err(ReadError::HeaderOnly { .. }) => prop_assert!(expected.is_empty()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
    }

    #[test]
    fn any_bytes_give_rows_or_an_error(bytes in vec(any::<u8>(), 0..400), with_header in any::<bool>()) {
        let header = if with_header { HEADER.as_bytes() } else { b"" };
        // `read` checks that no row is lost.
        let _ = read_cut(&[header, &bytes].concat(), 2, 2);
    }

    #[test]
    fn any_cells_give_orders_or_rejects(rows in vec(row(), 1..8), fill_down in any::<bool>()) {
        let lines: Vec<String> = rows.iter().map(|cells| format!("\"{}\"", cells.join("\",\""))).collect();
        let (_folder, path) = file(format!("{HEADER}{}\n", lines.join("\n")));
        let mut profile = importer::Profile::builtin().remove(0);
        profile.fill_down = fill_down;
        let options = ReadOptions { profiles: vec![profile], ..ReadOptions::default() };
        let rules = importer::Rules { returns: importer::Returns::Refund, ..rules() };
        let whole = read(&path, &options, &PlanOptions::default(), &rules).unwrap();
        for order in &whole.parsed.orders {
            let sum: i64 = order.lines.iter().map(|line| line.total).sum();
            prop_assert!(order.totals.is_consistent() && order.totals.total == sum);
            prop_assert!(order.lines.iter().all(|line| line.unit_price >= 0));
            prop_assert_eq!(order.rows().count() as u64, order.last_line - order.first_line + 1);
        }
    }
}
