use ::analytics::{Board, BoardOf, BoardQuery};
use anyhow::{Result, bail};
use app::figures::{self, Ranked};
use clap::Args;
use domain::{Currency, CustomerId, Period};
use jiff::civil::Date;

use crate::output::{Out, cell, money};
use crate::session::{Exit, Session};
use crate::words::grouped;

/// Show the best customers or products of a day, week, month or all time, by net money
#[derive(Debug, Args)]
pub struct Leaderboard {
    /// Over how long: day, week, month or all
    #[arg(long, default_value = "all")]
    period: Period,
    /// A day in the period [default: today]
    #[arg(long)]
    date: Option<Date>,
    /// How many places
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Whom: customers or products
    #[arg(long, default_value = "customers")]
    of: BoardOf,
    /// In which currency [default: the only one with figures, else the shop's]
    #[arg(long, value_parser = Currency::parse)]
    currency: Option<Currency>,
    /// Where this customer stands, with as many above and below
    #[arg(long, value_name = "CUSTOMER_ID")]
    around: Option<CustomerId>,
}

impl Leaderboard {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let app = session.open().await?;
        let date = self.date.unwrap_or_else(|| app.calendar().business_day(app.now()));
        let currency = figures::currency(&app, self.currency);
        let query = BoardQuery { of: self.of, period: self.period, date, currency, limit: self.limit };
        let board = match self.around {
            None => figures::leaderboard(&app, query).await?,
            Some(customer) => match figures::standing(&app, customer, query).await? {
                Some(board) => board,
                None => bail!("customer {customer} has no order or refund in that period"),
            },
        };
        if session.out.is_json() {
            session.out.json(&board)?;
        } else {
            print(session.out, &board)?;
        }
        Ok(Exit::Done)
    }
}

/// Prints a leaderboard.
pub fn print(out: Out, board: &Board<Ranked>) -> Result<()> {
    let (who, count) = match board.of {
        BoardOf::Customers => ("customer", "orders"),
        BoardOf::Products => ("product", "units"),
    };
    let mut listing = out.listing(&["rank", who, "", count, "net"]).right(&[0, 3, 4]);
    for entry in &board.entries {
        let (id, name) = match &entry.who {
            Ranked::Customer(customer) => {
                let id = customer.external_id.clone().unwrap_or_else(|| format!("#{}", customer.id));
                (id, customer.name.clone().or_else(|| customer.email.clone()))
            }
            Ranked::Product(product) => {
                (product.sku.clone().unwrap_or_else(|| format!("#{}", product.id)), product.name.clone())
            }
        };
        let net = domain::Money::new(entry.score.net, entry.currency);
        let count = cell(grouped(entry.score.count));
        listing.row([cell(entry.rank), cell(id), cell(name.unwrap_or_default()), count, money(net)]);
    }
    out.table(&listing, "nobody has ordered in that period")?;
    if !board.other_currencies.is_empty() {
        let others: Vec<&str> = board.other_currencies.iter().map(|currency| currency.code()).collect();
        out.line(out.dim(format_args!("also in {}: name one with --currency", others.join(", "))))?;
    }
    Ok(())
}
