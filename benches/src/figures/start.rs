//! From the start of `ordermill serve` to its first answer, on a database that is there.

use std::time::Instant;

use super::Size;
use crate::place::Place;
use crate::report::{Figure, Goal};
use crate::server::{Server, binary};
use crate::shop::{OrderFile, Shop};

/// Nothing where the binary is not built beside the bench.
pub async fn measure(size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
    let Some(binary) = binary("start")? else { return Ok(Vec::new()) };
    let shop = Shop::open(place.empty()?).await?;
    shop.process(&OrderFile::of_two_lines(size.orders)?.path).await?;
    let home = shop.close();
    let mut times = Vec::new();
    for _ in 0..size.runs {
        let began = Instant::now();
        let _server = Server::start(&binary, &home, &[])?;
        times.push(began.elapsed().as_secs_f64());
    }
    Ok(vec![Figure::alone("start to serving", "s", &times).goal(Goal::AtMost(0.3))])
}
