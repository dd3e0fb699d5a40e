//! The same rows in any packing and encoding give the same ledger; what is no order file is told so.

use std::io::Write as _;

use app::imports::{ImportOptions, start};

use crate::order_file::{csv, into, row, told};
use crate::support::TestApp;

fn rows() -> String {
    csv(&[
        row("A", "TEA", 2, 500),
        row("A", "CAFÉ", 1, 350),
        row("B", "TEA", 1, 500),
        row("C", "TEA", 0, 500),
        row("D", "CUP", 4, 120),
    ])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    packed.start_file("orders.csv", zip::write::SimpleFileOptions::default()).unwrap();
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap().into_inner()
}

fn utf16(text: &str, little: bool) -> Vec<u8> {
    let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
}

#[tokio::test]
async fn the_same_rows_in_any_packing_and_encoding_give_the_same_ledger() {
    let text = rows();
    let windows = text.replace('\n', "\r\n");
    let semicolons = text.replace(',', ";");
    let latin1: Vec<u8> = text.chars().map(|letter| letter as u8).collect();
    let mut first: Option<Vec<String>> = None;
    for (name, bytes) in [
        ("plain.csv", text.clone().into_bytes()),
        ("orders.csv.gz", gzip(text.as_bytes())),
        ("orders.csv.zst", zstd::encode_all(text.as_bytes(), 3).unwrap()),
        ("orders.zip", zip(text.as_bytes())),
        ("little.csv", utf16(&text, true)),
        ("big.csv", utf16(&text, false)),
        ("little.csv.gz", gzip(&utf16(&text, true))),
        ("marked.csv", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("latin1.csv", latin1),
        ("windows.csv", windows.into_bytes()),
        ("semicolons.csv", semicolons.into_bytes()),
        ("no-extension", gzip(text.as_bytes())),
    ] {
        for chunk_size in [1, 1_000] {
            let test = TestApp::with(|_| ()).await;
            let options = ImportOptions { chunk_size, ..into("shop") };
            let done = test.import(&test.file(name, &bytes), options).await;
            assert_eq!(told(&done), "completed 4-0-1-0-0", "{name}");
            assert_eq!(test.spooled(), 0, "{name}");
            let found: Vec<String> = test
                .imported()
                .await
                .into_iter()
                .map(|line| line.replace(';', ",").replace('\r', ""))
                .collect();
            assert_eq!(found, *first.get_or_insert_with(|| found.clone()), "{name}");
            test.assert_clean().await;
        }
    }
}

#[tokio::test]
async fn what_is_no_order_file_is_refused_with_a_reason_and_leaves_nothing_behind() {
    let test = TestApp::with(|_| ()).await;
    let unclosed = format!("{}\"never closed\nE,2", rows());
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty.csv", Vec::new()),
        ("headless.csv", b"A,2029-12-30T10:00:00Z,EUR,TEA,1,500,a@example.com\n".to_vec()),
        ("short.csv", b"external_order_id,qty\nA,1\n".to_vec()),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0".to_vec()),
        ("torn.csv.gz", gzip(&rows().into_bytes().repeat(50))[..60].to_vec()),
        ("zeros.csv", vec![0; 4_096]),
    ];
    for (name, bytes) in cases {
        let refused = start(&test.app, &app::Actor::CLI, &test.file(name, bytes), into("shop"), false).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.len() > 20, "{name}: {refused}");
        assert_eq!(test.spooled(), 0, "{name}");
    }
    let gone =
        start(&test.app, &app::Actor::CLI, std::path::Path::new("/nowhere/orders.csv"), into("shop"), false)
            .await;
    assert!(gone.unwrap_err().to_string().contains("/nowhere/orders.csv"));
    let wrong = ImportOptions { chunk_size: 0, ..into("shop") };
    let packed = test.file("rows.csv.gz", gzip(rows().as_bytes()));
    assert!(
        start(&test.app, &app::Actor::CLI, &packed, wrong, false)
            .await
            .unwrap_err()
            .to_string()
            .contains("chunk size")
    );
    assert_eq!(test.spooled(), 0, "a copy of a file that was refused for its options");
    assert_eq!(test.number("SELECT COUNT(*) FROM imports").await, 0);
    // A cell that is never closed is found only when all of it is read.
    let path = test.file("unclosed.csv", unclosed);
    if let Ok(app::imports::Started::New(id)) =
        start(&test.app, &app::Actor::CLI, &path, into("shop"), false).await
    {
        test.run_jobs().await;
        assert_eq!(test.rows(id).await, "failed 0-0-0-0-0");
    }
    test.assert_clean().await;
}
