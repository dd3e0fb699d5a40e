//! A file read from its first byte to its last reject, as an import does it.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use importer::{
    BrokenOrders, ParsedChunk, Plan, PlanOptions, ReadError, ReadOptions, Returns, Rules, Sniffed, Spooled,
    TotalMismatch, Workflow, parse_chunk, plan, sniff, spool,
};
use jiff::tz::TimeZone;
use tempfile::TempDir;

pub(crate) struct Whole {
    pub(crate) sniffed: Sniffed,
    pub(crate) spooled: Spooled,
    pub(crate) plan: Plan,
    pub(crate) parsed: ParsedChunk,
}

pub(crate) fn rules() -> Rules {
    Rules {
        zone: TimeZone::UTC,
        latest: "2030-01-01T00:00:00Z".parse().unwrap(),
        workflow: Workflow::Process,
        total_mismatch: TotalMismatch::Reject,
        returns: Returns::Reject,
    }
}

/// Reads a file; the chunks' results are put together.
pub(crate) fn read(
    path: &Path,
    options: &ReadOptions,
    limits: &PlanOptions,
    rules: &Rules,
) -> Result<Whole, ReadError> {
    let sniffed = sniff(path, options)?;
    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("spool");
    let mut spooled = spool(path, options, io::sink())?;
    if !spooled.readable_in_place() {
        spooled = spool(path, options, File::create(&copy).unwrap())?;
        assert_eq!(fs::metadata(&copy).unwrap().len(), spooled.bytes);
    }
    let mut text = File::open(if spooled.readable_in_place() { path } else { &copy }).unwrap();
    let plan = plan(&mut text, &sniffed.layout, limits)?;
    let broken = BrokenOrders::new(&plan.broken);
    let mut parsed = ParsedChunk::default();
    for chunk in &plan.chunks {
        let mut bytes = vec![0; chunk.length as usize];
        text.seek(SeekFrom::Start(chunk.offset)).unwrap();
        text.read_exact(&mut bytes).unwrap();
        let part = parse_chunk(&bytes, chunk, &sniffed.layout, rules, &broken)?;
        parsed.orders.extend(part.orders);
        parsed.rejects.extend(part.rejects);
        parsed.rejected_orders += part.rejected_orders;
        parsed.rows += part.rows;
        parsed.skipped += part.skipped;
    }
    assert_eq!(parsed.rows, plan.rows);
    let order_rows: usize = parsed.orders.iter().map(|order| order.rows().count()).sum();
    assert_eq!((order_rows + parsed.rejects.len()) as u64 + parsed.skipped, parsed.rows, "a row was lost");
    Ok(Whole { sniffed, spooled, plan, parsed })
}

pub(crate) fn read_default(path: &Path) -> Result<Whole, ReadError> {
    read(path, &ReadOptions::default(), &PlanOptions::default(), &rules())
}

/// A file with this content that lives as long as the folder.
pub(crate) fn file(content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("orders.csv");
    fs::write(&path, content).unwrap();
    (folder, path)
}

pub(crate) fn read_text(content: impl AsRef<[u8]>) -> Result<Whole, ReadError> {
    let (_folder, path) = file(content);
    read_default(&path)
}

/// An error with its causes, as a user sees it.
pub(crate) fn message(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", message(source)),
        None => error.to_string(),
    }
}
