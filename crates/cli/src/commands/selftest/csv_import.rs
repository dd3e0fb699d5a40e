use std::fs::File;

use ::analytics::{Granularity, KpiQuery};
use anyhow::{Context as _, Result};
use app::figures;
use app::imports::{self, ImportOptions};
use domain::OrderStatus;
use importer::sample::{BadRows, Sample};
use sql::Tx;
use store::imports::ImportStatus;
use store::orders::Filter;

use super::lab::Lab;

/// Lines of a sample order on average, in tenths.
const LINES_OF_AN_ORDER: u64 = 25;

pub async fn run(lab: &mut Lab, rows: u64) -> Result<()> {
    let path = lab.folder().join("orders.csv");
    let orders = (rows * 10 / LINES_OF_AN_ORDER).max(4);
    let sample = Sample::shop(orders, 11).with_bad_rows(BadRows::every((orders / 3).max(2)));
    let totals = File::create(&path).and_then(|file| sample.write(file)).context("no file can be made")?;
    let options = ImportOptions { initial_stock: 1_000_000, chunk_size: 500, ..ImportOptions::default() };

    let tried = imports::dry_run(&lab.app, &path, options.clone()).await?;
    lab.same("a dry run finds every bad order", tried.orders_rejected, totals.bad_orders);
    lab.same("a dry run writes nothing", all_orders(lab).await?, 0);

    let (status, _) = lab.import(&path, options.clone()).await?;
    let counts = status.progress.counts;
    lab.same("the import is completed", status.import.status, ImportStatus::Completed);
    lab.same("every row is read", status.import.rows_total, totals.rows.cast_signed());
    lab.same("every row is accounted for", counts.rows(), totals.rows.cast_signed());
    let good = totals.orders - totals.bad_orders;
    lab.same("every good order is imported", counts.orders_imported, good.cast_signed());
    lab.same("every bad order is rejected", counts.orders_rejected, totals.bad_orders.cast_signed());
    lab.same("all rows of a bad order are kept", counts.rows_rejected, totals.bad_order_rows.cast_signed());
    let mut csv = Vec::new();
    let written = imports::write_rejects(&lab.app, status.import.id, &mut csv).await?;
    lab.same("rejected rows can be had as CSV", written, totals.bad_order_rows);

    let confirmed = orders_that(lab, OrderStatus::Confirmed).await?;
    lab.same("every imported order is confirmed", confirmed, good as usize);
    check_figures(lab, totals.gross, totals.units.cast_signed()).await?;

    let (again, is_new) = lab.import(&path, options).await?;
    lab.check("the same file again changes nothing", !is_new && again.import.id == status.import.id, !is_new);
    Ok(())
}

async fn check_figures(lab: &mut Lab, gross: i64, units: i64) -> Result<()> {
    let query = KpiQuery {
        from: jiff::civil::date(2024, 12, 1),
        to: jiff::civil::date(2026, 12, 31),
        granularity: Granularity::Month,
        currency: figures::currency(&lab.app, Some(lab.currency)),
    };
    let total = figures::kpis(&lab.app, query).await?.total;
    lab.same("the figures have all money", total.gross.amount, gross);
    lab.same("the figures have all units", total.units, units);
    Ok(())
}

async fn all_orders(lab: &Lab) -> Result<usize> {
    count(lab, None).await
}

async fn orders_that(lab: &Lab, status: OrderStatus) -> Result<usize> {
    count(lab, Some(status)).await
}

async fn count(lab: &Lab, status: Option<OrderStatus>) -> Result<usize> {
    let (mut found, mut before) = (0, None);
    loop {
        let filter = Filter { status, before, limit: 1_000, ..Filter::default() };
        let list = move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::orders::list(tx, &filter)?) };
        let page = lab.app.read("count_orders", list).await?;
        found += page.len();
        before = page.last().map(|row| row.id);
        if page.len() < 1_000 {
            return Ok(found);
        }
    }
}
