//! A shop that has lived: orders in every state that the real workflow brings them to, and imports.

use std::time::Duration;

use app::gateways::simulator::{Callback, CallbackData, EventType};
use app::imports::ImportOptions;
use app::orders::Shipping;
use app::payments::Incoming;
use app::refunds::Request;
use app::{Actor, App};
use domain::{IdempotencyKey, Money, OrderId, RefundRequest, SourceName};

use crate::support::{TestApp, order};

const CLI: Actor = Actor::CLI;
const DAY: Duration = Duration::from_hours(26);

/// The shop, with a few orders and one refund still under way.
pub async fn lived() -> TestApp {
    let test = TestApp::with(|config| {
        config.gateway.duplicate_rate = 1.0;
        config.gateway.reorder_rate = 1.0;
    })
    .await;
    for (sku, units) in [("TEA", 100_000), ("CUP", 100_000), ("RARE", 5)] {
        test.stock(sku, sku, units).await;
    }
    place_many(&test).await;
    act(&test).await;
    import(&test).await;
    let test = test.restarted(|config| config.gateway.decline_rate = 1.0).await;
    decline(&test).await;
    let test = test
        .restarted(|config| {
            config.gateway.decline_rate = 0.0;
            config.gateway.latency = Duration::from_hours(1);
        })
        .await;
    expire(&test).await;
    let test = test.restarted(|config| config.gateway.latency = Duration::from_secs(10)).await;
    pay_late(&test).await;
    let test = test.restarted(|config| config.gateway.latency = Duration::from_hours(1)).await;
    leave_open(&test).await;
    test
}

/// The ids that a query finds.
pub async fn ids(app: &App, sql: &'static str) -> Vec<OrderId> {
    app.read("ids", move |tx| {
        Ok::<_, app::Error>(tx.query(sql, &[], |row| row.get(0).map(OrderId::from_ledger))?)
    })
    .await
    .unwrap()
}

async fn place_many(test: &TestApp) {
    for n in 0..60_u32 {
        let price = if n % 11 == 10 { 0 } else { 500 + i64::from(n) };
        let mut order = order(&format!("A-{n}")).line("TEA", 1 + n % 3, price).line("CUP", 2, 3 * price);
        if n % 7 == 0 {
            order = order.line("TEA", 1, price);
        }
        if n % 5 == 0 && price > 0 {
            order = order.discount(131);
        }
        if n % 4 == 0 && price > 0 {
            order = order.shipping(390);
        }
        if n % 6 == 0 {
            order = order.without_email();
        }
        order.place(test).await;
        if n % 20 == 19 {
            test.run_jobs_after(DAY).await;
        }
    }
    order("R-1").line("RARE", 4, 900).place(test).await;
    order("R-2").line("RARE", 3, 900).line("TEA", 1, 500).place(test).await;
    test.run_jobs().await;
}

/// Ships, delivers, refunds and cancels confirmed orders in every way there is.
async fn act(test: &TestApp) {
    let app = &test.app;
    let confirmed = ids(app, "SELECT id FROM orders WHERE status = 3 AND total > 0 ORDER BY id").await;
    assert!(confirmed.len() >= 30, "only {} orders were paid", confirmed.len());
    let units = |units| RefundRequest::Lines { lines: vec![(1, units)], shipping: 0 };
    for (way, id) in confirmed.into_iter().enumerate() {
        match way % 10 {
            0 => {
                deliver(app, id).await;
                refund(app, id, "all", RefundRequest::All, true).await;
            }
            1 if way > 10 => deliver(app, id).await,
            1 => ship(app, id, Vec::new()).await,
            2 => ship(app, id, vec![(2, 1)]).await,
            3 => {
                deliver(app, id).await;
                refund(app, id, "unit", units(1), false).await;
            }
            4 => refund(app, id, "amount", RefundRequest::Amount(100), false).await,
            5 => cancel(app, id).await,
            6 => {
                refund(app, id, "unit", units(1), true).await;
                test.run_jobs_after(DAY).await;
                ship(app, id, Vec::new()).await;
            }
            7 => {
                refund(app, id, "unit", units(1), true).await;
                cancel(app, id).await;
            }
            8 => {
                refund(app, id, "one", RefundRequest::Amount(101), false).await;
                refund(app, id, "two", RefundRequest::Amount(103), false).await;
                test.run_jobs().await;
                cancel(app, id).await;
            }
            _ => refund(app, id, "gone", RefundRequest::All, false).await,
        }
        test.clock.advance(Duration::from_secs(61));
    }
    test.run_jobs_after(DAY).await;
}

async fn import(test: &TestApp) {
    let header = "external_order_id,order_placed_at,currency,product_sku,qty,unit_price_cents,customer_email";
    let new = "I-1,2029-12-30T10:00:00Z,EUR,TEA,1,500,ada@example.com\n\
               I-1,2029-12-30T10:00:00Z,EUR,CUP,2,700,ada@example.com\n\
               I-2,2029-12-30T11:00:00Z,EUR,TEA,none,500,bob@example.com\n\
               I-3,2029-12-31T12:00:00Z,EUR,CUP,3,700,eve@example.com\n";
    let again = "I-3,2029-12-31T12:00:00Z,EUR,CUP,3,700,eve@example.com\n\
                 I-4,2029-12-31T12:00:00Z,EUR,TEA,3,500,eve@example.com\n";
    let process = |source: &str, workflow| ImportOptions {
        source: Some(SourceName::parse(source).unwrap()),
        workflow: Some(workflow),
        ..ImportOptions::default()
    };
    for (name, rows, options) in [
        ("new", new, process("file", importer::Workflow::Process)),
        ("again", again, process("file", importer::Workflow::Process)),
        ("past", new, process("past", importer::Workflow::Historical)),
    ] {
        let path = test.folder().join(format!("{name}.csv"));
        std::fs::write(&path, format!("{header}\n{rows}")).unwrap();
        app::imports::start(&test.app, &app::Actor::CLI, &path, options, false).await.unwrap();
        test.run_jobs().await;
    }
}

async fn decline(test: &TestApp) {
    for n in 0..4 {
        order(&format!("F-{n}")).line("TEA", 2, 700).line("CUP", 1, 900).place(test).await;
    }
    test.run_jobs_after(DAY).await;
}

/// Reservations that run out, one of them paid after all: at a gateway that had called the charge off, so that the
/// money cannot be given back.
async fn expire(test: &TestApp) {
    let mut placed = Vec::new();
    for n in 0..4 {
        placed.push(order(&format!("B-{n}")).line("TEA", 2, 700).line("CUP", 1, 900).place(test).await);
    }
    test.run_jobs().await;
    cancel(&test.app, placed[0]).await;
    test.run_jobs_after(Duration::from_mins(16)).await;
    assert_eq!(app::payments::settle_overdue(&test.app, 100).await.unwrap(), 3);
    capture(&test.app, placed[1], 2_300).await;
    test.run_jobs().await;
}

/// Orders that are cancelled while the gateway takes the money: it goes back.
async fn pay_late(test: &TestApp) {
    let late = order("C-0").line("TEA", 1, 700).place(test).await;
    order("C-1").line("TEA", 1, 700).place(test).await;
    test.run_jobs().await;
    cancel(&test.app, late).await;
    test.run_jobs_after(Duration::from_secs(20)).await;
}

async fn leave_open(test: &TestApp) {
    for n in 0..3 {
        order(&format!("D-{n}")).line("TEA", 2, 700).place(test).await;
    }
    test.run_jobs().await;
    let paid =
        ids(&test.app, "SELECT id FROM orders WHERE status = 3 AND refunded = 0 AND total > 500 ORDER BY id")
            .await;
    refund(&test.app, paid[0], "open", RefundRequest::Lines { lines: vec![(1, 1)], shipping: 0 }, true).await;
    for n in 0..3 {
        order(&format!("E-{n}")).line("CUP", 2, 700).place(test).await;
    }
}

pub async fn ship(app: &App, id: OrderId, lines: Vec<(i64, i64)>) {
    app::orders::ship(app, &CLI, id, Shipping { lines, ..Shipping::default() }).await.unwrap();
}

pub async fn deliver(app: &App, id: OrderId) {
    ship(app, id, Vec::new()).await;
    app::orders::deliver(app, &CLI, id).await.unwrap();
}

pub async fn cancel(app: &App, id: OrderId) {
    app::orders::cancel(app, &CLI, id, None).await.unwrap();
}

pub async fn refund(app: &App, order: OrderId, key: &str, what: RefundRequest, restock: bool) {
    let key = IdempotencyKey::parse(&format!("{key}-{order}")).unwrap();
    app::refunds::request(app, &CLI, Request { order, key, what, restock: restock.into(), reason: None })
        .await
        .unwrap();
}

/// The gateway's word that it took the money of an order's first charge.
async fn capture(app: &App, order: OrderId, amount: i64) {
    let data = CallbackData {
        key: format!("{}-{:012}-1", app.instance(), order.get()),
        reference: "ch_late".to_owned(),
        amount: Money { amount, currency: domain::Currency::EUR },
        reason: None,
    };
    let body = serde_json::to_vec(&Callback { kind: EventType::Captured, data }).unwrap();
    let headers = app.secrets().sign(&format!("late-{order}"), app.now(), &body).unwrap();
    app::payments::receive(app, Incoming { headers, body }).await.unwrap();
}
