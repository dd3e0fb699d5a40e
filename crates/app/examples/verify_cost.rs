//! What a proof of all rules costs: orders a second over a ledger that the real import and workflow have made, two
//! lines an order, and an incremental run after a few more.
//!
//! `cargo run --release -p ordermill-app --example verify_cost [ORDERS] [DAYS] [FILE]`
//!
//! With a file, the ledger is made there once and used again.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use app::config::{Config, Durability};
use app::imports::ImportOptions;
use app::verify::{Scope, run};
use app::{App, SystemClock};

const PRODUCTS: u64 = 2_000;
const RUNS: usize = 5;

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let orders: u64 = arguments.next().map_or(Ok(100_000), |orders| orders.parse())?;
    let days: u64 = arguments.next().map_or(Ok(365), |days| days.parse())?;
    let folder = tempfile::tempdir()?;
    let file = arguments.next().map_or_else(|| folder.path().join("ledger.db"), Into::into);
    let is_new = !file.exists();
    let mut config = Config::default();
    config.database.url = file.display().to_string();
    config.database.synchronous = Durability::Normal;
    let app = App::open(config, Arc::new(SystemClock), true).await?;
    if is_new {
        import(&app, "first", csv(0..orders, orders / 10 + 1, days), folder.path()).await?;
    }
    println!(
        "{orders} orders on {days} days, {} MB",
        app.database().info().await.expect("its size").size / 1_000_000
    );
    let mut whole = Vec::new();
    for _ in 0..RUNS {
        let report = run(&app, Scope::All).await?;
        for breach in report.breaches().take(20) {
            println!("{breach}");
        }
        whole.push(report.orders as f64 / report.took.as_secs_f64());
    }
    print("whole runs", &mut whole, "orders/s");
    // Numbers that no earlier run over the same file has used.
    let fresh = app.now().as_second().cast_unsigned();
    import(&app, "second", csv(fresh..fresh + 1_000, 1_000, 1), folder.path()).await?;
    let mut incremental = Vec::new();
    let mut checked = 0;
    for _ in 0..RUNS {
        let report = run(&app, Scope::Changed).await?;
        checked = report.orders;
        incremental.push(report.took.as_secs_f64() * 1e3);
    }
    print(&format!("incremental runs over {checked} orders"), &mut incremental, "ms");
    app.database().close();
    Ok(())
}

/// Imports a file and runs every job that follows.
async fn import(app: &App, name: &str, text: String, folder: &Path) -> Result<(), Error> {
    let path = folder.join(format!("{name}.csv"));
    std::fs::write(&path, text)?;
    let options = ImportOptions { initial_stock: 1_000_000, ..ImportOptions::default() };
    app::imports::start(app, &app::Actor::CLI, &path, options, false).await?;
    let registry = app::jobs::registry(app)?;
    while queue::drain(app.queue(), &registry).await? > 0 {}
    Ok(())
}

fn csv(orders: std::ops::Range<u64>, customers: u64, days: u64) -> String {
    let mut text = String::from(
        "external_order_id,order_placed_at,currency,product_sku,qty,unit_price_cents,customer_email\n",
    );
    let start = jiff::Timestamp::constant(1_735_689_600, 0);
    let span = days * 86_400;
    let count = orders.end - orders.start;
    for order in orders.clone() {
        let mixed = order.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // Mostly in the order of time, as shops number their orders.
        let second = (order - orders.start) * span / count;
        let at = start + Duration::from_secs(second);
        for line in 0..2 {
            let sku = (mixed >> (line * 16)) % PRODUCTS;
            let (quantity, price) = (1 + (mixed >> 40) % 3, 100 + (mixed >> (line * 8 + 20)) % 9_000);
            let customer = (mixed >> 12) % customers;
            let _ = writeln!(text, "V-{order},{at},EUR,SKU-{sku},{quantity},{price},c{customer}@example.com");
        }
    }
    text
}

fn print(what: &str, runs: &mut [f64], unit: &str) {
    runs.sort_by(f64::total_cmp);
    let (least, median, most) = (runs[0], runs[runs.len() / 2], runs[runs.len() - 1]);
    println!("{what}: {median:.0} {unit} ({least:.0} to {most:.0}, {RUNS} runs)");
}
