//! Orders a second from a file to confirmed, told and counted.

use std::time::Instant;

use anyhow::ensure;

use super::Size;
use crate::bare::end_to_end::{Leaves, script};
use crate::cpu;
use crate::report::{Figure, Goal};
use crate::shop::{Closed, OrderFile, Shop};

/// The best of a Laravel 12 application of the same kind (Horizon, MariaDB, Redis, 4 workers), measured apart on two
/// cores: orders a second, and CPU milliseconds an order.
const PEER: (f64, f64) = (49.0, 33.0);

struct Run {
    orders_a_second: f64,
    cpu_ms_an_order: f64,
}

pub async fn measure(size: Size) -> anyhow::Result<Vec<Figure>> {
    let file = OrderFile::of_two_lines(size.orders)?;
    let (_, finished) = run(&file).await?;
    let least = script(&finished.database(), Leaves::AsSpecified)?;
    let all = script(&finished.database(), Leaves::AsOurs)?;
    drop(finished);
    let (mut ours, mut cpu, mut of_least, mut of_all) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let orders = file.totals.orders as f64;
    for _ in 0..size.runs {
        let (run, _) = run(&file).await?;
        ours.push(run.orders_a_second);
        cpu.push(run.cpu_ms_an_order);
        of_least.push(orders / least.run(&Shop::schema_only().await?.database())?);
        of_all.push(orders / all.run(&Shop::schema_only().await?.database())?);
    }
    let name = "end to end, 2 lines an order";
    let factors: Vec<f64> = ours.iter().map(|orders| orders / PEER.0).collect();
    let cpu_factors: Vec<f64> = cpu.iter().map(|cpu| PEER.1 / cpu).collect();
    Ok(vec![
        Figure::beside(name, "orders/s", &ours, Leaves::AsSpecified.what(), &of_least)
            .goal(Goal::RatioAtLeast(0.6)),
        Figure::beside(format!("{name}, all rows"), "orders/s", &ours, Leaves::AsOurs.what(), &of_all),
        Figure::alone("end to end", "times the Laravel peer's 49 orders/s", &factors)
            .goal(Goal::AtLeast(150.0)),
        Figure::alone("end to end", "CPU-ms an order", &cpu),
        Figure::alone("end to end", "the part of the peer's 33 CPU-ms, as 1 over", &cpu_factors)
            .goal(Goal::AtLeast(60.0)),
    ])
}

async fn run(file: &OrderFile) -> anyhow::Result<(Run, Closed)> {
    let shop = Shop::open().await?;
    let (began, cpu_before) = (Instant::now(), cpu::used()?);
    shop.process(&file.path).await?;
    let (took, cpu) = (began.elapsed(), cpu::used()? - cpu_before);
    let confirmed = shop.confirmed().await?;
    ensure!(confirmed == file.totals.orders, "{confirmed} of {} orders were confirmed", file.totals.orders);
    let orders = confirmed as f64;
    let run = Run {
        orders_a_second: orders / took.as_secs_f64(),
        cpu_ms_an_order: cpu.as_secs_f64() * 1000.0 / orders,
    };
    Ok((run, shop.close()))
}
