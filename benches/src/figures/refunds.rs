//! Refunds a second, asked for by many at once and paid back by workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::ensure;
use app::refunds::{self, Request};
use app::workers::Workers;
use app::{Actor, App};
use domain::{OrderId, RefundRequest};
use tokio::task::JoinSet;

use super::Size;
use crate::place::Place;
use crate::report::{Figure, Goal};
use crate::shop::{OrderFile, Shop};

/// Callers who ask at the same time.
const CALLERS: usize = 256;

pub async fn measure(size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
    let file = OrderFile::of_two_lines(size.orders / 2)?;
    let (mut refunds, mut orders) = (Vec::new(), Vec::new());
    for _ in 0..size.runs {
        let shop = Shop::open(place.empty()?).await?;
        let began = Instant::now();
        shop.process(&file.path).await?;
        orders.push(file.totals.orders as f64 / began.elapsed().as_secs_f64());
        refunds.push(refund_all(&shop).await?);
    }
    let what = "orders/s end to end in the same run";
    Ok(vec![Figure::beside("refunds", "refunds/s", &refunds, what, &orders).goal(Goal::RatioAtLeast(0.3))])
}

/// Gives each order's money back, in full; returns refunds a second, from the first wish to the last settled.
async fn refund_all(shop: &Shop) -> anyhow::Result<f64> {
    let ids = "SELECT id FROM orders ORDER BY id";
    let ids = shop.app.read("orders", move |tx| tx.query(ids, &[], |row| row.get::<i64>(0))).await?;
    let orders: Arc<[OrderId]> = ids.into_iter().map(OrderId::from_ledger).collect();
    let workers = Workers::start(&shop.app).await?;
    let (began, next) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(ask(shop.app.clone(), Arc::clone(&orders), Arc::clone(&next)));
    }
    while let Some(asked) = callers.join_next().await {
        asked??;
    }
    workers.run_until_idle().await?;
    let took = began.elapsed().as_secs_f64();
    let refunded = "SELECT COUNT(*) FROM orders WHERE refunded = captured AND refunded > 0";
    let refunded =
        shop.app.read("refunded", move |tx| tx.query_one(refunded, &[], |row| row.get::<usize>(0))).await?;
    ensure!(refunded == orders.len(), "{refunded} of {} orders were refunded", orders.len());
    Ok(refunded as f64 / took)
}

async fn ask(app: App, orders: Arc<[OrderId]>, next: Arc<AtomicUsize>) -> anyhow::Result<()> {
    while let Some(order) = orders.get(next.fetch_add(1, Ordering::Relaxed)) {
        let request = Request {
            order: *order,
            key: format!("bench-{order}").parse()?,
            what: RefundRequest::All,
            restock: app::refunds::Restock::All,
            reason: None,
        };
        refunds::request(&app, &Actor::CLI, request).await?;
    }
    Ok(())
}
