//! Order files, and imports of them.

use std::path::{Path, PathBuf};

use app::imports::{ImportOptions, Started, Status, start, status};
use domain::{ImportId, SourceName};
use importer::sample::{BadRows, Sample, SampleTotals};

use crate::support::TestApp;

pub const HEADER: &str =
    "external_order_id,order_placed_at,currency,product_sku,qty,unit_price_cents,customer_email,product_name";

/// A file of these rows.
pub fn csv(rows: &[String]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

/// A row.
pub fn row(order: &str, sku: &str, quantity: impl std::fmt::Display, price: i64) -> String {
    format!("{order},2029-12-30T10:00:00Z,EUR,{sku},{quantity},{price},{order}@example.com,Name of {sku}")
}

/// A made-up shop's file, with bad rows in every so many orders.
pub fn sample(orders: u64, bad_every: u64) -> (String, SampleTotals) {
    let mut bytes = Vec::new();
    let sample = Sample { articles: 30, ..Sample::shop(orders, 7) }.with_bad_rows(BadRows::every(bad_every));
    let totals = sample.write(&mut bytes).unwrap();
    (String::from_utf8(bytes).unwrap(), totals)
}

/// Options of an import into a source of its own.
pub fn into(source: &str) -> ImportOptions {
    ImportOptions {
        source: Some(SourceName::parse(source).unwrap()),
        initial_stock: 1_000_000,
        ..ImportOptions::default()
    }
}

/// A file of the shared data: in `ORDERMILL_SHARED`, or in `shared` beside the repository.
pub fn shared(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("ORDERMILL_SHARED").map_or(beside, PathBuf::from);
    Some(folder.join("data").join(name)).filter(|path| path.exists())
}

impl TestApp {
    /// A file beside the database.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Queues an import that must be new.
    pub async fn queue_import(&self, path: &Path, options: ImportOptions) -> ImportId {
        match start(&self.app, &app::Actor::CLI, path, options, false).await.unwrap() {
            Started::New(id) => id,
            other => panic!("{other:?}"),
        }
    }

    /// Imports a file, and does all that follows from it.
    pub async fn import(&self, path: &Path, options: ImportOptions) -> Status {
        let id = self.queue_import(path, options).await;
        self.run_jobs().await;
        status(&self.app, id).await.unwrap()
    }

    /// What became of an import: its state, then rows imported, duplicate, rejected, skipped and not reached.
    pub async fn rows(&self, id: ImportId) -> String {
        told(&status(&self.app, id).await.unwrap())
    }

    /// Decoded copies of files that are left.
    pub fn spooled(&self) -> usize {
        let folder = self.folder().join("imports");
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }

    /// What imports put into the ledger, without the ids and times that each run makes of its own.
    pub async fn imported(&self) -> Vec<String> {
        let mut all = Vec::new();
        for sql in [
            "SELECT o.external_id || ' of ' || c.email || ' at ' || o.placed_at || ' ' || o.currency || ' ' || o.total \
             || ' units ' || o.units || ' in state ' || o.status || o.payment || o.fulfilment || ' line ' \
             || o.import_line || ' ' || hex(o.content_hash) AS line FROM orders o \
             JOIN customers c ON c.id = o.customer_id ORDER BY line",
            "SELECT o.external_id || '/' || l.line_no || ' ' || l.sku || ' ' || l.name || ' ' || l.quantity || ' × ' \
             || l.unit_price || ' = ' || l.total AS line FROM order_lines l JOIN orders o ON o.id = l.order_id \
             ORDER BY line",
            "SELECT line || '/' || position || ' ' || code || ' ' || raw AS line FROM import_rejects ORDER BY 1",
            "SELECT sku || ' ' || name || ' ' || on_hand || ' ' || reserved AS line FROM products ORDER BY line",
            "SELECT SUM(rows_imported) || ' ' || SUM(rows_duplicate) || ' ' || SUM(rows_rejected) || ' ' \
             || SUM(orders_imported) || ' ' || SUM(orders_rejected) FROM import_chunks",
        ] {
            all.extend(self.texts(sql).await);
        }
        all
    }
}

/// What became of an import: its state, then rows imported, duplicate, rejected, skipped and not reached.
pub fn told(status: &Status) -> String {
    let counts = status.progress.counts;
    format!(
        "{} {}-{}-{}-{}-{}",
        status.import.status.as_str(),
        counts.rows_imported,
        counts.rows_duplicate,
        counts.rows_rejected,
        counts.rows_skipped,
        status.rows_not_reached
    )
}
