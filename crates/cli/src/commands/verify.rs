use anyhow::Result;
use app::verify::{self, Report, Scope};
use clap::Args;

use crate::output::Out;
use crate::session::{Exit, Session};
use crate::words::{grouped, spoken};

/// Prove that stock, money, orders, mails, figures and imports agree with the ledger; safe on a live system
///
/// Lists each breach; the exit code is 1 where there is one.
#[derive(Debug, Args)]
pub struct Verify {
    /// Check only what changed since the last run that found nothing wrong
    #[arg(long)]
    changed: bool,
}

/// Breaches of a rule that are printed; JSON has all that were kept.
const PRINTED: usize = 20;

impl Verify {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let app = session.open().await?;
        let report = verify::run(&app, if self.changed { Scope::Changed } else { Scope::All }).await?;
        if session.out.is_json() {
            session.out.json(&report)?;
        } else {
            print(session.out, &report)?;
        }
        Ok(if report.is_clean() { Exit::Done } else { Exit::Failed })
    }
}

/// Prints a report: a line for each rule, its breaches below it.
pub fn print(out: Out, report: &Report) -> Result<()> {
    for rule in &report.rules {
        let wrong = rule.breaches.len() as u64 + rule.more;
        let mark = if wrong == 0 { out.good("✓") } else { out.bad("✗") };
        let (checked, counts) = (grouped(rule.checked.cast_signed()), rule.counts);
        out.line(format_args!("{mark} {} {}", rule.title, out.dim(format_args!("({checked} {counts})"))))?;
        for breach in rule.breaches.iter().take(PRINTED) {
            out.line(format_args!("    {breach}"))?;
        }
        let unprinted = wrong.saturating_sub(PRINTED as u64);
        if unprinted > 0 {
            out.line(format_args!("    and {unprinted} more"))?;
        }
    }
    for note in &report.notes {
        out.line(out.dim(note))?;
    }
    let orders = grouped(report.orders.cast_signed());
    let took = spoken(report.took);
    if report.is_clean() {
        let good = out.good("all rules hold:");
        return Ok(out.line(format_args!("{good} {orders} orders checked in {took}"))?);
    }
    let bad = out.bad("rules are broken:");
    Ok(out.line(format_args!(
        "{bad} {orders} orders checked in {took}; `ordermill orders show` tells an order's whole story, `ordermill \
         analytics rebuild` puts figures right"
    ))?)
}
