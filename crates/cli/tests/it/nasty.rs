//! Files that people do upload, through the real program.

use std::path::{Path, PathBuf};

use crate::support::{Shop, text};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../importer/tests/nasty");
    let entries =
        std::fs::read_dir(folder).expect("the nasty files").map(|entry| entry.expect("a file").path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "csv")).collect();
    files.sort();
    files
}

#[test]
fn a_nasty_file_gives_orders_or_a_message_with_its_line_and_never_a_panic() {
    let shop = Shop::new();
    let files = files();
    assert!(files.len() > 30, "the nasty files are not here: {files:?}");
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        // Each file's orders are a shop of their own, so that none is taken for another's.
        let source = name.trim_end_matches(".csv").replace('_', "-");
        let ran = shop.run(&["import", text(&file), "--source", &source, "--initial-stock", "1000"]);
        assert!(!ran.text().contains("panicked"), "{name}: {ran}");
        match ran.code() {
            Some(0) => assert!(ran.stdout.contains("imported"), "{name}: {ran}"),
            Some(2) => assert!(ran.stdout.contains("line "), "{name}: {ran}"),
            Some(1) => assert!(ran.text().contains(&name), "the message names the file: {ran}"),
            _ => panic!("{name}: {ran}"),
        }
    }
    shop.assert_clean();
}
