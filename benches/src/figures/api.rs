//! Requests a second of the API, by a server in a process of its own, beside a bare handler that answers by the same bytes.

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use app::Actor;
use app::access::tokens;
use domain::Role;

use super::Size;
use crate::bare::SameAnswer;
use crate::load::{self, Answered, Requests};
use crate::place::Place;
use crate::report::{Figure, Goal};
use crate::server::{Server, binary};
use crate::shop::{OrderFile, Shop};
use crate::table::number;

/// Orders that are there, for each order of a run: a million by default.
const ORDERS_THERE: u64 = 25;
/// For how long one side is asked in a run of the default size.
const TURN: Duration = Duration::from_secs(3);
/// Orders by which a turn is as long as that.
const DEFAULT_ORDERS: f64 = 40_000.0;

/// What is asked.
struct Subject<'s> {
    name: &'static str,
    status: u16,
    requests: Requests<'s>,
    /// Whether there is a goal for its pace, and for its slowest answers.
    goals: (bool, bool),
}

/// Nothing where the binary is not built beside the bench.
pub async fn measure(size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
    let Some(binary) = binary("the API")? else { return Ok(Vec::new()) };
    let shop = Shop::open(place.empty()?).await?;
    shop.process(&OrderFile::of_two_lines(size.orders * ORDERS_THERE)?.path).await?;
    let wanted =
        tokens::Wanted { name: "bench".parse()?, role: Role::Operator, owner: None, expires_at: None };
    let (token, _) = tokens::create(&shop.app, &Actor::CLI, wanted).await?;
    let ids = "SELECT id FROM orders ORDER BY id";
    let ids = shop.app.read("orders", move |tx| tx.query(ids, &[], |row| row.get::<i64>(0))).await?;
    let sku = "SELECT sku FROM products ORDER BY id LIMIT 1";
    let sku = shop.app.read("product", move |tx| tx.query_one(sku, &[], |row| row.get::<String>(0))).await?;
    let home = shop.close();
    // Nobody works meanwhile: what is measured is the API.
    let server = Server::start(&binary, &home, &["--no-workers"])?;
    let get = |path: &str| head("GET", path, &token, "\r\n");
    let read_order = |number: usize| {
        // Far apart, so that one does not warm what the next one reads.
        let id = ids[number.wrapping_mul(7_368_787) % ids.len()];
        Some(get(&format!("/api/orders/{id}")))
    };
    let place_order = |number: usize| {
        let body = format!(
            r#"{{"source":"bench","external_id":"B-{number}","customer":{{"email":"b{number}@example.org"}},"lines":[{{"sku":"{sku}","quantity":2,"unit_price":1999}}]}}"#
        );
        Some(post("/api/orders", &token, &format!("idempotency-key: order-{number}\r\n"), &body))
    };
    let refund = |number: usize| {
        let body = format!(r#"{{"order_id":{},"reason":"measured"}}"#, ids.get(number)?);
        Some(post("/api/refunds", &token, &format!("idempotency-key: refund-{number}\r\n"), &body))
    };
    let fixed = |path: &'static str| move |_: usize| Some(get(path));
    let day = fixed("/api/analytics/kpis?date=2025-01-02");
    let month = fixed("/api/analytics/kpis?from=2025-01-01&to=2025-01-31&granularity=day");
    let board = fixed("/api/leaderboard?period=all&limit=10");
    let list = fixed("/api/orders?status=confirmed&source=native&limit=50");
    let subjects = [
        Subject { name: "GET an order", status: 200, requests: &read_order, goals: (false, true) },
        Subject { name: "GET key figures of a day", status: 200, requests: &day, goals: (true, true) },
        Subject {
            name: "GET key figures of a month, by day",
            status: 200,
            requests: &month,
            goals: (true, true),
        },
        Subject { name: "GET leaderboard, the first 10", status: 200, requests: &board, goals: (true, true) },
        Subject {
            name: "GET orders by status and source, 50",
            status: 200,
            requests: &list,
            goals: (false, false),
        },
        Subject { name: "POST an order", status: 201, requests: &place_order, goals: (false, false) },
        Subject { name: "POST a refund", status: 202, requests: &refund, goals: (false, false) },
    ];
    let mut figures = Vec::new();
    for subject in &subjects {
        figures.extend(beside_bare(subject, size, &server, ids.len()).await?);
    }
    Ok(figures)
}

async fn beside_bare(
    subject: &Subject<'_>,
    size: Size,
    server: &Server,
    orders: usize,
) -> anyhow::Result<Vec<Figure>> {
    let Subject { name, status, requests, goals } = subject;
    let next = AtomicUsize::new(1);
    let answer = load::ask(server.address, &requests(0).context("there is a first request")?)?;
    ensure!(answer.status == *status, "{name}: {}", String::from_utf8_lossy(&answer.body));
    let bare = SameAnswer::serve(answer).await?;
    let turn = TURN.mul_f64(size.orders as f64 / DEFAULT_ORDERS);
    let asked = |address, next: &AtomicUsize| {
        tokio::task::block_in_place(|| {
            load::ask_for(turn, load::CONNECTIONS, address, *status, next, *requests)
        })
        .with_context(|| format!("{name} failed"))
    };
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..size.runs {
        ours.push(asked(server.address, &next)?);
        // Of its own: what ours is asked for must not run out.
        limit.push(asked(bare.address, &AtomicUsize::new(1))?);
    }
    let of =
        |answered: &[Answered], what: fn(&Answered) -> f64| answered.iter().map(what).collect::<Vec<_>>();
    let pace = Figure::beside(
        format!("API: {name}, of {} orders", number(orders as f64)),
        "requests/s",
        &of(&ours, |answered| answered.per_second),
        "a bare handler that answers by the same bytes",
        &of(&limit, |answered| answered.per_second),
    );
    let slowest = Figure::beside(
        format!("API: {name}, p99"),
        "ms",
        &of(&ours, |answered| answered.p99),
        format!("its own p50; {} connections", load::CONNECTIONS),
        &of(&ours, |answered| answered.p50),
    );
    Ok(vec![
        if goals.0 { pace.goal(Goal::RatioAtLeast(0.5)) } else { pace },
        if goals.1 { slowest.goal(Goal::RatioAtMost(5.0)) } else { slowest },
    ])
}

fn post(path: &str, token: &str, more: &str, body: &str) -> Vec<u8> {
    let more =
        format!("content-type: application/json\r\n{more}content-length: {}\r\n\r\n{body}", body.len());
    head("POST", path, token, &more)
}

fn head(method: &str, path: &str, token: &str, rest: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer {token}\r\n{rest}").into_bytes()
}
