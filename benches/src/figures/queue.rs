//! Jobs a second that do nothing, enqueued and run.

use std::path::Path;

use super::Size;
use crate::bare;
use crate::engine::{ARGS, Engine};
use crate::report::{Figure, Goal};

/// Jobs that wait all the while.
pub const WAITING: usize = 1_000_000;

pub async fn measure(size: Size) -> anyhow::Result<Vec<Figure>> {
    let jobs = (size.orders as usize * 5).next_multiple_of(bare::BATCH);
    Ok(vec![
        beside("no-op jobs, enqueue + run", None, jobs, size.runs).await?,
        beside("no-op jobs, 1,000,000 waiting behind them", Some("default"), jobs, size.runs).await?,
        beside("no-op jobs, 1,000,000 waiting in another queue", Some("other"), jobs, size.runs).await?,
    ])
}

async fn beside(name: &str, waiting_in: Option<&str>, jobs: usize, runs: usize) -> anyhow::Result<Figure> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::open(&folder.path().join("queue.db")).await?;
    if let Some(queue) = waiting_in {
        engine.fill(queue, WAITING).await?;
    }
    engine.run_no_ops(jobs).await?;
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(jobs as f64 / engine.run_no_ops(jobs).await?);
        let empty = tempfile::tempdir()?;
        limit.push(jobs as f64 / run_bare(&empty.path().join("bare.db"), jobs).await?);
    }
    let what = "bare statements, 500 a transaction, nothing waiting";
    Ok(Figure::beside(name, "jobs/s", &ours, what, &limit).goal(Goal::RatioAtLeast(0.6)))
}

async fn run_bare(path: &Path, jobs: usize) -> anyhow::Result<f64> {
    drop(Engine::open(path).await?);
    bare::jobs::run(&bare::open(path)?, jobs, ARGS)
}
