//! Finding jobs.

use app::App;
use app::queues::{self, Deed};
use askama::Template;
use askama::filters::HtmlSafe;
use axum::extract::State as From;
use axum::http::StatusCode;
use queue::{Filter, JobRecord, State};

use super::{Answer, JOBS, change, told};
use crate::access::SignedIn;
use crate::api::queue::{Listed, page_of};
use crate::pages::asked::{Asked, Done, Filled};
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, Choice, Pager, View, When};
use crate::pages::words::clipped;
use crate::pages::{QUEUES, page};
use crate::query::Page;
use crate::server::Web;

#[derive(Template)]
#[template(path = "queues/jobs.html")]
struct JobsPage<'p> {
    frame: Frame<'p>,
    section: &'static str,
    notice: Option<String>,
    states: Vec<Choice>,
    queues: Vec<(String, bool)>,
    kinds: Vec<Choice>,
    views: Vec<View>,
    table: JobTable,
    deeds: Vec<DeedChoice>,
    /// What all that match have in common; nothing where nothing is chosen. A filter that chooses everything is more likely
    /// a slip than a wish.
    matching: String,
    pager: Pager,
    filled: Filled,
}

/// What operators look at.
const VIEWS: [(&str, &str); 5] = [
    ("All", ""),
    ("Waiting", "available"),
    ("Executing", "executing"),
    ("To be tried again", "retryable"),
    ("Failed for good", "discarded"),
];

/// Jobs as a table.
#[derive(Template)]
#[template(path = "queues/rows.html")]
pub(super) struct JobTable {
    rows: Vec<JobRow>,
    /// Whether some can be selected.
    picks: bool,
}

impl HtmlSafe for JobTable {}

struct JobRow {
    id: i64,
    kind: String,
    queue: String,
    state: Badge,
    attempts: String,
    due: When,
    args: String,
    error: String,
}

/// `GET /queues/jobs`
pub(in crate::pages) async fn jobs(
    From(web): From<Web>,
    SignedIn(session): SignedIn,
    asked: Asked<Listed>,
) -> Answer {
    let notice = asked.done.as_ref().map(notice);
    let (listed, filled) = asked.parts();
    let (filter, request) = listed.parts()?;
    let Page { data, next } = page_of(&web.app, filter.clone(), request).await?;
    let queues = queues::names(&web.app).into_iter();
    let frame = Frame::new(&web.app, &session, QUEUES);
    let picks = frame.operates();
    page(
        StatusCode::OK,
        &JobsPage {
            frame,
            section: JOBS,
            notice: notice.flatten(),
            states: Choice::among(&filled, "state", State::ALL.map(State::name)),
            queues: queues.map(|queue| (queue.clone(), filled.is("queue", &queue))).collect(),
            kinds: Choice::among(&filled, "kind", app::jobs::kinds(&web.app)),
            views: View::among(JOBS, &filled, "state", &VIEWS),
            table: JobTable::new(&web.app, data, picks),
            deeds: deeds(&filter),
            matching: told(&filter).join(", "),
            pager: Pager::new(JOBS, &filled, next.as_deref()),
            filled,
        },
    )
}

/// What was done to how many jobs.
pub(super) fn notice(done: &Done) -> Option<String> {
    let deed = Deed::ALL.into_iter().find(|deed| deed.as_str() == done.what)?;
    let jobs = app::words::count(done.count, "job was", "jobs were");
    Some(match (deed, done.count) {
        (Deed::Retry, 0) => {
            "No job was retried: they wait or run already, or another job holds their unique key.".to_owned()
        }
        (Deed::Cancel, 0) => "No job was called off: they have ended already.".to_owned(),
        (Deed::Delete, 0) => "No job was deleted: they run, or are gone already.".to_owned(),
        (Deed::Retry, _) => format!("{jobs} made available again."),
        (Deed::Cancel, _) => format!("{jobs} called off; what runs was asked to stop."),
        (Deed::Delete, _) => format!("{jobs} deleted."),
    })
}

/// Something that can be done to the jobs of a list.
struct DeedChoice {
    value: &'static str,
    told: &'static str,
    /// Where it is asked for all that match.
    all_matching: String,
}

/// What can be done to jobs in the state that is looked at.
fn deeds(filter: &Filter) -> Vec<DeedChoice> {
    let fits = |deed: &Deed| filter.state.is_none_or(|state| deed.fits(state));
    let choice = |deed: Deed| DeedChoice {
        value: deed.as_str(),
        told: change::word(deed),
        all_matching: change::all_matching(deed, filter),
    };
    Deed::ALL.into_iter().filter(fits).map(choice).collect()
}

/// Letters of arguments and errors.
const LETTERS: usize = 80;

impl JobTable {
    pub(super) fn new(app: &App, jobs: Vec<JobRecord>, picks: bool) -> Self {
        JobTable { rows: jobs.into_iter().map(|job| JobRow::new(app, job)).collect(), picks }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl JobRow {
    fn new(app: &App, job: JobRecord) -> Self {
        let error = job.errors.last().map(|error| clipped(&error.message, LETTERS));
        JobRow {
            id: job.id.0,
            kind: job.kind,
            queue: job.queue,
            state: Badge::new(job.state.name()),
            attempts: match job.max_attempts {
                Some(most) => format!("{} of {most}", job.attempt),
                None => job.attempt.to_string(),
            },
            due: When::new(app, job.finished_at.unwrap_or(job.due_at)),
            args: clipped(&job.args, LETTERS),
            error: error.unwrap_or_default(),
        }
    }
}
