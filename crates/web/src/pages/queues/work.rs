//! What was done over time: how much, how fast, and by which kind of job.

use app::work::{self, Step, Stretch, Work};
use app::{App, Result, queues};
use askama::Template;
use askama::filters::HtmlSafe;
use axum::extract::State as From;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use queue::metrics;
use serde::Deserialize;

use super::{Answer, of_kind};
use crate::access::SignedIn;
use crate::pages::chart::{Drawing, HEIGHT, Moment, Series, WIDTH};
use crate::pages::page;
use crate::pages::words::{millis, number};
use crate::query::Query;
use crate::server::Web;

/// How far back, of which queue, and in which form.
#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Wanted {
    #[serde(default)]
    over: Span,
    /// All of them, where it is not told.
    queue: Option<String>,
    /// Whether the charts are shown as tables.
    #[serde(default)]
    tables: bool,
}

/// How far back.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
enum Span {
    #[default]
    Hour,
    Day,
    Week,
    Month,
}

impl Span {
    const ALL: [Span; 4] = [Span::Hour, Span::Day, Span::Week, Span::Month];

    const fn as_str(self) -> &'static str {
        match self {
            Span::Hour => "hour",
            Span::Day => "day",
            Span::Week => "week",
            Span::Month => "month",
        }
    }

    const fn told(self) -> &'static str {
        match self {
            Span::Hour => "Last hour",
            Span::Day => "24 hours",
            Span::Week => "7 days",
            Span::Month => "30 days",
        }
    }

    /// What its figures are read by, how many of those make a step of the charts, and how many steps there are.
    const fn steps(self) -> (metrics::Span, i64, i64) {
        match self {
            Span::Hour => (metrics::Span::Minute, 1, 60),
            Span::Day => (metrics::Span::Hour, 1, 24),
            Span::Week => (metrics::Span::Hour, 2, 84),
            Span::Month => (metrics::Span::Hour, 6, 120),
        }
    }

    /// How long a step is, in words.
    const fn step(self) -> &'static str {
        match self {
            Span::Hour => "a minute",
            Span::Day => "an hour",
            Span::Week => "2 hours",
            Span::Month => "6 hours",
        }
    }
}

impl Wanted {
    /// What stands behind an address that asks for it.
    pub(super) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::from("?"));
        query.append_pair("over", self.over.as_str());
        if let Some(queue) = &self.queue {
            query.append_pair("queue", queue);
        }
        if self.tables {
            query.append_pair("tables", "true");
        }
        query.finish()
    }
}

/// `GET /queues/work`
pub(in crate::pages) async fn work(
    From(web): From<Web>,
    SignedIn(_): SignedIn,
    Query(wanted): Query<Wanted>,
) -> Answer {
    page(StatusCode::OK, &Worked::read(&web.app, wanted).await?)
}

/// The part of the page.
#[derive(Template)]
#[template(path = "queues/work.html")]
pub(super) struct Worked {
    pub(super) wanted: Wanted,
    drawings: Vec<Drawing>,
    rows: Vec<Row>,
}

impl HtmlSafe for Worked {}

struct Row {
    queue: String,
    kind: String,
    jobs: String,
    done: String,
    failed: String,
    retried: String,
    run: [String; 3],
    wait: [String; 3],
}

impl Worked {
    pub(super) async fn read(app: &App, wanted: Wanted) -> Result<Self> {
        if let Some(queue) = &wanted.queue {
            queues::check_name(app, queue)?;
        }
        let (span, per_step, count) = wanted.over.steps();
        let length = SignedDuration::from_secs(span.seconds() * per_step);
        // The last step is the one that runs.
        let from = app.now().saturating_sub(length * (count as i32 - 1)).unwrap_or(Timestamp::MIN);
        let from = span.start(from);
        let stretch = work::stretch(app, wanted.queue.as_deref(), (span, per_step), from).await?;
        let starts: Vec<Timestamp> =
            (0..count).filter_map(|step| from.saturating_add(length * step as i32).ok()).collect();
        Ok(Worked {
            drawings: drawings(app, wanted.over, &stretch, &starts),
            rows: stretch.totals.into_iter().map(Row::new).collect(),
            wanted,
        })
    }

    /// How far back it can be told: in words, where that is shown, and whether it is shown now.
    fn spans(&self) -> [(&'static str, String, bool); 4] {
        let shown = self.wanted.over;
        Span::ALL.map(|over| (over.told(), Wanted { over, ..self.wanted.clone() }.query(), over == shown))
    }

    /// The charts the other way: as tables, or drawn.
    fn other_way(&self) -> String {
        Wanted { tables: !self.wanted.tables, ..self.wanted.clone() }.query()
    }

    /// The same of all queues.
    fn of_all(&self) -> String {
        Wanted { queue: None, ..self.wanted.clone() }.query()
    }

    /// How high a drawing is, in words.
    fn height(&self, drawing: &Drawing) -> String {
        if drawing.lines.is_empty() {
            format!("up to {} jobs {}", number(drawing.highest as i64), self.per_step())
        } else {
            format!("up to {}", millis(Some(drawing.highest)))
        }
    }

    fn per_step(&self) -> String {
        let step = self.wanted.over.step();
        if step.starts_with('a') { step.to_owned() } else { format!("in {step}") }
    }
}

const COUNTS: [Series; 3] = [
    Series { name: "done", tone: "good" },
    Series { name: "tried again", tone: "warn" },
    Series { name: "failed for good", tone: "bad" },
];
const TIMES: [Series; 3] = [
    Series { name: "p50", tone: "first" },
    Series { name: "p95", tone: "second" },
    Series { name: "p99", tone: "third" },
];

fn drawings(app: &App, over: Span, stretch: &Stretch, starts: &[Timestamp]) -> Vec<Drawing> {
    let period = |at: &Timestamp| {
        let local = at.to_zoned(app.calendar().zone().clone());
        local.strftime(if over == Span::Hour { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string()
    };
    let moments = |values: fn(Option<&Step>) -> [Option<f64>; 3], told: fn(Option<f64>) -> String| {
        let moment = |at: &Timestamp| {
            let values = values(stretch.steps.get(at));
            Moment { period: period(at), figures: values.map(told).into(), values: values.into() }
        };
        starts.iter().map(moment).collect()
    };
    let counts = |step: Option<&Step>| {
        let counts = step.map_or([0; 3], |step| [step.completed, step.retried, step.failed]);
        counts.map(|count| Some(count as f64))
    };
    let times =
        |step: Option<&Step>| step.map_or([None; 3], |step| [step.run.p50, step.run.p95, step.run.p99]);
    let count = |value: Option<f64>| number(value.unwrap_or_default() as i64);
    vec![
        Drawing::stacked("Jobs", COUNTS.into(), moments(counts, count)),
        Drawing::lines("Run time", TIMES.into(), moments(times, millis)),
    ]
}

impl Row {
    fn new(work: Work) -> Self {
        let count = |count: u64| number(i64::try_from(count).unwrap_or(i64::MAX));
        let times = |all: work::Quantiles| [all.p50, all.p95, all.p99].map(millis);
        Row {
            queue: work.queue,
            jobs: of_kind(&work.kind),
            kind: work.kind,
            done: count(work.completed),
            failed: count(work.failed),
            retried: count(work.retried),
            run: times(work.run),
            wait: times(work.wait),
        }
    }
}
