mod place;
mod show;

use anyhow::Result;
use app::orders::{self as cases, Shipping};
use app::{Actor, App};
use clap::{Args, Subcommand};
use domain::{ImportId, OrderId, OrderStatus};
use serde_json::json;
use store::orders::{Filter, OrderRow};

use crate::output::{Listing, Out, cell, minute, money, status};
use crate::session::{Exit, Session};
use crate::words::{self, line_units};

/// See orders, place them, and move them on; an order is named by its id or as SOURCE/EXTERNAL_ID
#[derive(Debug, Subcommand)]
pub enum Orders {
    List(List),
    /// Show an order's whole story: lines, payments, refunds, shipments, mails, timeline
    Show {
        /// Its id, or SOURCE/EXTERNAL_ID
        order: String,
    },
    Place(place::Place),
    /// Call an order off: what it holds is let go, and captured money goes back
    Cancel {
        /// Its id, or SOURCE/EXTERNAL_ID
        order: String,
        /// Why, for the timeline
        #[arg(long)]
        reason: Option<String>,
    },
    Ship(Ship),
    /// Mark a shipped order as delivered
    Deliver {
        /// Its id, or SOURCE/EXTERNAL_ID
        order: String,
    },
}

/// List orders, newest first
#[derive(Debug, Args)]
pub struct List {
    /// Only those that stand so: pending, reserved, confirmed, completed, failed, cancelled
    #[arg(long)]
    status: Option<OrderStatus>,
    /// Only those of this import
    #[arg(long, value_name = "ID")]
    import: Option<ImportId>,
    /// Only those of this source
    #[arg(long)]
    source: Option<String>,
    /// Only those with a smaller id: the next page
    #[arg(long, value_name = "ID")]
    before: Option<OrderId>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

/// Ship a confirmed order, or some of its lines
#[derive(Debug, Args)]
pub struct Ship {
    /// Its id, or SOURCE/EXTERNAL_ID
    order: String,
    /// Only these units, such as 1:2 for two of line 1; may be given again [default: all that is left]
    #[arg(long, value_name = "LINE:UNITS", value_parser = line_units)]
    line: Vec<(i64, i64)>,
    /// Who carries it
    #[arg(long)]
    carrier: Option<String>,
    /// The carrier's number
    #[arg(long)]
    tracking: Option<String>,
}

impl Orders {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let (app, out) = (session.open().await?, session.out);
        let moved = match self {
            Orders::List(list) => return list.run(&app, out).await,
            Orders::Show { order } => return show::run(&app, out, &order).await,
            Orders::Place(place) => return place.run(&app, out).await,
            Orders::Cancel { order, reason } => {
                let id = words::order(&app, &order).await?;
                cases::cancel(&app, &Actor::CLI, id, reason).await?
            }
            Orders::Ship(Ship { order, line, carrier, tracking }) => {
                let id = words::order(&app, &order).await?;
                let shipping = Shipping { lines: line, carrier, tracking };
                cases::ship(&app, &Actor::CLI, id, shipping).await?
            }
            Orders::Deliver { order } => {
                let id = words::order(&app, &order).await?;
                cases::deliver(&app, &Actor::CLI, id).await?
            }
        };
        print(out, &moved)?;
        Ok(Exit::Done)
    }
}

impl List {
    async fn run(self, app: &App, out: Out) -> Result<Exit> {
        let filter = Filter {
            status: self.status,
            import_id: self.import.map(ImportId::get),
            source: self.source,
            before: self.before,
            limit: self.limit,
        };
        let rows: Vec<OrderRow> = app
            .read("list_orders", move |tx| -> app::Result<_> { Ok(store::orders::list(tx, &filter)?) })
            .await?;
        // A full page may have another one behind it.
        let next = rows.last().filter(|_| rows.len() == self.limit as usize).map(|row| row.id);
        if out.is_json() {
            out.json(&json!({ "orders": rows, "next": next }))?;
            return Ok(Exit::Done);
        }
        let mut listing = listing(out);
        for row in &rows {
            add(&mut listing, row);
        }
        out.table(&listing, "there are no such orders")?;
        if let Some(next) = next {
            out.line(out.dim(format_args!("more: --before {next}")))?;
        }
        Ok(Exit::Done)
    }
}

/// Prints one order as it stands.
pub fn print(out: Out, row: &OrderRow) -> Result<()> {
    if out.is_json() {
        return Ok(out.json(row)?);
    }
    let mut listing = listing(out);
    add(&mut listing, row);
    Ok(out.table(&listing, "")?)
}

/// A table of orders.
pub fn listing(out: Out) -> Listing {
    let columns = ["id", "order", "placed", "units", "total", "status", "payment", "goods", "refunded"];
    out.listing(&columns).right(&[0, 3, 4, 8])
}

/// Adds an order to a table of orders.
pub fn add(listing: &mut Listing, row: &OrderRow) {
    let refunded = if row.refunded.amount == 0 { cell("–") } else { money(row.refunded) };
    listing.row([
        cell(row.id),
        cell(format_args!("{}/{}", row.source, row.external_id)),
        minute(row.placed_at),
        cell(row.units),
        money(row.total),
        status(row.fail_reason.unwrap_or(row.status)),
        status(row.payment),
        status(row.fulfilment),
        refunded,
    ]);
}
