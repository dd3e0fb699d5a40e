//! Rows a second from a file to stored orders.

use std::time::Instant;

use anyhow::ensure;
use app::workers::Workers;
use importer::sample::Sample;

use super::Size;
use crate::bare;
use crate::place::{Home, Place};
use crate::report::{Figure, Goal};
use crate::shop::{OrderFile, Shop};

pub async fn measure(size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
    let two_lines = OrderFile::of_two_lines(size.orders)?;
    let retail = OrderFile::write(&Sample::online_retail(size.orders / 4, 7))?;
    Ok(vec![
        beside("import, 2 lines an order", &two_lines, size.runs, place).await?,
        beside("import, 1 to 42 lines an order", &retail, size.runs, place).await?,
    ])
}

async fn beside(name: &str, file: &OrderFile, runs: usize, place: &Place) -> anyhow::Result<Figure> {
    // These runs warm up, and one leaves the rows that the limit writes.
    run(file, place.empty()?).await?;
    let (_, stored) = run(file, place.empty_with_file()?).await?;
    let script = bare::import::script(&stored)?;
    drop(stored);
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(run(file, place.empty()?).await?.0);
        limit.push(file.totals.rows as f64 / script.run(&Shop::schema_only(place).await?)?);
    }
    let what = format!("the same rows by {}", bare::loops(place));
    Ok(Figure::beside(name, "rows/s", &ours, what, &limit).goal(Goal::RatioAtLeast(0.5)))
}

/// Imports with the workers of the imports queue alone, so that its orders stay where it leaves them.
async fn run(file: &OrderFile, home: Home) -> anyhow::Result<(f64, Home)> {
    let shop = Shop::with(home, |config| {
        let (mut pools, _) = app::workers::pools(config.database.open_settings().is_on_server());
        pools.retain(|pool| pool.queue == "imports");
        config.queue.supervisor.pools = pools;
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
