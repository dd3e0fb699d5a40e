//! Jobs a second that do nothing, enqueued and run.

use super::Size;
use crate::bare::{self, BareJobs};
use crate::engine::{ARGS, Engine};
use crate::place::Place;
use crate::report::{Figure, Goal};

/// Jobs that wait all the while.
pub const WAITING: usize = 1_000_000;

pub async fn measure(size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
    let jobs = (size.orders as usize * 5).next_multiple_of(bare::BATCH);
    let waiting = [
        ("no-op jobs, enqueue + run", None),
        ("no-op jobs, 1,000,000 waiting in their queue", Some("default")),
        ("no-op jobs, 1,000,000 waiting in another queue", Some("other")),
    ];
    let mut figures = Vec::new();
    for (name, queue) in waiting {
        figures.extend(beside(name, queue, jobs, size.runs, place).await?);
    }
    Ok(figures)
}

async fn beside(
    name: &str,
    waiting_in: Option<&str>,
    jobs: usize,
    runs: usize,
    place: &Place,
) -> anyhow::Result<Vec<Figure>> {
    let home = place.empty()?;
    let engine = Engine::open(home.database(), home.redis()).await?;
    if let Some(queue) = waiting_in {
        engine.fill(queue, WAITING).await?;
    }
    engine.run_no_ops(jobs).await?;
    let limits = BareJobs::on(place);
    let (mut ours, mut found) = (Vec::new(), vec![Vec::new(); limits.len()]);
    for _ in 0..runs {
        ours.push(jobs as f64 / engine.run_no_ops(jobs).await?);
        for (limit, found) in limits.iter().zip(&mut found) {
            found.push(jobs as f64 / run_bare(*limit, place, jobs).await?);
        }
    }
    let figure = |(limit, found): (&BareJobs, &Vec<f64>)| {
        let figure = Figure::beside(name, "jobs/s", &ours, limit.what(), found);
        if limit.is_goal() { figure.goal(Goal::RatioAtLeast(0.6)) } else { figure }
    };
    Ok(limits.iter().zip(&found).map(figure).collect())
}

async fn run_bare(limit: BareJobs, place: &Place, jobs: usize) -> anyhow::Result<f64> {
    let empty = place.empty_database();
    drop(Engine::open(empty.database(), empty.redis()).await?);
    limit.run(&empty, jobs, ARGS)
}
