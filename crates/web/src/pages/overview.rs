//! How business goes today, beside yesterday and a week ago; what sells; what runs, and what needs somebody.

use analytics::{Board, BoardOf, BoardQuery, Granularity, KpiQuery, KpiReport, Kpis};
use app::figures::{self, Ranked};
use app::queues::QueueStanding;
use app::system::{self, System};
use app::{App, Result, imports};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Currency, KpiFigures, Money, Period};
use futures_util::FutureExt as _;
use jiff::ToSpan as _;
use jiff::civil::Date;
use queue::State as JobState;
use serde::Deserialize;

use super::chart::{Chart, HEIGHT, Point, WIDTH};
use super::frame::Frame;
use super::funnel::Funnel;
use super::page;
use super::words::{counted, money, number, percent, since};
use crate::ApiError;
use crate::access::SignedIn;
use crate::query::Query;
use crate::server::Web;

/// Entries of a leaderboard.
const LEADERS: u32 = 5;

/// Which day, and how far back the charts go.
#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Today, where it is not told.
    day: Option<Date>,
    /// The one with the most orders, where it is not told.
    currency: Option<Currency>,
    #[serde(default)]
    over: Over,
    /// Whether the charts are shown as tables.
    #[serde(default)]
    tables: bool,
}

impl Wanted {
    /// What stands behind an address that asks for it.
    fn query(self) -> String {
        let day = self.day.map(|day| format!("&day={day}")).unwrap_or_default();
        let currency = self.currency.map(|currency| format!("&currency={currency}")).unwrap_or_default();
        let tables = if self.tables { "&tables=true" } else { "" };
        format!("?over={}{day}{currency}{tables}", self.over.as_str())
    }
}

/// How far back the charts go.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
enum Over {
    #[default]
    Days,
    Weeks,
    Months,
}

impl Over {
    const ALL: [Over; 3] = [Over::Days, Over::Weeks, Over::Months];

    const fn as_str(self) -> &'static str {
        match self {
            Over::Days => "days",
            Over::Weeks => "weeks",
            Over::Months => "months",
        }
    }

    const fn told(self) -> &'static str {
        match self {
            Over::Days => "30 days",
            Over::Weeks => "26 weeks",
            Over::Months => "12 months",
        }
    }

    const fn granularity(self) -> Granularity {
        match self {
            Over::Days => Granularity::Day,
            Over::Weeks => Granularity::Week,
            Over::Months => Granularity::Month,
        }
    }

    /// The first days of the periods up to the one that `day` is in, the oldest first.
    fn starts(self, day: Date) -> Vec<Date> {
        let (last, step, count) = match self {
            Over::Days => (day, 1.day(), 30),
            Over::Weeks => {
                (day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days()), 1.week(), 26)
            }
            Over::Months => (day.first_of_month(), 1.month(), 12),
        };
        let mut starts: Vec<Date> = (0..count).map(|back| last.saturating_sub(step * back)).collect();
        starts.reverse();
        starts
    }
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage<'p> {
    frame: Frame<'p>,
    overview: Overview,
}

/// What changes while somebody looks.
#[derive(Template)]
#[template(path = "overview_live.html")]
struct LivePart {
    overview: Overview,
}

/// `GET /`
pub(super) async fn show(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let overview = Overview::read(&web.app, wanted).await?;
    page(StatusCode::OK, &OverviewPage { frame: Frame::new(&web.app, &session, "/"), overview })
}

/// `GET /overview/live`: the part of the page that a browser asks for again when something has happened.
pub(super) async fn live(
    State(web): State<Web>,
    SignedIn(_): SignedIn,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    page(StatusCode::OK, &LivePart { overview: Overview::read(&web.app, wanted).await? })
}

struct Overview {
    wanted: Wanted,
    day: Date,
    is_today: bool,
    currency: Currency,
    currencies: Vec<Currency>,
    funnel: Funnel,
    tiles: Vec<Tile>,
    charts: Vec<Chart>,
    boards: Vec<Leaders>,
    queues: Vec<QueueRow>,
    workers: usize,
    imports: Vec<ImportRow>,
    attention: Vec<String>,
    has_orders: bool,
}

/// A key figure.
struct Tile {
    name: &'static str,
    value: String,
    beside: Vec<Beside>,
}

/// The same figure of another day.
struct Beside {
    when: &'static str,
    value: String,
    change: String,
}

struct Leaders {
    title: &'static str,
    counted: &'static str,
    rows: Vec<LeaderRow>,
}

struct LeaderRow {
    rank: u64,
    name: String,
    count: String,
    net: String,
}

struct QueueRow {
    name: String,
    is_paused: bool,
    counts: [String; 5],
    wait: String,
}

/// The states that the workload is told of.
const WORKLOAD: [JobState; 5] =
    [JobState::Available, JobState::Executing, JobState::Retryable, JobState::Scheduled, JobState::Discarded];

struct ImportRow {
    id: i64,
    file: String,
    status: &'static str,
    done: u8,
    rows: String,
}

impl Overview {
    async fn read(app: &App, wanted: Wanted) -> Result<Self> {
        let today = app.calendar().business_day(app.now());
        let day = wanted.day.unwrap_or(today);
        let currency = figures::currency(app, wanted.currency);
        let starts = wanted.over.starts(day);
        let days =
            KpiQuery { from: day.saturating_sub(7.days()), to: day, granularity: Granularity::Day, currency };
        let from = starts.first().copied().unwrap_or(day);
        let charted = KpiQuery { from, to: day, granularity: wanted.over.granularity(), currency };
        let board = |of| BoardQuery { of, period: Period::Month, date: day, currency, limit: LEADERS };
        let (days, charted, products, customers, system, newest) = tokio::try_join!(
            figures::kpis(app, days),
            figures::kpis(app, charted),
            figures::leaderboard(app, board(BoardOf::Products)),
            figures::leaderboard(app, board(BoardOf::Customers)),
            // The compiler goes only so deep into futures within futures.
            system::read(app).boxed(),
            app::orders::stages_of_newest(app),
        )?;
        Ok(Overview {
            wanted,
            day,
            is_today: day == today,
            currency: charted.currency,
            currencies: charted.other_currencies.clone(),
            funnel: Funnel::of(&newest),
            tiles: tiles(&days, day),
            charts: charts(&charted, &starts),
            boards: vec![
                leaders("Products of the month", "Units", products),
                leaders("Customers of the month", "Orders", customers),
            ],
            queues: system.queues.iter().map(QueueRow::new).collect(),
            workers: workers(&system),
            has_orders: !charted.periods.is_empty() || !system.imports.is_empty(),
            imports: system.imports.iter().map(ImportRow::new).collect(),
            attention: system.attention,
        })
    }

    /// How far back the charts can go: in words, where that is shown, and whether it is shown now.
    fn spans(&self) -> [(&'static str, String, bool); 3] {
        let shown = self.wanted.over;
        Over::ALL.map(|over| (over.told(), Wanted { over, ..self.wanted }.query(), over == shown))
    }

    /// The charts the other way: as tables, or as bars.
    fn other_way(&self) -> String {
        Wanted { tables: !self.wanted.tables, ..self.wanted }.query()
    }

    /// The other currencies that there are orders in, and where their figures are shown.
    fn other_currencies(&self) -> Vec<(Currency, String)> {
        let address =
            |currency: &Currency| (*currency, Wanted { currency: Some(*currency), ..self.wanted }.query());
        self.currencies.iter().map(address).collect()
    }

    fn day_before(&self) -> String {
        Wanted { day: Some(self.day.saturating_sub(1.day())), ..self.wanted }.query()
    }
}

fn tiles(report: &KpiReport, day: Date) -> Vec<Tile> {
    let none = Kpis::new(&KpiFigures::default(), report.currency);
    let of = |days: i64| {
        let date = day.saturating_sub(days.days());
        report.periods.iter().find(|period| period.start == date).map_or(&none, |period| &period.kpis)
    };
    let (now, yesterday, last_week) = (of(0), of(1), of(7));
    let tile = |name, told: fn(&Kpis) -> String, amount: fn(&Kpis) -> Option<f64>| Tile {
        name,
        value: told(now),
        beside: [("the day before", yesterday), ("a week before", last_week)]
            .map(|(when, then)| Beside { when, value: told(then), change: change(amount(then), amount(now)) })
            .into(),
    };
    vec![
        tile("Net revenue", |kpis| money(kpis.net), |kpis| Some(kpis.net.amount as f64)),
        tile("Orders", |kpis| number(kpis.orders), |kpis| Some(kpis.orders as f64)),
        tile(
            "Average order",
            |kpis| kpis.average_order_value.map_or_else(|| "–".to_owned(), money),
            |kpis| kpis.average_order_value.map(|value| value.amount as f64),
        ),
        tile("Refund rate", |kpis| kpis.refund_rate.map_or_else(|| "–".to_owned(), percent), |_| None),
        tile("Failed orders", |kpis| number(kpis.failed), |kpis| Some(kpis.failed as f64)),
    ]
}

/// By how much a figure has changed; nothing where there was none to change.
fn change(then: Option<f64>, now: Option<f64>) -> String {
    match (then, now) {
        (Some(then), Some(now)) if then > 0.0 => {
            let share = (now - then) / then;
            let sign = if share < 0.0 { "−" } else { "+" };
            format!("{sign}{}", percent(share.abs()))
        }
        _ => String::new(),
    }
}

fn charts(report: &KpiReport, starts: &[Date]) -> Vec<Chart> {
    let none = Kpis::new(&KpiFigures::default(), report.currency);
    let points = |value: fn(&Kpis) -> i64, told: fn(&Kpis) -> String| {
        let point = |start: &Date| {
            let found = report.periods.iter().find(|period| period.start == *start);
            let kpis = found.map_or(&none, |period| &period.kpis);
            Point { period: start.to_string(), value: value(kpis), figure: told(kpis) }
        };
        starts.iter().map(point).collect()
    };
    vec![
        Chart::new(
            "Net revenue",
            points(|kpis| kpis.net.amount, |kpis| format!("{} {}", money(kpis.net), kpis.net.currency)),
        ),
        Chart::new("Orders", points(|kpis| kpis.orders, |kpis| number(kpis.orders))),
    ]
}

fn leaders(title: &'static str, counted: &'static str, board: Board<Ranked>) -> Leaders {
    let row = |entry: analytics::BoardEntry<Ranked>| LeaderRow {
        rank: entry.rank,
        name: name(entry.who),
        count: number(entry.score.count),
        net: money(Money::new(entry.score.net, entry.currency)),
    };
    Leaders { title, counted, rows: board.entries.into_iter().map(row).collect() }
}

fn name(who: Ranked) -> String {
    match who {
        Ranked::Customer(one) => {
            one.name.or(one.email).or(one.external_id).unwrap_or_else(|| format!("customer {}", one.id))
        }
        Ranked::Product(one) => one.name.or(one.sku).unwrap_or_else(|| format!("product {}", one.id)),
    }
}

fn workers(system: &System) -> usize {
    system.supervisors.iter().flat_map(|one| &one.pools).map(|pool| pool.workers).sum()
}

impl QueueRow {
    fn new(standing: &QueueStanding) -> Self {
        let depth = &standing.depth;
        QueueRow {
            name: depth.queue.clone(),
            is_paused: depth.paused,
            counts: WORKLOAD.map(|state| counted(depth.count(state))),
            wait: standing.wait.map(since).unwrap_or_default(),
        }
    }
}

impl ImportRow {
    fn new(status: &imports::Status) -> Self {
        let (rows, total) = (status.progress.counts.rows(), status.import.rows_total);
        ImportRow {
            id: status.import.id.get(),
            file: status.import.file_name.clone(),
            status: status.import.status.as_str(),
            done: status.percent(),
            rows: format!("{} of {}", number(rows), number(total)),
        }
    }
}
