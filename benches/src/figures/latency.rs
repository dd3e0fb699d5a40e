//! From the enqueue of a job to the start of its run, where nothing else is going on.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use queue::{Batch, BoxError, Handler, NewJob, Outcome};
use tokio::sync::mpsc;

use super::Size;
use crate::engine::{ARGS, Engine};
use crate::place::Place;
use crate::report::{Figure, Goal};

/// Jobs of a run, one after the other.
const JOBS: usize = 200;

struct Report(mpsc::UnboundedSender<Instant>);

#[async_trait]
impl Handler for Report {
    fn kind(&self) -> &'static str {
        "report"
    }

    async fn run(&self, batch: &Batch) -> Result<Vec<Outcome>, BoxError> {
        self.0.send(Instant::now())?;
        Ok(batch.all_done())
    }
}

pub async fn measure(size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
    let (mut middle, mut high) = (Vec::new(), Vec::new());
    for _ in 0..size.runs {
        let mut times = run(place).await?;
        times.sort_unstable_by(f64::total_cmp);
        middle.push(times[JOBS / 2]);
        high.push(times[JOBS * 99 / 100]);
    }
    let most = if place.is_sqlite() { 50.0 } else { 20.0 };
    Ok(vec![
        Figure::alone("enqueue to start, idle, p50", "ms", &middle),
        Figure::alone("enqueue to start, idle, p99", "ms", &high).goal(Goal::AtMost(most)),
    ])
}

async fn run(place: &Place) -> anyhow::Result<Vec<f64>> {
    let home = place.empty()?;
    let engine = Engine::open(home.database(), home.redis()).await?;
    let (sender, mut started) = mpsc::unbounded_channel();
    let supervisor = engine.work(Report(sender)).await?;
    let mut times = Vec::with_capacity(JOBS);
    for number in 0..JOBS {
        // Never in step with anything that happens at intervals.
        tokio::time::sleep(Duration::from_millis(3 + (number * 7 % 23) as u64)).await;
        let began = Instant::now();
        engine.queue.push(vec![NewJob::new("default", "report", ARGS)]).await?;
        let start = started.recv().await.expect("the handler lives as long as its workers");
        times.push((start - began).as_secs_f64() * 1000.0);
    }
    supervisor.stop();
    supervisor.wait().await;
    Ok(times)
}
