//! The performance bench: each figure beside its limit, measured in turns in one run.
//!
//! `cargo run --release -p ordermill-benches -- [SUBJECT]… [--on ENGINES] [--orders N] [--runs N] [--json FILE]
//! [--markdown FILE]`

mod bare;
mod cpu;
mod engine;
mod figures;
mod load;
mod machine;
mod place;
mod report;
mod server;
mod shop;
mod spread;
mod table;

use std::path::PathBuf;

use clap::Parser;

use figures::memory::{self, Probe};
use figures::{Size, Subject};
use machine::Machine;
use place::{Engines, Place};
use report::Report;

/// Measures each figure beside its limit, in turns.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// What to measure; everything where nothing is named.
    subjects: Vec<Subject>,
    /// What it is measured on; servers are private ones, with full durability.
    #[arg(long, value_enum, default_value_t = Engines::Sqlite)]
    on: Engines,
    /// Orders of a run; other sizes follow from it.
    #[arg(long, default_value_t = 40_000)]
    orders: u64,
    /// Runs of each figure; their median is shown.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Where the figures go as JSON, instead of a file in `target`.
    #[arg(long)]
    json: Option<PathBuf>,
    /// A page whose table, between the two markers of these engines, is written anew.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Tells the memory that this process takes for something.
    #[arg(long, hide = true)]
    probe: Option<Probe>,
    /// What the probe reads.
    #[arg(long, hide = true)]
    probe_path: Option<PathBuf>,
}

/// What its report goes by. Those of the API and of the pages go by names of their own.
fn mark(arguments: &Arguments) -> String {
    let alone = match arguments.subjects[..] {
        [Subject::Api] => "-api",
        [Subject::Pages] => "-pages",
        _ => "",
    };
    format!("{}{alone}", arguments.on.mark())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(probe) = arguments.probe {
        return memory::answer(probe, &arguments.probe_path.unwrap_or_default()).await;
    }
    let size = Size { orders: arguments.orders.max(1_000), runs: arguments.runs.max(1) };
    let place = Place::on(arguments.on);
    let mut report = Report::new(Machine::look()?, arguments.on, size);
    for subject in Subject::wanted(&arguments.subjects, &place) {
        report.add(subject.measure(size, &place).await?);
    }
    println!("{}", table::text(&report));
    let mark = &mark(&arguments);
    report.write_json(&arguments.json.unwrap_or_else(|| format!("target/{mark}.json").into()))?;
    if let Some(page) = &arguments.markdown {
        table::write_between_markers(page, mark, &table::markdown(&report))?;
    }
    Ok(())
}
