//! Orders a second that `verify` proves.

use std::time::Instant;

use anyhow::ensure;
use app::verify::{self, Scope};
use importer::sample::Sample;

use super::Size;
use crate::place::Place;
use crate::report::{Figure, Goal};
use crate::shop::{OrderFile, Shop};

pub async fn measure(size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
    let file = OrderFile::of_two_lines(size.orders)?;
    let shop = Shop::open(place.empty()?).await?;
    shop.process(&file.path).await?;
    let (mut whole, mut changed) = (Vec::new(), Vec::new());
    for run in 0..size.runs {
        let began = Instant::now();
        let report = verify::run(&shop.app, Scope::All).await?;
        ensure!(report.is_clean(), "the ledger is not clean: {:?}", report.breaches().next());
        whole.push(report.orders as f64 / began.elapsed().as_secs_f64());
        let first_id = 10_000_000 + 10_000 * run as u64;
        let news = OrderFile::write(&Sample { first_id, ..Sample::shop(1_000, 11 + run as u64) })?;
        shop.process(&news.path).await?;
        let began = Instant::now();
        let report = verify::run(&shop.app, Scope::Changed).await?;
        ensure!(report.is_clean(), "the ledger is not clean: {:?}", report.breaches().next());
        changed.push(began.elapsed().as_secs_f64());
    }
    Ok(vec![
        Figure::alone("verify, everything", "orders/s", &whole).goal(Goal::AtLeast(50_000.0)),
        Figure::alone("verify, 1,000 new orders", "s", &changed).goal(Goal::AtMost(1.0)),
    ])
}
