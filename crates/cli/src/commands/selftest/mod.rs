mod csv_import;
mod lab;
mod notifications;
mod queue;
mod refunds;

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use crate::output::Out;
use crate::session::{Exit, Session};
use crate::shutdown;
use crate::words::spoken;
use lab::{Check, Lab};

/// Try the whole system end to end, in throw-away databases
///
/// Each is a file of its own: neither the shop's database nor its Redis is touched. `status` and `verify` tell how those
/// are. The exit code is 1 when a check fails.
#[derive(Debug, Args)]
pub struct Selftest {
    /// What to try
    #[arg(value_enum, default_value = "all")]
    part: Part,
    /// Order lines of the imported file
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(5..=10_000_000))]
    csv_rows: u64,
    /// Seconds that a payment and a delayed job take
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(0..=60))]
    delay: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    CsvImport,
    Refunds,
    Notifications,
    Queue,
    All,
}

/// What came of one part.
#[derive(Debug, Serialize)]
struct Outcome {
    part: &'static str,
    seconds: f64,
    checks: Vec<Check>,
}

impl Selftest {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let stop = shutdown::on_signal()?;
        let out = session.out;
        let delay = Duration::from_secs(self.delay);
        let mut outcomes = Vec::new();
        for part in [Part::CsvImport, Part::Refunds, Part::Notifications, Part::Queue] {
            if self.part != Part::All && self.part != part {
                continue;
            }
            let began = Instant::now();
            let mut lab = Lab::open(session, part == Part::Queue, delay).await?;
            let name = part.name();
            let tried = async {
                match part {
                    Part::CsvImport => csv_import::run(&mut lab, self.csv_rows).await,
                    Part::Refunds => refunds::run(&mut lab).await,
                    Part::Notifications => notifications::run(&mut lab).await,
                    Part::Queue | Part::All => queue::run(&mut lab, delay).await,
                }
            };
            let tried = tokio::select! {
                tried = tried => tried,
                () = stop.cancelled() => return Ok(Exit::Interrupted),
            };
            if let Err(error) = tried {
                lab.check("no step fails", false, format!("{error:#}"));
            }
            let outcome =
                Outcome { part: name, checks: lab.close().await?, seconds: began.elapsed().as_secs_f64() };
            if !out.is_json() {
                outcome.print(out)?;
            }
            outcomes.push(outcome);
        }
        let failed =
            outcomes.iter().flat_map(|outcome| &outcome.checks).filter(|check| !check.passed).count();
        let checks: usize = outcomes.iter().map(|outcome| outcome.checks.len()).sum();
        if out.is_json() {
            out.json(&json!({ "parts": outcomes, "checks": checks, "failed": failed }))?;
        } else if failed == 0 {
            out.line(format_args!("\n{} {checks} checks", out.good("all passed:")))?;
        } else {
            out.line(format_args!("\n{} {failed} of {checks} checks", out.bad("failed:")))?;
        }
        Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
    }
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Part::CsvImport => "csv-import",
            Part::Refunds => "refunds",
            Part::Notifications => "notifications",
            Part::Queue => "queue",
            Part::All => "all",
        }
    }
}

impl Outcome {
    fn print(&self, out: Out) -> Result<()> {
        out.heading(&format!("{} ({})", self.part, spoken(Duration::from_secs_f64(self.seconds))))?;
        for check in &self.checks {
            let mark = if check.passed { out.good("✓") } else { out.bad("✗") };
            let details = if check.passed { out.dim(&check.found) } else { out.bad(&check.found) };
            out.line(format_args!("{mark} {}: {details}", check.rule))?;
        }
        Ok(())
    }
}
