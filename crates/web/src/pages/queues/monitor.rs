//! How the queues stand now: what waits where, who works, and what needs somebody.

use app::access::sessions::Session;
use app::queues::{self, Monitor, QueueStanding, Trouble};
use app::{App, work};
use askama::Template;
use axum::extract::State as From;
use axum::http::StatusCode;
use futures_util::FutureExt as _;
use jiff::SignedDuration;
use queue::metrics::Span;
use queue::{PoolStatus, State, SupervisorRecord};

use super::failures::Failures;
use super::work::{Wanted, Worked};
use super::{Answer, in_state};
use crate::access::SignedIn;
use crate::pages::frame::Frame;
use crate::pages::words::{counted, number, since};
use crate::pages::{QUEUES, page};
use crate::query::Query;
use crate::server::Web;

#[derive(Template)]
#[template(path = "queues/monitor.html")]
struct MonitorPage<'p> {
    frame: Frame<'p>,
    section: &'static str,
    live: Live,
    worked: Worked,
    failures: Failures,
}

/// What changes with every job.
#[derive(Template)]
#[template(path = "queues/live.html")]
struct LivePart {
    live: Live,
}

/// `GET /queues`
pub(in crate::pages) async fn monitor(
    From(web): From<Web>,
    SignedIn(session): SignedIn,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let (live, worked, failures) = tokio::try_join!(
        // The compiler goes only so deep into futures within futures.
        Live::read(&web.app, &session).boxed(),
        Worked::read(&web.app, wanted).boxed(),
        Failures::read(&web.app, &session).boxed(),
    )?;
    let frame = Frame::new(&web.app, &session, QUEUES);
    page(StatusCode::OK, &MonitorPage { frame, section: QUEUES, live, worked, failures })
}

/// `GET /queues/live`: what a browser asks for again when something has happened.
pub(in crate::pages) async fn live(From(web): From<Web>, SignedIn(session): SignedIn) -> Answer {
    page(StatusCode::OK, &LivePart { live: Live::read(&web.app, &session).await? })
}

/// The states that the workload is told of.
const STATES: [State; 6] = [
    State::Available,
    State::Executing,
    State::Retryable,
    State::Scheduled,
    State::Discarded,
    State::Cancelled,
];
/// Minutes over which the throughput is told.
const LATELY: i64 = 5;

struct Live {
    csrf_token: String,
    operates: bool,
    troubles: Vec<String>,
    cards: Vec<Card>,
    rows: Vec<QueueRow>,
}

struct Card {
    name: &'static str,
    value: String,
    beside: String,
}

struct QueueRow {
    name: String,
    is_paused: bool,
    counts: Vec<(String, String)>,
    wait: String,
    workers: String,
}

impl Live {
    async fn read(app: &App, session: &Session) -> app::Result<Self> {
        let monitor = queues::monitor(app).await?;
        let from =
            app.now().saturating_sub(SignedDuration::from_mins(LATELY)).unwrap_or(jiff::Timestamp::MIN);
        let work = work::total(app, Span::Minute, from).await?;
        let done = work.iter().map(|work| work.completed).sum();
        let failed = work.iter().map(|work| work.failed + work.retried).sum();
        Ok(Live {
            csrf_token: session.csrf_token(),
            operates: session.caller.role.covers(domain::Role::Operator),
            cards: cards(&monitor, done, failed),
            rows: queues::names(app).into_iter().map(|name| QueueRow::new(name, &monitor)).collect(),
            troubles: monitor.troubles.iter().map(Trouble::told).collect(),
        })
    }
}

fn cards(monitor: &Monitor, done: u64, failed: u64) -> Vec<Card> {
    let all = |state| monitor.queues.iter().map(|queue| queue.depth.count(state)).sum::<usize>();
    let card = |name, value, beside| Card { name, value, beside };
    let per_minute = |count: u64| number(i64::try_from(count).unwrap_or(i64::MAX) / LATELY);
    let longest = monitor.queues.iter().filter_map(|one| Some((one.wait?, &one.depth.queue)));
    let longest = longest.max_by(|left, right| left.0.total_cmp(&right.0));
    let busy = pools(&monitor.supervisors).map(|pool| pool.busy.len()).sum::<usize>();
    let workers = pools(&monitor.supervisors).map(|pool| pool.workers).sum::<usize>();
    vec![
        card(
            "Waiting",
            counted(all(State::Available)),
            format!("{} scheduled for later", counted(all(State::Scheduled))),
        ),
        card(
            "Executing",
            counted(all(State::Executing)),
            format!("by {busy} of {}", app::words::count(workers as i64, "worker", "workers")),
        ),
        card(
            "Failed for good",
            counted(all(State::Discarded)),
            format!("{} will be tried again", counted(all(State::Retryable))),
        ),
        card(
            "Done a minute",
            per_minute(done),
            format!("{} failed, of the last {LATELY} minutes", per_minute(failed)),
        ),
        card(
            "Longest wait",
            longest.map_or_else(|| "–".to_owned(), |(wait, _)| since(wait)),
            longest.map_or_else(|| "nothing waits".to_owned(), |(_, queue)| format!("in {queue}")),
        ),
    ]
}

fn pools(supervisors: &[SupervisorRecord]) -> impl Iterator<Item = &PoolStatus> {
    supervisors.iter().flat_map(|one| &one.pools)
}

impl QueueRow {
    fn new(name: String, monitor: &Monitor) -> Self {
        let standing = monitor.queues.iter().find(|standing| standing.depth.queue == name);
        let count = |state| standing.map_or(0, |QueueStanding { depth, .. }| depth.count(state));
        let link = |state| if count(state) > 0 { in_state(&name, state) } else { String::new() };
        let here = || pools(&monitor.supervisors).filter(|pool| pool.queue == name);
        let (busy, workers) = (
            here().map(|pool| pool.busy.len()).sum::<usize>(),
            here().map(|pool| pool.workers).sum::<usize>(),
        );
        QueueRow {
            is_paused: standing.is_some_and(|standing| standing.depth.paused),
            counts: STATES.map(|state| (counted(count(state)), link(state))).into(),
            wait: standing.and_then(|standing| standing.wait).map(since).unwrap_or_default(),
            workers: format!("{busy} / {workers}"),
            name,
        }
    }
}
