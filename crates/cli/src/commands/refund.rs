use anyhow::{Context as _, Result};
use app::refunds::{self, RefundView, Request, Restock};
use app::workers::Workers;
use app::{Actor, App};
use clap::Args;
use domain::{Currency, DecimalStyle, IdempotencyKey, RefundRequest, parse_decimal};
use serde_json::json;
use sql::Tx;
use store::refunds::Refund as Kept;

use crate::output::{Listing, Out, cell, maybe, money, status, time};
use crate::session::{Exit, Session};
use crate::settle::{self, Settled};
use crate::shutdown;
use crate::words::{self, line_units};

/// Refund an order: an amount, units of lines, or all that is left
///
/// The key makes a repeated request the same request: it is refunded once. Without one a fresh key is made and printed.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(false))]
pub struct Refund {
    /// The order: its id, or SOURCE/EXTERNAL_ID
    order: String,
    /// An amount, such as 12.34, spread over the lines
    #[arg(long, group = "what", allow_hyphen_values = true)]
    amount: Option<String>,
    /// Units of a line, such as 1:2 for two of line 1; may be given again
    #[arg(long, group = "what", value_name = "LINE:UNITS", value_parser = line_units)]
    line: Vec<(i64, i64)>,
    /// All that is left, units too
    #[arg(long, group = "what")]
    all: bool,
    /// Unique for this refund, for ever
    #[arg(long, value_parser = IdempotencyKey::parse)]
    key: Option<IdempotencyKey>,
    /// Goods do not come back into stock
    #[arg(long)]
    no_restock: bool,
    /// Shipping that goes back with the lines
    #[arg(long, value_name = "AMOUNT", requires = "line")]
    shipping: Option<String>,
    /// Why, for the timeline
    #[arg(long)]
    reason: Option<String>,
    /// Run workers until it is settled
    #[arg(long)]
    wait: bool,
}

impl Refund {
    pub async fn run(self, session: &Session) -> Result<Exit> {
        let (app, out) = (session.open().await?, session.out);
        let order = words::order(&app, &self.order).await?;
        let view = move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::orders::get_view(tx, order)?.row) };
        let currency = app.read("get_order", view).await?.total.currency;
        let key = match &self.key {
            Some(key) => key.clone(),
            None => IdempotencyKey::parse(&words::fresh("cli")).context("a fresh key could not be made")?,
        };
        let what = self.what(currency)?;
        let (restock, reason) = (Restock::from(!self.no_restock), self.reason);
        let asked =
            refunds::request(&app, &Actor::CLI, Request { order, key, what, restock, reason }).await?;
        let (mut refund, replayed) = (asked.refund, asked.replayed);
        let mut exit = Exit::Done;
        if self.wait {
            (refund, exit) = settled(&app, refund).await?;
        }
        print(out, RefundView::from(refund), replayed)?;
        Ok(exit)
    }

    fn what(&self, currency: Currency) -> Result<RefundRequest> {
        let amount = |text: &str| {
            parse_decimal(text, currency, DecimalStyle::Auto)
                .with_context(|| format!("`{text}` is no amount of {currency}"))
        };
        if let Some(text) = &self.amount {
            return Ok(RefundRequest::Amount(amount(text)?));
        }
        if self.all {
            return Ok(RefundRequest::All);
        }
        let shipping = self.shipping.as_deref().map_or(Ok(0), amount)?;
        Ok(RefundRequest::Lines { lines: self.line.clone(), shipping })
    }
}

/// Runs workers until a refund is settled.
async fn settled(app: &App, refund: Kept) -> Result<(Kept, Exit)> {
    let stop = shutdown::on_signal()?;
    let workers = Workers::start(app).await?;
    let waited = settle::everything(app, &stop).await?;
    workers.stop().await;
    let id = refund.id;
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::refunds::get(tx, id)?) };
    let refund = app.read("get_refund", read).await?;
    let exit = match (waited, refund.status) {
        (Settled::Interrupted, _) => Exit::Interrupted,
        (_, domain::RefundStatus::Succeeded) => Exit::Done,
        _ => Exit::Failed,
    };
    Ok((refund, exit))
}

fn print(out: Out, refund: RefundView, replayed: bool) -> Result<()> {
    if out.is_json() {
        out.json(&json!({ "refund": refund, "replayed": replayed }))?;
        return Ok(());
    }
    let mut table = listing(out);
    add(&mut table, &refund);
    out.table(&table, "")?;
    let key = &refund.key;
    out.line(match (replayed, refund.status) {
        (true, _) => format!("replayed: the key {key} was used for this refund before, and nothing was done"),
        (false, "requested" | "processing") => {
            format!("requested with the key {key}; workers pay it back: `ordermill work --until-idle`")
        }
        (false, _) => format!("settled; its key is {key}"),
    })?;
    Ok(())
}

/// A table of refunds.
pub fn listing(out: Out) -> Listing {
    let columns = ["refund", "order", "amount", "status", "cause", "by", "requested", "remark"];
    out.listing(&columns).right(&[0, 1, 2])
}

/// Adds a refund to a table of refunds.
pub fn add(listing: &mut Listing, refund: &RefundView) {
    listing.row([
        cell(refund.id),
        cell(refund.order_id),
        money(refund.amount),
        status(refund.status),
        cell(refund.cause),
        cell(&refund.actor),
        time(refund.requested_at),
        maybe(refund.error.as_ref().or(refund.reason.as_ref())),
    ]);
}
