//! The steps of the demo, each with what it shows.

use std::collections::BTreeSet;
use std::path::Path;

use ::analytics::{BoardOf, BoardQuery, Granularity, KpiQuery};
use anyhow::{Context as _, Result};
use app::imports::{self, ImportOptions, Started};
use app::orders::{self, Shipping};
use app::refunds::{self, Asked, RefundView, Request, Restock};
use app::verify::{self, Scope};
use app::{Actor, App, figures};
use domain::{IdempotencyKey, OrderId, OrderStatus, Period, RefundRequest, SourceName};
use importer::sample::{BadRows, Sample};
use serde_json::json;
use sql::Tx;
use store::orders::{Filter, OrderRow};
use tokio_util::sync::CancellationToken;

use crate::commands::import::{Report, follow};
use crate::commands::orders::{add, listing};
use crate::commands::{kpis, leaderboard, notifications, refund, verify as verify_command};
use crate::output::{Out, second};
use crate::progress::Progress;
use crate::session::{Exit, Session};
use crate::settle;

/// The first day of the demo's orders, in seconds since 1970: 2025-01-01.
const FIRST_AT: i64 = 1_735_689_600;
const DAYS: u64 = 90;
const DAY: u64 = 86_400;

/// Walks through everything.
pub struct Tour<'a> {
    pub app: &'a App,
    pub session: &'a Session,
    pub folder: &'a Path,
    pub stop: &'a CancellationToken,
}

impl Tour<'_> {
    pub async fn run(&self, orders: u64) -> Result<Exit> {
        let out = self.session.out;
        let path = self.folder.join("orders.csv");
        self.chapter("A file of orders", "made up, with a few rows that cannot be right")?;
        self.write_file(&path, orders)?;
        self.chapter("Import", "streamed in chunks, by workers; each order goes on by itself")?;
        let first = self.import(&path).await?;
        if self.stop.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        self.chapter("The same file again", "every order has an identity, so nothing is imported twice")?;
        let second = self.import(&path).await?;
        self.chapter("Orders", "stock reserved, payment taken, confirmed; or rolled back")?;
        self.show_orders().await?;
        let confirmed = self.list(OrderStatus::Confirmed, 6).await?;
        self.chapter("Shipping", "the units leave the stock, the customer is told")?;
        self.ship(&confirmed).await?;
        self.chapter("Refunds", "in part, in full, and one key sent twice: it is paid back once")?;
        let refunds = self.refund(&confirmed).await?;
        settle::everything(self.app, self.stop).await?;
        self.show_settled(&refunds).await?;
        self.chapter("Mails", "one for each thing that happened, whatever was retried")?;
        self.show_mails(confirmed.first()).await?;
        self.chapter("Key figures", "live, by business day; the refunds count on the day they were paid")?;
        self.show_figures().await?;
        self.chapter("The proof", "everything agrees with the ledger, to the unit and the penny")?;
        let report = verify::run(self.app, Scope::All).await?;
        if out.is_json() {
            out.json(&json!({
                "folder": self.folder, "import": first, "again": second, "refunds": refunds, "verify": report,
            }))?;
        } else {
            verify_command::print(out, &report)?;
        }
        Ok(if report.is_clean() { Exit::Done } else { Exit::Failed })
    }

    /// Where to print for people; nowhere where a program reads.
    fn people(&self) -> Option<Out> {
        Some(self.session.out).filter(|out| !out.is_json())
    }

    fn chapter(&self, title: &str, about: &str) -> Result<()> {
        if let Some(out) = self.people() {
            out.line(format_args!("\n{}  {}\n", out.bold(format_args!("── {title} ──")), out.dim(about)))?;
        }
        Ok(())
    }

    fn write_file(&self, path: &Path, orders: u64) -> Result<()> {
        let sample = Sample {
            customers: (orders / 6).max(5) as u32,
            articles: 60,
            first_at: FIRST_AT,
            span: DAYS * DAY,
            ..Sample::shop(orders, 7)
        };
        // Seven kinds of bad rows follow each other; this many orders show most of them.
        let sample = sample.with_bad_rows(BadRows::every((orders / 7).max(10)));
        let mut text = Vec::new();
        let totals = sample.write(&mut text).context("the orders cannot be made up")?;
        std::fs::write(path, &text).with_context(|| format!("{} cannot be written", path.display()))?;
        if let Some(out) = self.people() {
            out.line(format_args!(
                "{}: {} orders of {} rows, {} of them with a bad row",
                path.display(),
                totals.orders,
                totals.rows,
                totals.bad_orders
            ))?;
            for line in String::from_utf8_lossy(&text).lines().take(4) {
                out.line(out.dim(format_args!("  {line}")))?;
            }
        }
        Ok(())
    }

    async fn import(&self, path: &Path) -> Result<Report> {
        let options = ImportOptions {
            source: Some(SourceName::parse("demo").context("the source has no name")?),
            initial_stock: 180,
            chunk_size: 100,
            ..ImportOptions::default()
        };
        let mut progress = Progress::new("orders.csv", self.session.shows_progress);
        let report = match imports::start(self.app, &Actor::CLI, path, options, false).await? {
            Started::Done(before) => {
                Report::unchanged(self.app, path, imports::status(self.app, before.id).await?).await
            }
            Started::New(id) | Started::Resumed(id) => {
                let followed = follow(self.app, id, &mut progress, self.stop).await?;
                Report::followed(self.app, path, followed, false).await
            }
        };
        progress.end();
        let report = report?;
        if let Some(out) = self.people() {
            report.print(out)?;
        }
        Ok(report)
    }

    async fn list(&self, status: OrderStatus, limit: u32) -> Result<Vec<OrderRow>> {
        let filter = Filter { status: Some(status), limit, ..Filter::default() };
        let list = move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::orders::list(tx, &filter)?) };
        Ok(self.app.read("list_orders", list).await?)
    }

    async fn show_orders(&self) -> Result<()> {
        let Some(out) = self.people() else { return Ok(()) };
        let mut table = listing(out);
        for (status, limit) in [(OrderStatus::Confirmed, 4), (OrderStatus::Failed, 4)] {
            self.list(status, limit).await?.iter().for_each(|row| add(&mut table, row));
        }
        out.table(&table, "there are none")?;
        let Some(failed) = self.list(OrderStatus::Failed, 1).await?.pop() else { return Ok(()) };
        out.line(format_args!("\nwhat happened to order {}:", failed.id))?;
        for event in orders::story(self.app, failed.id).await?.timeline {
            let data = event.data.map(|data| data.to_string()).unwrap_or_default();
            out.line(format_args!("  {}  {:<20} {}", second(event.at), event.kind, out.dim(data)))?;
        }
        Ok(())
    }

    async fn ship(&self, confirmed: &[OrderRow]) -> Result<()> {
        let mut moved = Vec::new();
        let parcels = confirmed.iter().filter(|row| row.fulfilment == "unfulfilled").take(3);
        for (number, row) in parcels.enumerate() {
            let tracking = Some(format!("DEMO-{:06}", row.id.get()));
            let shipping = Shipping { lines: Vec::new(), carrier: Some("Parcel Post".to_owned()), tracking };
            let mut shipped = orders::ship(self.app, &Actor::CLI, row.id, shipping).await?;
            if number == 0 {
                shipped = orders::deliver(self.app, &Actor::CLI, row.id).await?;
            }
            moved.push(shipped);
        }
        if let Some(out) = self.people() {
            let mut table = listing(out);
            for row in &moved {
                add(&mut table, row);
            }
            out.table(&table, "they were shipped before")?;
        }
        Ok(())
    }

    async fn refund(&self, confirmed: &[OrderRow]) -> Result<Vec<RefundView>> {
        let mut asked = Vec::new();
        let Some((part, whole)) = confirmed.last().zip(confirmed.get(1)) else { return Ok(Vec::new()) };
        let third = (part.total.amount / 3).max(1);
        let wishes = [
            (part.id, "part", RefundRequest::Amount(third), "a third of it, for a dented box"),
            (part.id, "part", RefundRequest::Amount(third), "the same key again"),
            (whole.id, "whole", RefundRequest::All, "all of it, goods back into stock"),
        ];
        for (order, name, what, words) in wishes {
            let key = IdempotencyKey::parse(&format!("demo-{name}-{order}")).context("a key has no name")?;
            let reason = Some("asked for in the demo".to_owned());
            let request = Request { order, key, what, restock: Restock::All, reason };
            let Asked { refund, replayed } = refunds::request(self.app, &Actor::CLI, request).await?;
            if let Some(out) = self.people() {
                let outcome =
                    if replayed { out.dim("replayed, nothing was done") } else { out.good("requested") };
                let (amount, key) = (refund.amount, &refund.key);
                out.line(format_args!("order {order}, {words}: {amount}, key {key}: {outcome}"))?;
            }
            if !replayed {
                asked.push(RefundView::from(refund));
            }
        }
        Ok(asked)
    }

    async fn show_settled(&self, asked: &[RefundView]) -> Result<()> {
        let Some(out) = self.people() else { return Ok(()) };
        let mut table = refund::listing(out);
        let of: BTreeSet<OrderId> = asked.iter().map(|refund| refund.order_id).collect();
        for order in of {
            let refunds = orders::story(self.app, order).await?.refunds;
            for one in &refunds {
                refund::add(&mut table, one);
            }
        }
        out.gap()?;
        Ok(out.table(&table, "they were paid back before")?)
    }

    async fn show_mails(&self, order: Option<&OrderRow>) -> Result<()> {
        let (Some(out), Some(order)) = (self.people(), order) else { return Ok(()) };
        let told = app::notifications::of_order(self.app, order.id).await?;
        out.table(&notifications::listing(out, &told), "nobody was told anything")?;
        let count =
            |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::notifications::count_by_status(tx, u32::MAX)?) };
        let counts = self.app.read("count_notifications", count).await?;
        let counts: Vec<String> =
            counts.iter().map(|(status, number)| format!("{number} {status}")).collect();
        Ok(out.line(format_args!("\nof all orders: {}", counts.join(", ")))?)
    }

    async fn show_figures(&self) -> Result<()> {
        let Some(out) = self.people() else { return Ok(()) };
        let today = self.app.calendar().business_day(self.app.now());
        let from = jiff::civil::date(2025, 1, 1);
        let currency = figures::currency(self.app, None);
        let query = KpiQuery { from, to: today, granularity: Granularity::Month, currency };
        kpis::print(out, &figures::kpis(self.app, query).await?)?;
        for of in [BoardOf::Customers, BoardOf::Products] {
            let query = BoardQuery { of, period: Period::All, date: today, currency, limit: 5 };
            out.heading(&format!("The best {}", of.as_str()))?;
            leaderboard::print(out, &figures::leaderboard(self.app, query).await?)?;
        }
        Ok(())
    }

    /// What to do with a database that is there.
    pub async fn say_what_to_try(&self, in_another_terminal: bool) -> Result<()> {
        let Some(out) = self.people() else { return Ok(()) };
        let confirmed = self.list(OrderStatus::Confirmed, 1).await?;
        let order = confirmed.first().map_or_else(|| "1".to_owned(), |row| row.id.to_string());
        let database = self.folder.join("ordermill.db");
        let about = if in_another_terminal { "in another terminal" } else { "everything is kept" };
        self.chapter("What to try next", about)?;
        out.line(format_args!("  export ORDERMILL_DATABASE_URL={}", database.display()))?;
        if self.session.settings.config.redis.is_used() {
            out.line(format_args!("  export ORDERMILL_REDIS_URL="))?;
        }
        let commands = [
            "status".to_owned(),
            "orders list --status failed".to_owned(),
            format!("orders show {order}"),
            format!("refund {order} --amount 1.00 --wait"),
            "kpis --from 2025-01-01 --to 2025-03-31 --granularity week".to_owned(),
            "leaderboard --of products --json".to_owned(),
            "queue work-stats".to_owned(),
            "import YOUR_ORDERS.csv --dry-run".to_owned(),
        ];
        for command in commands {
            out.line(format_args!("  ordermill {command}"))?;
        }
        Ok(())
    }

    /// What to do after a demo of which nothing is kept.
    pub fn say_how_to_keep(&self) -> Result<()> {
        let Some(out) = self.people() else { return Ok(()) };
        self.chapter("What to try next", "nothing of this was kept")?;
        out.line(
            "  ordermill demo my-shop       the same in a folder that you keep, then a server to look at",
        )?;
        out.line("  ordermill import FILE.csv    your own orders, into ./data; --dry-run writes nothing")?;
        out.line("  ordermill --help             everything else")?;
        Ok(())
    }
}
