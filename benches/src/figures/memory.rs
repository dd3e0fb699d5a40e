//! Resident memory, each time of a process of its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use app::workers::Workers;
use clap::ValueEnum;

use super::{Size, queue::WAITING};
use crate::engine::Engine;
use crate::place::{Engines, Place};
use crate::report::{Figure, Goal};
use crate::shop::{OrderFile, Shop};

/// What a process of its own does before it tells its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Probe {
    /// Has workers that wait. Tells what it takes.
    Idle,
    /// Processes a file. Tells how much it grew at most.
    Import,
    /// Runs jobs from a database. Tells the most it took.
    Jobs,
}

pub async fn measure(size: Size, place: &Place) -> anyhow::Result<Vec<Figure>> {
    let (small, large) = (OrderFile::of_two_lines(50_000)?, OrderFile::of_two_lines(500_000)?);
    let (few, many) = (place.empty()?, place.empty()?);
    drop(Engine::open(few.database(), None).await?);
    Engine::open(many.database(), None).await?.fill("default", WAITING).await?;
    let (mut idle, mut waiting) = (Vec::new(), Vec::new());
    for _ in 0..size.runs {
        idle.push(ask(Probe::Idle, None)?);
        waiting.push(ask(Probe::Jobs, Some(&many.file()))? - ask(Probe::Jobs, Some(&few.file()))?);
    }
    let at_most = Goal::AtMost;
    Ok(vec![
        Figure::alone("resident memory, idle with workers", "MiB", &idle).goal(at_most(40.0)),
        Figure::alone(
            "growth by an import of 100,000 rows, processed",
            "MiB",
            &[ask(Probe::Import, Some(&small.path))?],
        )
        .goal(at_most(64.0)),
        Figure::alone(
            "growth by an import of 1,000,000 rows, processed",
            "MiB",
            &[ask(Probe::Import, Some(&large.path))?],
        )
        .goal(at_most(64.0)),
        Figure::alone("growth of a worker by 1,000,000 waiting jobs", "MiB", &waiting).goal(at_most(2.0)),
    ])
}

fn ask(probe: Probe, path: Option<&Path>) -> anyhow::Result<f64> {
    let name = probe.to_possible_value().context("every probe has a name")?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--probe").arg(name.get_name());
    if let Some(path) = path {
        command.arg("--probe-path").arg(path);
    }
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// The other side of [`ask`].
pub async fn answer(probe: Probe, path: &Path) -> anyhow::Result<()> {
    let mib = match probe {
        Probe::Idle => {
            let shop = Shop::open(Place::on(Engines::Sqlite).empty()?).await?;
            let workers = Workers::start(&shop.app).await?;
            settle().await;
            let resident = resident("VmRSS")?;
            workers.stop().await;
            resident
        }
        Probe::Import => {
            let shop = Shop::open(Place::on(Engines::Sqlite).empty()?).await?;
            let workers = Workers::start(&shop.app).await?;
            settle().await;
            let before = resident("VmRSS")?;
            workers.stop().await;
            shop.process(path).await?;
            resident("VmHWM")? - before
        }
        Probe::Jobs => {
            Engine::open(&path.display().to_string(), None).await?.run_no_ops(20_000).await?;
            resident("VmHWM")?
        }
    };
    println!("{mib}");
    Ok(())
}

async fn settle() {
    tokio::time::sleep(Duration::from_millis(1500)).await;
}

fn resident(field: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(field)).context("the system tells no memory")?;
    let kib: f64 = line.split_whitespace().nth(1).context("an empty field")?.parse()?;
    Ok(kib / 1024.0)
}
