use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use domain::{ImportId, OrderId, OrderState};
use importer::{BrokenOrders, ChunkRange, Field, ParsedChunk, ParsedOrder, Reject, RejectCode, Workflow};
use jiff::Timestamp;
use sql::Tx;
use store::customers::CustomerRef;
use store::imports::{Chunk, Counts, Import, ImportStatus};
use store::orders::{KnownOrder, NewLine, NewOrder};

use super::newcomers::{Products, insert_customers};
use super::plan::{LANES, read_stored};
use super::start::cannot;
use super::{FileStamp, ImportOptions, OnError, UnknownProducts, historical};
use crate::jobs::{FinishImport, ImportChunk, Payload as _};
use crate::traces::Beginnings;
use crate::{Actor, App, Error, Result, orders};

/// A chunk whose rows were read, outside any transaction.
pub(crate) struct Prepared {
    import: Import,
    options: ImportOptions,
    workflow: Workflow,
    chunk: Chunk,
    bytes: Vec<u8>,
    parsed: ParsedChunk,
    beginnings: Beginnings,
}

impl Prepared {
    /// Whether it was read from a copy of ours.
    pub(crate) fn has_spool(&self) -> bool {
        self.import.spooled
    }
}

static SYSTEM: Actor = Actor::SYSTEM;

/// Reads and checks the rows of a chunk. None where there is nothing to do: it is done, or the import does not run.
pub(crate) async fn prepare(app: &App, id: ImportId, index: i64) -> Result<Option<Result<Arc<Prepared>>>> {
    let (import, chunk) = app
        .read("get_chunk", move |tx| -> Result<_> {
            Ok((store::imports::get(tx, id)?, store::imports::find_open_chunk(tx, id, index)?))
        })
        .await?;
    let Some(chunk) = chunk.filter(|_| import.status == ImportStatus::Running) else {
        return Ok(None);
    };
    let app = app.clone();
    let work = move || read(&app, import, chunk).map(Arc::new);
    let prepared =
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Some(prepared))
}

fn read(app: &App, import: Import, chunk: Chunk) -> Result<Prepared> {
    let (options, plan) = read_stored(&import)?;
    let path = Path::new(&import.path);
    let file = FileStamp::open(path, plan.file)?;
    let length =
        usize::try_from(chunk.length).map_err(|_| Error::Invalid("a chunk is too long".to_owned()))?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, chunk.offset.cast_unsigned())
        .map_err(|source| cannot("read", path, source))?;
    let range = ChunkRange {
        index: u32::try_from(chunk.index).unwrap_or(u32::MAX),
        offset: chunk.offset.cast_unsigned(),
        length: chunk.length.cast_unsigned(),
        first_line: chunk.first_line.cast_unsigned(),
        rows: chunk.rows.cast_unsigned(),
    };
    let workflow = options.workflow(plan.layout.profile.workflow);
    let rules = options.rules(app, plan.layout.profile.workflow);
    let broken = BrokenOrders::new(&plan.broken);
    let parsed = importer::parse_chunk(&bytes, &range, &plan.layout, &rules, &broken)?;
    Ok(Prepared { import, options, workflow, chunk, bytes, parsed, beginnings: Beginnings::default() })
}

/// Imports a chunk: customers, products, orders, lines, events, jobs, rejects and counters, in this one transaction.
/// Does nothing where it is done already or the import stopped in the meantime.
pub(crate) fn import_chunk(app: &App, tx: &mut Tx<'_>, prepared: &Prepared) -> Result<()> {
    let (id, index, at) = (prepared.import.id, prepared.chunk.index, app.now());
    let is_running = store::imports::get_status(tx, id)? == ImportStatus::Running;
    if !is_running || store::imports::find_open_chunk(tx, id, index)?.is_none() {
        return Ok(());
    }
    let mut sorted = Sorted::new(tx, prepared)?;
    let mut products = products(app, tx, prepared, &mut sorted)?;
    let counts = sorted.counts(&prepared.parsed);
    if let Some(reason) = stop_reason(tx, prepared, &sorted, &counts)? {
        store::imports::insert_rejects(tx, id, &ledger_rejects(&sorted.rejects))?;
        return Ok(store::imports::mark_status(tx, id, ImportStatus::Failed, Some(&reason), at)?);
    }
    insert_orders(app, tx, prepared, &sorted.fresh, &mut products, at)?;
    store::imports::insert_rejects(tx, id, &ledger_rejects(&sorted.rejects))?;
    if !store::imports::mark_chunk_done(tx, id, index, &counts, at)? {
        // Another job did it while this one waited: its orders were found to be known, and it goes on itself.
        return Ok(());
    }
    tx.after_commit(move || count_rows(&counts));
    go_on(app, tx, id, index)
}

fn count_rows(counts: &Counts) {
    for (outcome, rows) in [
        ("imported", counts.rows_imported),
        ("duplicate", counts.rows_duplicate),
        ("rejected", counts.rows_rejected),
        ("skipped", counts.rows_skipped),
    ] {
        metrics::counter!("ordermill_import_rows_total", "outcome" => outcome).increment(rows.unsigned_abs());
    }
}

/// Pushes the next chunk of this lane, or the end of the import.
fn go_on(app: &App, tx: &mut Tx<'_>, id: ImportId, index: i64) -> Result<()> {
    let job = if let Some(chunk) = store::imports::next_open_chunk(tx, id, index, LANES)? {
        ImportChunk { import: id, chunk }.job()
    } else {
        // Lanes that end at once take turns here, so that the last of them sees that it is.
        store::imports::lock(tx, id)?;
        if store::imports::has_open_chunk(tx, id, index)? {
            return Ok(());
        }
        FinishImport { import: id }.job()
    };
    app.push_in(tx, vec![job])?;
    Ok(())
}

/// The orders of a chunk by what becomes of them.
struct Sorted<'p> {
    fresh: Vec<&'p ParsedOrder>,
    duplicates: Vec<(&'p ParsedOrder, bool)>,
    rejects: Vec<Reject>,
    rejected_orders: u64,
}

impl<'p> Sorted<'p> {
    fn new(tx: &mut Tx<'_>, prepared: &'p Prepared) -> Result<Self> {
        let parsed = &prepared.parsed;
        let source = prepared.import.source.as_str();
        let ids = parsed.orders.iter().map(|order| order.external_id.as_str());
        let known = store::orders::find_known(tx, source, ids)?;
        let mut sorted = Sorted {
            fresh: Vec::with_capacity(parsed.orders.len()),
            duplicates: Vec::new(),
            rejects: parsed.rejects.clone(),
            rejected_orders: parsed.rejected_orders,
        };
        for order in &parsed.orders {
            match known.get(order.external_id.as_str()) {
                Some(known) => sorted.duplicates.push((order, differs(known, order))),
                None => sorted.fresh.push(order),
            }
        }
        Ok(sorted)
    }

    fn reject(&mut self, prepared: &Prepared, order: &ParsedOrder, line_no: u32, sku: &str) {
        let message = format!("there is no product with the SKU {sku:?}, and unknown products are rejected");
        let (code, field) = (RejectCode::UnknownProduct, Some(Field::ProductSku));
        self.rejects.extend(order.reject(&prepared.bytes, line_no, code, field, &message));
        self.rejected_orders += 1;
    }

    fn counts(&self, parsed: &ParsedChunk) -> Counts {
        let rows = |order: &ParsedOrder| (order.lines.len() + order.returns.len()) as i64;
        Counts {
            rows_imported: self.fresh.iter().map(|order| rows(order)).sum(),
            rows_duplicate: self.duplicates.iter().map(|(order, _)| rows(order)).sum(),
            rows_rejected: self.rejects.len() as i64,
            rows_skipped: parsed.skipped.cast_signed(),
            orders_imported: self.fresh.len() as i64,
            orders_duplicate: self.duplicates.len() as i64,
            orders_differ: self.duplicates.iter().filter(|(_, differs)| *differs).count() as i64,
            orders_rejected: self.rejected_orders.cast_signed(),
        }
    }
}

/// Whether an order that is there says something else. One that no import brought tells nothing to compare.
fn differs(known: &KnownOrder, order: &ParsedOrder) -> bool {
    known.content_hash.as_deref().is_some_and(|hash| hash != order.content_hash)
}

/// The products that fresh orders name. Unknown ones are to be made, or their orders are rejected.
fn products<'p>(
    app: &App,
    tx: &mut Tx<'_>,
    prepared: &Prepared,
    sorted: &mut Sorted<'p>,
) -> Result<Products<'p>> {
    let skus = sorted.fresh.iter().flat_map(|order| order.rows()).map(|line| line.sku.as_str());
    let known = app.known_products().find_ids(tx, skus)?;
    if prepared.options.unknown_products == UnknownProducts::Reject {
        let unknown = |order: &ParsedOrder| {
            order
                .rows()
                .find(|line| !known.contains_key(line.sku.as_str()))
                .map(|line| (line.line_no, line.sku.clone()))
        };
        let (bad, good): (Vec<_>, Vec<_>) =
            sorted.fresh.drain(..).map(|order| (order, unknown(order))).partition(|(_, bad)| bad.is_some());
        sorted.fresh = good.into_iter().map(|(order, _)| order).collect();
        for (order, unknown) in bad {
            if let Some((line_no, sku)) = unknown {
                sorted.reject(prepared, order, line_no, sku.as_str());
            }
        }
        return Ok(Products::known(known));
    }
    Products::with_new(tx, known, &sorted.fresh)
}

/// Why the import must stop here, if it must.
fn stop_reason(
    tx: &mut Tx<'_>,
    prepared: &Prepared,
    sorted: &Sorted<'_>,
    counts: &Counts,
) -> Result<Option<String>> {
    let Some(first) = sorted.rejects.iter().min_by_key(|reject| reject.line) else { return Ok(None) };
    if prepared.options.on_error == OnError::Stop {
        return Ok(Some(format!(
            "line {}: {} (the import stops at the first bad row)",
            first.line, first.message
        )));
    }
    let Some(limit) = prepared.options.max_rejects else { return Ok(None) };
    let before = store::imports::get_progress(tx, prepared.import.id)?.counts.rows_rejected;
    let rejected = before.cast_unsigned() + counts.rows_rejected.cast_unsigned();
    Ok((rejected > limit)
        .then(|| format!("{rejected} rows were rejected, more than the {limit} that are allowed")))
}

fn insert_orders(
    app: &App,
    tx: &mut Tx<'_>,
    prepared: &Prepared,
    fresh: &[&ParsedOrder],
    products: &mut Products<'_>,
    at: Timestamp,
) -> Result<()> {
    let source = prepared.import.source.as_str();
    let wanted: Vec<CustomerRef<'_>> = fresh
        .iter()
        .map(|order| CustomerRef {
            external_id: order.customer.external_id.as_ref(),
            email: order.customer.email.as_ref(),
            name: order.customer.name.as_ref().map(domain::Label::as_str),
        })
        .collect();
    let mut customers = store::customers::find(tx, source, &wanted)?;
    let is_historical = prepared.workflow == Workflow::Historical;
    let initial_stock = prepared.options.initial_stock;
    if is_historical {
        // Figures of the past name products and customers at once.
        products.insert(tx, initial_stock, at)?;
        while !customers.insert(tx, at)? {
            customers = store::customers::find(tx, source, &wanted)?;
        }
    }
    let ids = tx.next_ids("orders", fresh.len() as u64)?;
    let notify = prepared.options.notify.unwrap_or(!is_historical);
    let mut rows = Vec::with_capacity(fresh.len());
    for ((order, customer), id) in fresh.iter().zip(&customers.ids).zip(ids) {
        let state = if is_historical { historical::state(order) } else { placed(order) };
        rows.push(NewOrder {
            id: OrderId::from_ledger(id),
            source,
            external_id: order.external_id.as_str(),
            customer: *customer,
            state,
            totals: order.totals,
            placed_at: order.placed_at,
            import: Some((prepared.import.id, order.first_line.cast_signed())),
            stock_untracked: is_historical,
            notify: notify && !is_historical,
            content_hash: Some(&order.content_hash),
            details: details(order),
            lines: lines(order, &state, products),
        });
    }
    orders::insert_placed(app, tx, &SYSTEM, &rows, at, |order| prepared.beginnings.of(order))?;
    if is_historical {
        return historical::record(app, tx, fresh, &rows);
    }
    products.insert_of(tx, initial_stock, &rows, at)?;
    insert_customers(tx, (source, &wanted), customers, &rows, at)
}

pub(super) fn placed(order: &ParsedOrder) -> OrderState {
    let total = domain::Money { amount: order.totals.total, currency: order.currency };
    OrderState::placed(total, order.lines.iter().map(|line| i64::from(line.quantity.get())).sum())
}

fn lines<'p>(order: &'p ParsedOrder, state: &OrderState, products: &Products<'_>) -> Vec<NewLine<'p>> {
    let has_shipped = state.units > 0 && state.units_shipped == state.units;
    let line = |line: &'p importer::ParsedLine| {
        let quantity = i64::from(line.quantity.get());
        NewLine {
            product: products.id(line.sku.as_str()),
            sku: line.sku.as_str(),
            name: line.name.as_str(),
            quantity,
            unit_price: line.unit_price,
            discount: 0,
            tax: 0,
            total: line.total,
            shipped: if has_shipped { quantity } else { 0 },
            refunded: 0,
        }
    };
    order.lines.iter().map(line).collect()
}

/// What nobody computes with, as JSON; nothing where the file tells nothing.
fn details(order: &ParsedOrder) -> Option<String> {
    if order.payment_method.is_none() && order.notes.is_none() {
        return None;
    }
    let method = order.payment_method.as_ref().map(domain::Label::as_str);
    Some(serde_json::json!({"payment_method": method, "notes": order.notes}).to_string())
}

/// Rejects as the ledger keeps them; several of one line are told apart by their position.
fn ledger_rejects(rejects: &[Reject]) -> Vec<store::imports::Reject> {
    let mut sorted: Vec<&Reject> = rejects.iter().collect();
    sorted.sort_by_key(|reject| reject.line);
    let mut last = (0, 0);
    sorted
        .into_iter()
        .map(|reject| {
            let line = reject.line.cast_signed();
            last = if last.0 == line { (line, last.1 + 1) } else { (line, 0) };
            store::imports::Reject {
                line,
                position: last.1,
                code: reject.code.as_str().to_owned(),
                field: reject.field.map(|field| field.as_str().to_owned()),
                message: reject.message.clone(),
                raw: reject.raw.clone(),
            }
        })
        .collect()
}
