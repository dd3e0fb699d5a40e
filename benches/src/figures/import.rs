//! Rows a second from a file to stored orders.

use std::time::Instant;

use anyhow::ensure;
use app::workers::Workers;
use importer::sample::Sample;
use queue::PoolSettings;

use super::Size;
use crate::bare::{self, Script};
use crate::report::{Figure, Goal};
use crate::shop::{Closed, OrderFile, Shop};

pub async fn measure(size: Size) -> anyhow::Result<Vec<Figure>> {
    let two_lines = OrderFile::of_two_lines(size.orders)?;
    let retail = OrderFile::write(&Sample::online_retail(size.orders / 10, 7))?;
    Ok(vec![
        beside("import, 2 lines an order", &two_lines, size.runs).await?,
        beside("import, 1 to 42 lines an order", &retail, size.runs).await?,
    ])
}

async fn beside(name: &str, file: &OrderFile, runs: usize) -> anyhow::Result<Figure> {
    // The first run warms up, and leaves the rows that the limit writes.
    let (_, stored) = run(file).await?;
    let script = bare::import::script(&stored.database())?;
    drop(stored);
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(run(file).await?.0);
        limit.push(file.totals.rows as f64 / write_bare(&script).await?);
    }
    Ok(Figure::beside(name, "rows/s", &ours, "the same rows by a bare loop", &limit)
        .goal(Goal::RatioAtLeast(0.5)))
}

/// Imports with the workers of the imports queue alone, so that its orders stay where it leaves them.
async fn run(file: &OrderFile) -> anyhow::Result<(f64, Closed)> {
    let shop = Shop::with(|config| {
        let imports = PoolSettings { max: 2, batch: 1, ..PoolSettings::new("imports") };
        config.queue.supervisor.pools = vec![imports];
        config.queue.supervisor.balance = queue::Balance::Off;
    })
    .await?;
    let workers = Workers::start(&shop.app).await?;
    let began = Instant::now();
    let id = shop.start_import(&file.path).await?;
    let rows = shop.wait_for_import(id).await?;
    let took = began.elapsed().as_secs_f64();
    workers.stop().await;
    ensure!(rows == file.totals.rows, "{rows} of {} rows were stored", file.totals.rows);
    Ok((rows as f64 / took, shop.close()))
}

async fn write_bare(script: &Script) -> anyhow::Result<f64> {
    let empty = Shop::schema_only().await?;
    script.run(&empty.database())
}
