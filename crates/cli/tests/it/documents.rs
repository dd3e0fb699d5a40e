//! Pages of `docs/` that name code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names of all functions in Rust files below `folder`.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            found.extend(names.map(str::to_owned));
        }
    }
}

#[test]
fn every_test_that_the_guarantees_name_exists() {
    let mut known = BTreeSet::new();
    functions(&root().join("crates"), &mut known);
    let page = std::fs::read_to_string(root().join("docs/guarantees.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with('|')).skip(2);
    for row in rows {
        let proofs: Vec<&str> = row.rsplit('|').nth(1).unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!proofs.is_empty(), "a row without proof: {row}");
        for proof in proofs {
            assert!(known.contains(proof), "docs/guarantees.md names `{proof}`, which is not there");
        }
    }
}
