//! How long the server takes for each page of the dashboard, over a million orders and a million jobs that are done.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::Context as _;
use app::Actor;
use app::access::{Password, sessions, users};
use domain::{Email, Role};

use super::Size;
use crate::load;
use crate::place::Place;
use crate::report::{Figure, Goal};
use crate::server::{Server, binary};
use crate::shop::{OrderFile, Shop};
use crate::table::number;

/// Orders that are there, for each order of a run: a million by default.
const ORDERS_THERE: u64 = 25;
/// For how long a page is asked for in a run.
const TURN: Duration = Duration::from_secs(1);
/// What a page may take.
const AT_MOST_MS: f64 = 50.0;

/// The pages that show the same whoever asks.
const PAGES: [(&str, &str); 24] = [
    ("overview", "/"),
    ("overview, its living part", "/overview/live"),
    ("overview by months, as tables", "/?over=months&tables=true"),
    ("orders", "/orders"),
    ("orders that failed", "/orders?status=failed"),
    ("orders of a source, by when they were placed", "/orders?source=native&sort=placed_newest"),
    ("orders by a text", "/orders?text=ORD-1234"),
    ("imports", "/imports"),
    ("an import", "/imports/1"),
    ("refunds", "/refunds"),
    ("notifications", "/notifications"),
    ("customers", "/customers"),
    ("a customer", "/customers/1"),
    ("where a customer stands", "/customers/1/rank"),
    ("products", "/products"),
    ("webhooks", "/webhooks"),
    ("queues", "/queues"),
    ("queues, their living part", "/queues/live"),
    ("jobs", "/queues/jobs"),
    ("jobs by a text that none has", "/queues/jobs?args=nothing"),
    ("workers", "/queues/workers"),
    ("system", "/system"),
    ("operators' log", "/audit"),
    ("people", "/people"),
];

/// Nothing where the binary is not built beside the bench.
pub async fn measure(size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
    let Some(binary) = binary("the dashboard")? else { return Ok(Vec::new()) };
    let shop = Shop::with(place.empty()?, |config| {
        config.queue.keep_completed = Duration::from_hours(24);
        config.queue.keep_ended_at_most = usize::MAX >> 1;
    })
    .await?;
    shop.process(&OrderFile::of_two_lines(size.orders * ORDERS_THERE)?.path).await?;
    let secret = sign_in(&shop).await?;
    let middle = "SELECT id FROM orders ORDER BY id LIMIT 1 OFFSET 1000";
    let order = shop.app.read("order", move |tx| tx.query_one(middle, &[], |row| row.get::<i64>(0))).await?;
    let sku = "SELECT sku FROM products ORDER BY id LIMIT 1";
    let sku = shop.app.read("product", move |tx| tx.query_one(sku, &[], |row| row.get::<String>(0))).await?;
    let home = shop.close();
    let server = Server::start(&binary, &home, &["--no-workers"])?;
    let own = [
        ("an order".to_owned(), format!("/orders/{order}")),
        ("an order with its jobs".to_owned(), format!("/orders/{order}/live")),
        ("what comes of shipping".to_owned(), format!("/orders/{order}/ship")),
        ("a product with its stock".to_owned(), format!("/products/{sku}")),
    ];
    let pages = PAGES.map(|(name, path)| (name.to_owned(), path.to_owned()));
    let of = number((size.orders * ORDERS_THERE) as f64);
    let figure = |(name, path): (String, String)| {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: shop\r\ncookie: ordermill_session={secret}\r\n\r\n");
        let mut slowest = Vec::new();
        for _ in 0..size.runs {
            let requests = |_| Some(request.clone().into_bytes());
            let asked = load::ask_for(TURN, 1, server.address, 200, &AtomicUsize::new(0), &requests);
            slowest.push(asked.with_context(|| format!("{name}, {path}, failed"))?.p99);
        }
        let name = format!("page: {name}, of {of} orders, p99");
        Ok(Figure::alone(name, "ms", &slowest).goal(Goal::AtMost(AT_MOST_MS)))
    };
    tokio::task::block_in_place(|| pages.into_iter().chain(own).map(figure).collect())
}

/// The secret of the session of somebody who may see everything.
async fn sign_in(shop: &Shop) -> anyhow::Result<String> {
    let email = Email::parse("bench@example.org")?;
    let password = || Password::choose("a password of the bench");
    users::create(&shop.app, &Actor::CLI, email.clone(), Role::Admin, password()?).await?;
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let secret = sessions::sign_in(&shop.app, email.as_str(), password()?, None, here).await?;
    secret.context("whoever was just made can sign in")
}
