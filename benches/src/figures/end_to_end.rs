//! Orders a second from a file to confirmed, told and counted.

use std::time::Instant;

use anyhow::ensure;

use super::Size;
use crate::bare;
use crate::bare::end_to_end::{Leaves, script};
use crate::place::{Home, Place};
use crate::report::{Figure, Goal};
use crate::shop::{OrderFile, Shop};

/// Its best figures, measured on another day on two cores.
const PEER: &str = "Laravel 12, Horizon, MariaDB, Redis, 4 workers; quoted, not measured here";

struct Run {
    orders_a_second: f64,
    cpu_ms_an_order: f64,
}

pub async fn measure(size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
    let file = OrderFile::of_two_lines(size.orders)?;
    run(&file, place, place.empty()?).await?;
    let (_, finished) = run(&file, place, place.empty_with_file()?).await?;
    let least = script(&finished, Leaves::AsSpecified)?;
    let all = script(&finished, Leaves::AsOurs)?;
    drop(finished);
    let (mut ours, mut of_least, mut of_all) = (Vec::new(), Vec::new(), Vec::new());
    let (mut cpu, mut cpu_of_all) = (Vec::new(), Vec::new());
    let orders = file.totals.orders as f64;
    for _ in 0..size.runs {
        let (run, home) = run(&file, place, place.empty()?).await?;
        drop(home);
        ours.push(run.orders_a_second);
        cpu.push(run.cpu_ms_an_order);
        of_least.push(orders / least.run(&Shop::schema_only(place).await?)?);
        let empty = Shop::schema_only(place).await?;
        let cpu_before = place.cpu_used()?;
        of_all.push(orders / all.run(&empty)?);
        cpu_of_all.push(place.cpu_used()?.saturating_sub(cpu_before).as_secs_f64() * 1000.0 / orders);
    }
    let name = "end to end, 2 lines an order";
    let what = |leaves: Leaves| format!("{}: {}", bare::loops(place), leaves.what(place));
    let (least, all) = (what(Leaves::AsSpecified), what(Leaves::AsOurs));
    let peer = |figure: f64| vec![figure; size.runs];
    let times_the_peer = if place.is_sqlite() { 150.0 } else { 60.0 };
    Ok(vec![
        Figure::beside(name, "orders/s", &ours, &all, &of_all).goal(Goal::RatioAtLeast(0.6)),
        Figure::beside(name, "orders/s", &ours, least, &of_least),
        Figure::beside(name, "CPU-ms an order", &cpu, &all, &cpu_of_all),
        Figure::beside(name, "orders/s", &ours, PEER, &peer(49.0)).goal(Goal::RatioAtLeast(times_the_peer)),
        Figure::beside(name, "CPU-ms an order", &cpu, PEER, &peer(33.0)).goal(Goal::RatioAtMost(1.0 / 60.0)),
    ])
}

async fn run(file: &OrderFile, place: &Place, home: Home) -> anyhow::Result<(Run, Home)> {
    let shop = Shop::open(home).await?;
    let (began, cpu_before) = (Instant::now(), place.cpu_used()?);
    shop.process(&file.path).await?;
    let (took, cpu) = (began.elapsed(), place.cpu_used()?.saturating_sub(cpu_before));
    let confirmed = shop.confirmed().await?;
    ensure!(confirmed == file.totals.orders, "{confirmed} of {} orders were confirmed", file.totals.orders);
    let orders = confirmed as f64;
    let run = Run {
        orders_a_second: orders / took.as_secs_f64(),
        cpu_ms_an_order: cpu.as_secs_f64() * 1000.0 / orders,
    };
    Ok((run, shop.close()))
}
