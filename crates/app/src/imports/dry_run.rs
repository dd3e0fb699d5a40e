use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use importer::{BrokenOrders, ParsedChunk, ParsedOrder, PlanOptions, Reject, RejectCode, Rules, Workflow};
use schemars::JsonSchema;
use serde::Serialize;
use sql::Tx;

use super::start::{cannot, read_options};
use super::{ImportOptions, UnknownProducts};
use crate::{App, Error, Result};

/// What an import would do, found out by the real rules and without writing anything.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct DryRun {
    /// Rows of the file.
    pub rows: u64,
    /// Orders that would be imported.
    pub orders_imported: u64,
    /// Orders that are there already.
    pub orders_duplicate: u64,
    /// Orders that would be rejected.
    pub orders_rejected: u64,
    /// Rows that would be rejected.
    pub rows_rejected: u64,
    /// Products that would be made.
    pub products_created: u64,
    /// Why, and how many rows each; the most frequent first.
    pub reasons: Vec<Reason>,
    /// The first rejects.
    #[serde(skip)]
    pub rejects: Vec<Reject>,
    /// Products of which there is too little, by SKU.
    pub shortfalls: Vec<Shortfall>,
    /// Orders that would fail for want of stock, when taken in the file's order.
    pub orders_short: u64,
}

/// Why rows would be rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reason {
    /// The reason.
    pub code: RejectCode,
    /// Rows that would be rejected for it.
    pub rows: u64,
}

/// A product of which there is too little.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shortfall {
    /// The product.
    pub sku: String,
    /// Units that the file's orders want.
    pub wanted: i64,
    /// Units there are.
    pub available: i64,
}

/// Rejects that a dry run keeps.
const KEPT: usize = 1_000;

/// Runs an import's rules over a file, stock included, and writes nothing.
pub async fn dry_run(app: &App, path: &Path, options: ImportOptions) -> Result<DryRun> {
    let (app, path) = (app.clone(), path.to_owned());
    let work = move || run(&app, &path, &options);
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?
}

fn run(app: &App, path: &Path, options: &ImportOptions) -> Result<DryRun> {
    let reading = read_options(app, options)?;
    let sniffed = importer::sniff(path, &reading)?;
    options.check(sniffed.layout.profile.workflow)?;
    let mut text =
        tempfile::tempfile().map_err(|source| cannot("create", Path::new("a temporary file"), source))?;
    importer::spool(path, &reading, &mut text)?;
    let plan_options = PlanOptions { chunk_size: u64::from(options.chunk_size), ..PlanOptions::default() };
    let plan = importer::plan(&text, &sniffed.layout, &plan_options)?;
    let profile = &sniffed.layout.profile;
    let source = options.source.as_ref().map_or(profile.name.as_str(), |source| source.as_str()).to_owned();
    let rules: Rules = options.rules(app, profile.workflow);
    let broken = BrokenOrders::new(&plan.broken);
    let mut trial = Trial { source, options: options.clone(), ..Trial::default() };
    trial.takes_stock = options.workflow(profile.workflow) == Workflow::Process;
    for chunk in &plan.chunks {
        let bytes = read_range(&text, path, chunk.offset, chunk.length)?;
        let parsed = importer::parse_chunk(&bytes, chunk, &sniffed.layout, &rules, &broken)?;
        trial = app.database().read_blocking("dry_run", {
            let mut trial = Some(trial);
            move |tx| {
                let mut trial = trial.take().unwrap_or_default();
                trial.try_chunk(tx, &parsed, &bytes)?;
                Ok::<_, Error>(trial)
            }
        })?;
    }
    Ok(trial.report())
}

fn read_range(text: &File, path: &Path, offset: u64, length: u64) -> Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(|_| Error::Invalid("a chunk is too long".to_owned()))?;
    let mut bytes = vec![0; length];
    text.read_exact_at(&mut bytes, offset).map_err(|source| cannot("read", path, source))?;
    Ok(bytes)
}

/// What a dry run has seen so far. Its memory grows with the catalogue, not with the file.
#[derive(Default)]
struct Trial {
    source: String,
    options: ImportOptions,
    takes_stock: bool,
    found: DryRun,
    available: HashMap<String, i64>,
    created: HashSet<String>,
    wanted: BTreeMap<String, i64>,
    stock: HashMap<String, i64>,
    reasons: BTreeMap<RejectCode, u64>,
}

impl Trial {
    fn try_chunk(&mut self, tx: &mut Tx<'_>, parsed: &ParsedChunk, bytes: &[u8]) -> Result<()> {
        self.found.rows += parsed.rows;
        self.found.orders_rejected += parsed.rejected_orders;
        self.keep(parsed.rejects.clone());
        let ids = parsed.orders.iter().map(|order| order.external_id.as_str());
        let known = store::orders::find_known(tx, &self.source, ids)?;
        self.look_up(tx, parsed)?;
        for order in &parsed.orders {
            if known.contains_key(order.external_id.as_str()) {
                self.found.orders_duplicate += 1;
            } else if !self.rejects_unknown(order, bytes) {
                self.found.orders_imported += 1;
                self.take_stock(order);
            }
        }
        Ok(())
    }

    /// Reads the stock of products that were not met before.
    fn look_up(&mut self, tx: &mut Tx<'_>, parsed: &ParsedChunk) -> Result<()> {
        let skus = parsed.orders.iter().flat_map(|order| order.lines.iter()).map(|line| line.sku.as_str());
        let new: HashSet<&str> =
            skus.filter(|sku| !self.available.contains_key(*sku) && !self.created.contains(*sku)).collect();
        let ids: Vec<_> = store::products::find_ids(tx, new.into_iter())?.into_values().collect();
        for product in store::products::list(tx, &ids)? {
            let available = if product.tracked { product.available() } else { i64::MAX };
            self.available.insert(product.sku.clone(), available);
            self.stock.insert(product.sku, available);
        }
        Ok(())
    }

    fn rejects_unknown(&mut self, order: &ParsedOrder, bytes: &[u8]) -> bool {
        for line in &order.lines {
            let sku = line.sku.as_str();
            if self.available.contains_key(sku) {
                continue;
            }
            if self.options.unknown_products == UnknownProducts::Reject {
                let message =
                    format!("there is no product with the SKU {sku:?}, and unknown products are rejected");
                let field = Some(importer::Field::ProductSku);
                let rejects = order.reject(bytes, line.line_no, RejectCode::UnknownProduct, field, &message);
                self.found.orders_rejected += 1;
                self.keep(rejects);
                return true;
            }
            self.created.insert(sku.to_owned());
            self.available.insert(sku.to_owned(), self.options.initial_stock);
            self.stock.insert(sku.to_owned(), self.options.initial_stock);
        }
        false
    }

    fn take_stock(&mut self, order: &ParsedOrder) {
        if !self.takes_stock {
            return;
        }
        let mut demand: BTreeMap<&str, i64> = BTreeMap::new();
        for line in &order.lines {
            *demand.entry(line.sku.as_str()).or_default() += i64::from(line.quantity.get());
        }
        let left =
            |sku: &str, available: &HashMap<String, i64>| available.get(sku).copied().unwrap_or_default();
        let is_short = demand.iter().any(|(sku, wanted)| left(sku, &self.available) < *wanted);
        for (sku, wanted) in demand {
            *self.wanted.entry(sku.to_owned()).or_default() += wanted;
            if !is_short && let Some(available) = self.available.get_mut(sku) {
                *available -= wanted;
            }
        }
        self.found.orders_short += u64::from(is_short);
    }

    fn keep(&mut self, rejects: Vec<Reject>) {
        self.found.rows_rejected += rejects.len() as u64;
        for reject in &rejects {
            *self.reasons.entry(reject.code).or_default() += 1;
        }
        let room = KEPT.saturating_sub(self.found.rejects.len());
        self.found.rejects.extend(rejects.into_iter().take(room));
    }

    fn report(mut self) -> DryRun {
        self.found.products_created = self.created.len() as u64;
        self.found.reasons = self.reasons.into_iter().map(|(code, rows)| Reason { code, rows }).collect();
        self.found.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.rows));
        for (sku, wanted) in std::mem::take(&mut self.wanted) {
            let available = self.stock.get(&sku).copied().unwrap_or_default();
            if wanted > available {
                self.found.shortfalls.push(Shortfall { sku, wanted, available });
            }
        }
        self.found
    }
}
