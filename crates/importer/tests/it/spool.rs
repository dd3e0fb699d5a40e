//! What becomes of a file's bytes before anybody looks for rows.

use std::fs;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use importer::{Charset, ReadError, ReadOptions, sniff, spool};
use sha2::{Digest, Sha256};

use crate::whole::{file, message, read, read_text, rules};

const HEADER: &str = "external_order_id,order_placed_at,currency,customer_email,product_sku,product_name,unit_price_cents,qty\n";

fn rows(count: u32, name: &str) -> String {
    let row = |id| format!("A-{id},2025-10-18,EUR,jane@example.com,SKU-1,{name},1999,2\n");
    (0..count).map(row).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_hash_is_that_of_the_file_as_it_was_given() {
    let text = format!("{HEADER}{}", rows(3, "Tea pot"));
    for content in
        [text.clone().into_bytes(), gzip(text.as_bytes()), zstd::encode_all(text.as_bytes(), 1).unwrap()]
    {
        let (_folder, path) = file(&content);
        let mut decoded = Vec::new();
        let spooled = spool(&path, &ReadOptions::default(), &mut decoded).unwrap();
        assert_eq!(spooled.sha256[..], Sha256::digest(&content)[..]);
        assert_eq!(decoded, text.as_bytes());
        assert_eq!(spooled.bytes, text.len() as u64);
    }
}

#[test]
fn only_a_plain_utf8_file_is_read_in_place() {
    let text = format!("{HEADER}{}", rows(1, "Thé"));
    let plain = read_text(&text).unwrap();
    assert!(plain.spooled.readable_in_place() && !plain.sniffed.needs_spool());
    let packed = read_text(gzip(text.as_bytes())).unwrap();
    assert!(!packed.spooled.readable_in_place() && packed.sniffed.needs_spool());
    assert_eq!(packed.parsed, plain.parsed);
}

#[test]
fn a_file_that_turns_out_not_to_be_utf8_late_is_decoded_from_there() {
    let (before, after) =
        (rows(6_000, "Tea pot"), "A-X,2025-10-18,EUR,jane@example.com,SKU-2,Caf\u{e9} cr\u{e8}me,5,1\n");
    let text = format!("{HEADER}{before}{after}");
    let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let (_folder, path) = file(&bytes);
    assert!(!sniff(&path, &ReadOptions::default()).unwrap().needs_spool(), "the beginning does not show it");
    let mut decoded = Vec::new();
    let spooled = spool(&path, &ReadOptions::default(), &mut decoded).unwrap();
    assert_eq!(spooled.encoding.name(), "windows-1252");
    assert!(!spooled.readable_in_place());
    assert_eq!(String::from_utf8(decoded).unwrap(), text);
}

#[test]
fn bytes_that_a_forced_encoding_does_not_have_are_named_with_their_line() {
    let bytes: Vec<u8> = format!("{HEADER}{}", rows(5_000, "Tea pot"))
        .replace("A-4242", "A-\u{e9}")
        .chars()
        .map(|c| c as u8)
        .collect();
    let (_folder, path) = file(&bytes);
    let options = ReadOptions { encoding: Some(Charset::UTF_8), ..ReadOptions::default() };
    let error = spool(&path, &options, io::sink()).unwrap_err();
    assert!(matches!(error, ReadError::Encoding { line: 4_244, .. }), "{error}");

    let options = ReadOptions { encoding: Some(Charset::parse("latin1").unwrap()), ..ReadOptions::default() };
    assert_eq!(spool(&path, &options, io::sink()).unwrap().encoding.name(), "windows-1252");
}

#[test]
fn a_character_cut_by_the_end_of_a_block_stays_whole() {
    // Two-byte characters over more than two blocks, shifted by one byte.
    for shift in ["", "x"] {
        let text = format!("{HEADER}{shift}{}\n", "é".repeat(300_000));
        let (_folder, path) = file(&text);
        let mut decoded = Vec::new();
        spool(&path, &ReadOptions::default(), &mut decoded).unwrap();
        assert!(decoded == text.as_bytes());
    }
}

#[test]
fn lines_are_counted_over_blocks_that_cut_a_crlf() {
    for pad in 0..3 {
        let mut bytes = vec![b'x'; 256 * 1024 - 2 + pad];
        bytes.extend_from_slice(b"\r\nline 2\r\nline 3 \0");
        let (_folder, path) = file(&bytes);
        let error = spool(&path, &ReadOptions::default(), io::sink()).unwrap_err();
        assert!(matches!(error, ReadError::Nul { line: 3 }), "{error}");
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let (_folder, path) = file(gzip(&vec![b'x'; 4 << 20]));
    let options = ReadOptions { max_bytes: 1 << 20, ..ReadOptions::default() };
    let mut written = Vec::new();
    let error = spool(&path, &options, &mut written).unwrap_err();
    insta::assert_snapshot!(error, @"the gzip file unpacks to more than 1048576 bytes (max_bytes): raise the limit if it is no mistake");
    assert!(written.len() <= 1 << 20);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let (folder, path) = file("x");
    fs::remove_file(&path).unwrap();
    let error = sniff(&path, &ReadOptions::default()).unwrap_err();
    let shown = message(&error).replace(folder.path().to_str().unwrap(), "FOLDER");
    insta::assert_snapshot!(shown, @"cannot open FOLDER/orders.csv: No such file or directory (os error 2)");
}

#[test]
fn the_delimiter_the_profile_and_columns_can_be_forced() {
    let text =
        "Nummer;Wann;Currency;E-Mail;Artikel;Price;Qty\n1;2025-10-18;EUR;jane@example.com;SKU-1;9,90;1\n";
    let (_folder, path) = file(text);
    let column = |name: &str, field| (name.to_owned(), field);
    let options = ReadOptions {
        profile: Some("native".to_owned()),
        delimiter: Some(b';'),
        columns: vec![
            column("nummer", importer::Field::ExternalOrderId),
            column("Wann", importer::Field::OrderPlacedAt),
            column("ARTIKEL", importer::Field::ProductSku),
        ],
        ..ReadOptions::default()
    };
    let whole = read(&path, &options, &importer::PlanOptions::default(), &rules()).unwrap();
    assert_eq!(whole.parsed.orders[0].totals.total, 990);

    let error = |options: ReadOptions| sniff(&path, &options).unwrap_err().to_string();
    let unknown = ReadOptions { profile: Some("etsi".to_owned()), ..options.clone() };
    insta::assert_snapshot!(error(unknown), @r#"there is no profile "etsi"; known are: native, uci, shopify"#);
    let unknown = ReadOptions { columns: vec![column("Nr", importer::Field::Qty)], ..options };
    insta::assert_snapshot!(error(unknown), @r#"no column is called "Nr": the header (line 1) has: Nummer, Wann, Currency, E-Mail, Artikel, Price, Qty"#);
}

#[test]
fn what_was_found_out_survives_being_stored() {
    let text = format!("{HEADER}{}", rows(1, "Thé"));
    let whole = read_text(gzip(text.as_bytes())).unwrap();
    let stored = serde_json::to_string(&(&whole.sniffed, &whole.spooled, &whole.plan)).unwrap();
    assert_eq!(serde_json::from_str(&stored).ok(), Some((whole.sniffed, whole.spooled, whole.plan)));

    let columns = vec![("Nr".to_owned(), importer::Field::ExternalOrderId)];
    let encoding = Some(Charset::parse("utf-16le").unwrap());
    let options = ReadOptions { encoding, columns, delimiter: Some(b';'), ..ReadOptions::default() };
    assert_eq!(serde_json::from_str(&serde_json::to_string(&options).unwrap()).ok(), Some(options));
}
