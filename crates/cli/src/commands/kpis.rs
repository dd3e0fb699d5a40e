use ::analytics::{Granularity, KpiQuery, KpiReport, Kpis as Figures};
use anyhow::Result;
use app::figures;
use clap::Args;
use comfy_table::Cell;
use domain::Currency;
use jiff::civil::Date;

use crate::output::{Out, bare_amount, cell, maybe};
use crate::session::{Exit, Session};
use crate::words::grouped;

/// Show the key figures of a day, or of a span of days, weeks or months [default: today]
#[derive(Debug, Args)]
pub struct Kpis {
    /// One business day, such as 2025-03-01
    #[arg(long, conflicts_with_all = ["from", "to"])]
    date: Option<Date>,
    /// The first business day of a span
    #[arg(long, requires = "to")]
    from: Option<Date>,
    /// The last business day of a span
    #[arg(long, requires = "from")]
    to: Option<Date>,
    /// How long each period is: day, week or month
    #[arg(long, default_value = "day")]
    granularity: Granularity,
    /// In which currency [default: the only one with figures, else the shop's]
    #[arg(long, value_parser = Currency::parse)]
    currency: Option<Currency>,
}

impl Kpis {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let app = session.open().await?;
        let today = app.calendar().business_day(app.now());
        let day = self.date.unwrap_or(today);
        let (from, to) = self.from.zip(self.to).unwrap_or((day, day));
        let currency = figures::currency(&app, self.currency);
        let query = KpiQuery { from, to, granularity: self.granularity, currency };
        let report = figures::kpis(&app, query).await?;
        if session.out.is_json() {
            session.out.json(&report)?;
        } else {
            print(session.out, &report)?;
        }
        Ok(Exit::Done)
    }
}

/// Prints a report: a row for each period, and one for the whole span.
pub fn print(out: Out, report: &KpiReport) -> Result<()> {
    let columns = [
        report.granularity.period().as_str(),
        "orders",
        "units",
        "gross",
        "refunds",
        "net",
        "mean",
        "rate",
        "failed",
        "cancelled",
        "paid",
        "new",
        "known",
    ];
    let mut listing = out.listing(&columns).right(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    for period in &report.periods {
        let start = match report.granularity {
            Granularity::Month => period.start.strftime("%Y-%m").to_string(),
            Granularity::Day | Granularity::Week => period.start.to_string(),
        };
        listing.row(row(&start, &period.kpis));
    }
    if report.periods.len() > 1 {
        listing.row(row("total", &report.total));
    }
    out.table(&listing, &format!("no figures from {} to {}", report.from, report.to))?;
    if !report.periods.is_empty() {
        let (currency, zone) = (report.currency, &report.time_zone);
        let about = format!(
            "money in {currency}, days in {zone}; mean: gross of an order; rate: refunds over gross; paid: of the payments \
             decided; new and known: customers"
        );
        out.line(out.dim(about))?;
    }
    if !report.other_currencies.is_empty() {
        let others: Vec<&str> = report.other_currencies.iter().map(|currency| currency.code()).collect();
        out.line(out.dim(format_args!("also in {}: name one with --currency", others.join(", "))))?;
    }
    Ok(())
}

fn row(name: &str, kpis: &Figures) -> Vec<Cell> {
    vec![
        cell(name),
        cell(grouped(kpis.orders)),
        cell(grouped(kpis.units)),
        cell(bare_amount(kpis.gross)),
        cell(bare_amount(kpis.refunds)),
        cell(bare_amount(kpis.net)),
        maybe(kpis.average_order_value.map(bare_amount)),
        maybe(kpis.refund_rate.map(percent)),
        cell(kpis.failed),
        cell(kpis.cancelled),
        maybe(kpis.payment_success_rate.map(percent)),
        cell(kpis.new_customers),
        cell(kpis.returning_customers),
    ]
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
