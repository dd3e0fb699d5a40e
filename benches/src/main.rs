//! The performance bench: each figure beside its limit, measured in turns in one run.
//!
//! `cargo run --release -p ordermill-benches -- [FIGURE]… [--orders N] [--runs N] [--json FILE] [--markdown FILE]`

mod bare;
mod cpu;
mod figures;
mod machine;
mod report;
mod shop;
mod spread;
mod table;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use figures::{Size, end_to_end, import, queue};
use machine::Machine;
use report::Report;

#[derive(Parser)]
#[command(about = "Measures each figure beside its limit", version)]
struct Arguments {
    /// What to measure; everything where nothing is named.
    figures: Vec<Name>,
    /// Orders of a run; other sizes follow from it.
    #[arg(long, default_value_t = 40_000)]
    orders: u64,
    /// Runs of each figure; its median is shown.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Where the figures go as JSON.
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
    /// A page whose table, between its two `bench` markers, is written anew.
    #[arg(long)]
    markdown: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    Import,
    EndToEnd,
    Queue,
    All,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let size = Size { orders: arguments.orders, runs: arguments.runs.max(1) };
    let wanted = |name| {
        [name, Name::All].iter().any(|name| arguments.figures.contains(name)) || arguments.figures.is_empty()
    };
    let mut report = Report::new(Machine::look()?, size);
    if wanted(Name::Import) {
        report.add(import::measure(size).await?);
    }
    if wanted(Name::EndToEnd) {
        report.add(end_to_end::measure(size).await?);
    }
    if wanted(Name::Queue) {
        report.add(queue::measure(size).await?);
    }
    println!("{}", table::text(&report));
    report.write_json(&arguments.json)?;
    if let Some(page) = &arguments.markdown {
        table::write_between_markers(page, &table::markdown(&report))?;
    }
    Ok(())
}
