use std::collections::{HashMap, HashSet};

use domain::ImportId;
use store::audit::Tally;
use store::imports::ImportStatus;

use super::findings::{Findings, Rule, Thing};
use crate::{App, Result};

/// Imports that are read over one snapshot.
const AT_ONCE: u32 = 50;

/// Orders that were counted by the import that brought them.
pub(super) struct Counted {
    /// The imports that had ended before the count began: no order came meanwhile.
    pub(super) ended: HashSet<ImportId>,
    /// The count.
    pub(super) orders: HashMap<ImportId, i64>,
}

/// The imports that have ended.
pub(super) async fn list_ended(app: &App) -> Result<HashSet<ImportId>> {
    let mut ended = HashSet::new();
    let mut after = ImportId::from_ledger(0);
    loop {
        let tallies = read(app, after).await?;
        let Some(last) = tallies.last() else { return Ok(ended) };
        after = last.id;
        ended.extend(tallies.iter().filter(|tally| tally.status.is_final()).map(|tally| tally.id));
    }
}

async fn read(app: &App, after: ImportId) -> Result<Vec<Tally>> {
    app.read("verify_imports", move |tx| -> Result<_> { Ok(store::audit::list_tallies(tx, after, AT_ONCE)?) })
        .await
}

/// Rule 7: each row of an import is imported, a duplicate, rejected, skipped or not reached, and each order that it
/// counts is there.
pub(super) async fn check(app: &App, counted: Option<Counted>) -> Result<Findings> {
    let mut findings = Findings::default();
    let mut after = ImportId::from_ledger(0);
    loop {
        let tallies = read(app, after).await?;
        let Some(last) = tallies.last() else { return Ok(findings) };
        after = last.id;
        for tally in &tallies {
            check_one(tally, &mut findings);
            if let Some(counted) = counted.as_ref().filter(|counted| counted.ended.contains(&tally.id)) {
                let orders = counted.orders.get(&tally.id).copied().unwrap_or_default();
                let (thing, told) = (Thing::Import(tally.id), tally.counts.orders_imported);
                findings.same(
                    Rule::Imports,
                    thing,
                    "orders imported, as counted in the ledger",
                    orders,
                    told,
                );
            }
        }
    }
}

fn check_one(tally: &Tally, findings: &mut Findings) {
    findings.checked(Rule::Imports, 1);
    let (thing, counts) = (Thing::Import(tally.id), &tally.counts);
    findings.same(Rule::Imports, thing, "rows, as the sum of its chunks", tally.chunk_rows, tally.rows_total);
    findings.same(Rule::Imports, thing, "rows of the chunks that are done", tally.reached, counts.rows());
    if let Some(chunk) = tally.bad_chunk {
        let expected = "imported + duplicates + rejected + skipped, or none before it is done";
        findings.breach(
            Rule::Imports,
            thing,
            "rows of a chunk",
            expected,
            format_args!("others in chunk {chunk}"),
        );
    }
    if tally.status == ImportStatus::Completed {
        findings.same(Rule::Imports, thing, "rows not reached", 0, tally.rows_total - tally.reached);
    }
    // The chunk that an import failed at keeps its rejects, but is not done.
    let failed_at = tally.status == ImportStatus::Failed && tally.rejects > counts.rows_rejected;
    if !failed_at {
        findings.same(Rule::Imports, thing, "rows rejected, as kept", tally.rejects, counts.rows_rejected);
    }
}
