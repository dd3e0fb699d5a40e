use std::collections::HashMap;
use std::sync::Arc;

use domain::{ImportId, OrderId};
use store::audit::Slice;

use super::findings::Findings;
use super::timeline::Hours;
use super::{holding, jobs, money, parts, timeline};
use crate::{App, Result};

/// A walk over orders: what was found, and what the other checks need of it.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) findings: Findings,
    /// Orders that were checked.
    pub(super) orders: u64,
    /// The first orders that are not at rest, one more than [`OPEN_KEPT`](super::changed::OPEN_KEPT) at most.
    pub(super) open: Vec<OrderId>,
    /// Orders by the import that brought them.
    pub(super) orders_of_imports: HashMap<ImportId, i64>,
    /// Orders whose jobs are still to be looked for.
    waiting: Vec<OrderId>,
    /// Orders that looked wrong and were read again.
    tried: usize,
}

/// What a range of orders gave.
struct Range {
    findings: Findings,
    hours: Arc<Hours>,
    orders: u64,
    last: Option<OrderId>,
    open: Vec<OrderId>,
    of_imports: HashMap<ImportId, i64>,
}

/// Orders that are read over one snapshot.
pub(super) const AT_ONCE: u32 = 2_000;
/// Orders that are read again in one write transaction: it takes a few milliseconds.
const TRIED_AT_ONCE: usize = 20;
/// Orders that are read again in all. If more look wrong, what one snapshot shows must do.
const TRIED_AT_MOST: usize = 2_000;

/// Walks over every order there is.
pub(super) async fn walk_all(app: &App) -> Result<Walk> {
    let mut walk = Walk::default();
    let mut after = Some(OrderId::from_ledger(0));
    while let Some(start) = after {
        let range = app
            .read("verify_orders", move |tx| -> Result<_> {
                Ok(Range::check(&store::audit::read_next(tx, start, AT_ONCE)?))
            })
            .await?;
        after = range.last.filter(|_| range.orders == u64::from(AT_ONCE));
        walk.add(app, range).await?;
    }
    walk.finish(app).await
}

/// Walks over these orders.
pub(super) async fn walk(app: &App, orders: &[OrderId]) -> Result<Walk> {
    let mut walk = Walk::default();
    for ids in orders.chunks(AT_ONCE as usize) {
        let ids = ids.to_vec();
        let range = app
            .read("verify_orders", move |tx| -> Result<_> {
                Ok(Range::check(&store::audit::read_orders(tx, &ids)?))
            })
            .await?;
        walk.add(app, range).await?;
    }
    walk.finish(app).await
}

impl Range {
    fn check(slice: &Slice) -> Self {
        let hours = Hours::of(slice);
        let (mut findings, mut open, mut of_imports) = (Findings::default(), Vec::new(), HashMap::new());
        parts::for_each_order(slice, &mut findings, |order, parts, findings| {
            check(parts, &hours, findings);
            let under_way = parts.refunds.iter().any(|refund| !refund.status.is_final());
            if under_way || !order.head.state.is_at_rest() {
                open.push(order.head.id);
            }
            if let Some(import) = order.import {
                *of_imports.entry(import).or_default() += 1;
            }
        });
        let (orders, last) = (slice.orders.len() as u64, slice.orders.last().map(|order| order.head.id));
        Range { findings, hours: Arc::new(hours), orders, last, open, of_imports }
    }
}

fn check(parts: &parts::Parts<'_>, hours: &Hours, findings: &mut Findings) {
    holding::check(parts, findings);
    money::check(parts, findings);
    timeline::check(parts, hours, findings);
}

impl Walk {
    async fn add(&mut self, app: &App, mut range: Range) -> Result<()> {
        let suspects = range.findings.suspects();
        if !suspects.is_empty() && self.tried + suspects.len() <= TRIED_AT_MOST {
            self.tried += suspects.len();
            range.findings.acquit();
            for few in suspects.chunks(TRIED_AT_ONCE) {
                range.findings.convict(try_again(app, few.to_vec(), &range.hours).await?);
            }
        }
        self.findings.merge(range.findings);
        self.orders += range.orders;
        for (import, orders) in range.of_imports {
            *self.orders_of_imports.entry(import).or_default() += orders;
        }
        let room = (super::changed::OPEN_KEPT + 1).saturating_sub(self.open.len());
        self.open.extend(range.open.iter().take(room));
        self.waiting.extend(range.open);
        if self.waiting.len() >= jobs::AT_ONCE {
            self.look_for_jobs(app).await?;
        }
        Ok(())
    }

    async fn finish(mut self, app: &App) -> Result<Self> {
        self.look_for_jobs(app).await?;
        Ok(self)
    }

    async fn look_for_jobs(&mut self, app: &App) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.findings.merge(jobs::check(app, waiting).await?);
        Ok(())
    }
}

/// Checks orders once more in a transaction that nobody can write beside.
async fn try_again(app: &App, orders: Vec<OrderId>, hours: &Arc<Hours>) -> Result<Findings> {
    let hours = Arc::clone(hours);
    app.transaction("verify_again", move |tx| {
        let slice = store::audit::read_orders(tx, &orders)?;
        let mut findings = Findings::default();
        parts::for_each_order(&slice, &mut findings, |_, parts, findings| check(parts, &hours, findings));
        Ok(findings)
    })
    .await
}
