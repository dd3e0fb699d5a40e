//! What tests ask the ledger, beside what the application tells.

use std::collections::BTreeMap;

use analytics::{Granularity, KpiQuery, KpiReport, Kpis};
use app::verify::{Scope, run};
use app::{Actor, Error};
use domain::{IdempotencyKey, OrderId, RefundRequest};
use jiff::civil::{Date, date};
use store::orders::OrderRow;

use crate::support::TestApp;

impl TestApp {
    /// The first column of what a query finds, as text.
    pub async fn texts(&self, sql: impl Into<String>) -> Vec<String> {
        let sql = sql.into();
        let read = move |tx: &mut sql::Tx<'_>| tx.query(&sql, &[], |row| row.get(0));
        self.app.read::<Vec<String>, sql::Error>("texts", read).await.unwrap()
    }

    /// The one number that a query finds.
    pub async fn number(&self, sql: impl Into<String>) -> i64 {
        let sql = sql.into();
        let read = move |tx: &mut sql::Tx<'_>| tx.query_one(&sql, &[], |row| row.get(0));
        self.app.read::<i64, sql::Error>("number", read).await.unwrap()
    }

    /// Changes the database behind the application's back.
    pub async fn execute(&self, sql: impl Into<String>) {
        let sql = sql.into();
        let change = move |tx: &mut sql::Tx<'_>| tx.execute(&sql, &[]);
        self.app.transaction::<u64, sql::Error>("execute", change).await.unwrap();
    }

    /// An order as it stands.
    pub async fn order(&self, id: OrderId) -> OrderRow {
        let view = move |tx: &mut sql::Tx<'_>| store::orders::get_view(tx, id);
        self.app.read::<_, store::Error>("order", view).await.unwrap().row
    }

    /// An order's three statuses, and what was captured, refunded and is on its way back.
    pub async fn state(&self, id: OrderId) -> String {
        let row = self.order(id).await;
        let reason = row.fail_reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!(
            "{}{reason} {} {} {}-{}-{}",
            row.status,
            row.payment,
            row.fulfilment,
            row.captured.amount,
            row.refunded.amount,
            row.refund_pending.amount
        )
    }

    /// Units on hand and reserved.
    pub async fn level(&self, sku: &str) -> (i64, i64) {
        let sku = sku.to_owned();
        let read = move |tx: &mut sql::Tx<'_>| store::products::get_by_sku(tx, &sku);
        let product = self.app.read::<_, store::Error>("level", read).await.unwrap();
        (product.on_hand, product.reserved)
    }

    /// The movements that an order, its refunds and its shipments caused, such as `order reserve 4`.
    pub async fn movements(&self, id: OrderId) -> Vec<String> {
        let sql = format!(
            "SELECT CASE cause_kind WHEN 1 THEN 'order ' WHEN 2 THEN 'refund ' ELSE 'shipment ' END || \
             CASE kind WHEN 2 THEN 'reserve ' WHEN 3 THEN 'release ' WHEN 4 THEN 'ship ' WHEN 5 THEN 'return ' \
             ELSE 'adjust ' END || quantity FROM stock_movements WHERE cause_kind = 1 AND cause_id = {id} \
             OR cause_kind = 2 AND cause_id IN (SELECT id FROM refunds WHERE order_id = {id}) \
             OR cause_kind = 3 AND cause_id IN (SELECT id FROM shipments WHERE order_id = {id}) \
             ORDER BY cause_kind, cause_id, cause_line, kind"
        );
        self.texts(sql).await
    }

    /// The kinds of the notifications of an order, in the order in which they were recorded.
    pub async fn told(&self, id: OrderId) -> Vec<String> {
        let all = app::notifications::of_order(&self.app, id).await.unwrap();
        let mut all: Vec<_> = all.iter().map(|one| (one.id, one.kind.as_str().to_owned())).collect();
        all.sort();
        all.into_iter().map(|(_, kind)| kind).collect()
    }

    /// The verdicts of all deliveries to the inbox, oldest first.
    pub async fn verdicts(&self) -> Vec<String> {
        self.texts(
            "SELECT CASE verdict WHEN 1 THEN 'applied' WHEN 2 THEN 'duplicate' WHEN 3 THEN 'stale' \
             WHEN 4 THEN 'ignored' ELSE 'rejected' END FROM webhook_deliveries ORDER BY id",
        )
        .await
    }

    /// Every row of every table but those of `left_out`, by table.
    pub async fn dump(&self, left_out: &[&str]) -> BTreeMap<String, Vec<String>> {
        let mut dump = BTreeMap::new();
        for table in self.tables().await {
            if left_out.contains(&table.as_str()) {
                continue;
            }
            let row = self.quoted_columns(&table).await.join(" || '|' || ");
            let mut rows = self.texts(format!("SELECT {row} FROM {table}")).await;
            rows.sort_unstable();
            dump.insert(table, rows);
        }
        dump
    }

    /// Every rule holds, and no job is left behind.
    pub async fn assert_clean(&self) {
        let report = run(&self.app, Scope::All).await.unwrap();
        let breaches: Vec<String> = report.breaches().map(ToString::to_string).collect();
        assert!(report.is_clean(), "{}", breaches.join("\n"));
        self.assert_no_jobs_left().await;
    }

    /// No job waits, runs, or was given up.
    pub async fn assert_no_jobs_left(&self) {
        let left = self
            .texts(
                "SELECT kind || ' ' || args || ' in state ' || state FROM jobs \
                 UNION ALL SELECT kind || ' ' || args || ' in the outbox' FROM job_outbox",
            )
            .await;
        assert!(left.is_empty(), "{}", left.join("\n"));
    }

    /// The key figures of a span of days, in euros.
    pub async fn kpis(&self, from: Date, to: Date, granularity: Granularity) -> KpiReport {
        let currency = app::figures::currency(&self.app, Some(domain::Currency::EUR));
        let query = KpiQuery { from, to, granularity, currency };
        app::figures::kpis(&self.app, query).await.unwrap()
    }

    /// The key figures of everything, in euros.
    pub async fn kpis_of_all_time(&self) -> Kpis {
        self.kpis(date(2000, 1, 1), date(2040, 12, 31), Granularity::Month).await.total
    }

    /// The net amounts of a leaderboard of all time, the best first.
    pub async fn nets(&self, of: analytics::BoardOf) -> Vec<i64> {
        let currency = app::figures::currency(&self.app, Some(domain::Currency::EUR));
        let (period, date) = (domain::Period::All, date(2030, 1, 1));
        let query = analytics::BoardQuery { of, period, date, currency, limit: 100 };
        let board = app::figures::leaderboard(&self.app, query).await.unwrap();
        board.entries.iter().map(|entry| entry.score.net).collect()
    }

    /// Asks for a refund under a key of this name and order.
    pub async fn refund(
        &self,
        order: OrderId,
        key: &str,
        what: RefundRequest,
        restock: bool,
    ) -> Result<app::refunds::Asked, Error> {
        let key = IdempotencyKey::parse(&format!("{key}-{order}")).unwrap();
        let request = app::refunds::Request { order, key, what, restock: restock.into(), reason: None };
        app::refunds::request(&self.app, &Actor::CLI, request).await
    }

    /// Calls an order off.
    pub async fn cancel(&self, id: OrderId) -> Result<OrderRow, Error> {
        app::orders::cancel(&self.app, &Actor::CLI, id, None).await
    }
}

/// Units of line 1.
pub fn units(count: i64) -> RefundRequest {
    RefundRequest::Lines { lines: vec![(1, count)], shipping: 0 }
}

/// What tasks that run at once come to, in the order of the tasks.
pub async fn at_once<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let running: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    let mut ended = Vec::with_capacity(running.len());
    for task in running {
        ended.push(task.await.unwrap());
    }
    ended
}

/// Every order of these things.
pub fn permutations<T: Copy>(things: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = things.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for rest in permutations(rest) {
        for place in 0..=rest.len() {
            let mut one = rest.clone();
            one.insert(place, *first);
            all.push(one);
        }
    }
    all
}
