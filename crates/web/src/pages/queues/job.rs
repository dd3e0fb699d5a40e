//! A job: what it carries, what became of it, and what a retry would do.

use app::App;
use app::jobs::{About, Outlook, Prospect, outlook};
use app::queues::Deed;
use askama::Template;
use axum::extract::State as From;
use axum::http::StatusCode;
use jiff::Timestamp;
use queue::{Filter, JobId, JobRecord, State, SupervisorRecord};
use serde::Deserialize;

use super::jobs::notice;
use super::{Answer, change, list_of, of_kind};
use crate::ApiError;
use crate::access::SignedIn;
use crate::address::Path;
use crate::pages::asked::Asked;
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, When};
use crate::pages::{QUEUES, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "queues/job.html")]
struct JobPage<'p> {
    frame: Frame<'p>,
    notice: Option<String>,
    job: JobRecord,
    kind: String,
    tags: Vec<(String, String)>,
    state: Badge,
    worker: String,
    payload: String,
    about: Vec<(String, String)>,
    told: Told,
    timeline: Vec<Entry>,
    can_retry: bool,
    /// What else can be done: its word, and where it is asked for.
    deeds: Vec<(&'static str, String)>,
}

/// What a retry would do.
struct Told {
    answer: &'static str,
    tone: &'static str,
    stands: String,
    why: &'static str,
}

/// Something that happened to the job, or will.
struct Entry {
    at: When,
    what: String,
    detail: String,
}

/// It asks for nothing but the job.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Nothing {}

/// `GET /queues/jobs/{id}`
pub(in crate::pages) async fn job(
    From(web): From<Web>,
    SignedIn(session): SignedIn,
    Path(id): Path<i64>,
    asked: Asked<Nothing>,
) -> Answer {
    let queue = web.app.queue();
    let found = queue.find(JobId(id)).await.map_err(app::Error::from)?;
    let job = found.ok_or_else(|| ApiError::Missing { what: "job", name: id.to_string() })?;
    let supervisors = queue.supervisors().await.map_err(app::Error::from)?;
    let outlook = outlook(&web.app, &job).await?;
    let can_retry = Deed::Retry.fits(job.state);
    page(
        StatusCode::OK,
        &JobPage {
            frame: Frame::new(&web.app, &session, QUEUES),
            notice: asked.done.as_ref().and_then(notice),
            state: Badge::new(job.state.name()),
            worker: worker(&job, &supervisors),
            payload: pretty(&job.args),
            about: outlook.about.iter().map(about).collect(),
            told: Told::new(job.state, &outlook),
            timeline: timeline(&web.app, &job),
            can_retry,
            kind: of_kind(&job.kind),
            tags: job.tags.iter().map(|tag| (tag.clone(), with_tag(tag))).collect(),
            deeds: deeds(&job),
            job,
        },
    )
}

fn deeds(job: &JobRecord) -> Vec<(&'static str, String)> {
    // To retry it is offered beside what a retry would do.
    let fits = |deed: &Deed| *deed != Deed::Retry && deed.fits(job.state) && !job.cancelling;
    let asked = |deed| (change::word(deed), change::this_one(deed, job.id));
    Deed::ALL.into_iter().filter(fits).map(asked).collect()
}

fn with_tag(tag: &str) -> String {
    list_of(&Filter { tag: Some(tag.to_owned()), ..Filter::default() })
}

fn pretty(args: &str) -> String {
    let value = serde_json::from_str::<serde_json::Value>(args).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| args.to_owned())
}

/// Who has it, as far as that is known.
fn worker(job: &JobRecord, supervisors: &[SupervisorRecord]) -> String {
    let Some(id) = job.worker else { return String::new() };
    match supervisors.iter().find(|one| one.id.0 == id) {
        Some(one) => format!("{}, process {} on {}", one.name, one.pid, one.host),
        None => format!("supervisor {id}, which has not been heard of lately"),
    }
}

/// What the job is about: its name, and the page that shows it.
fn about(about: &About) -> (String, String) {
    match about {
        About::Order(id) => (format!("order {id}"), format!("/orders/{id}")),
        About::Import(id) => (format!("import {id}"), format!("/imports/{id}")),
        About::Refund(id) => (format!("refund {id}"), format!("/refunds/{id}")),
        About::Notification(id) => (format!("notification {id}"), format!("/notifications/{id}")),
    }
}

impl Told {
    fn new(state: State, outlook: &Outlook) -> Self {
        let (answer, tone) = match (state, outlook.prospect) {
            (State::Available | State::Executing, _) => {
                ("It needs no retry: it waits for a worker or runs already.", "")
            }
            (_, Prospect::Settled) => {
                ("It would repeat nothing: there is nothing left for it to do.", "good")
            }
            (_, Prospect::Open) => {
                ("It would repeat nothing: it would do what has not been done, once.", "good")
            }
            (_, Prospect::InDoubt) => {
                ("It may repeat something once: nobody knows whether the last attempt arrived.", "bad")
            }
            (_, Prospect::Hopeless) => ("It would repeat nothing, and do nothing.", "bad"),
        };
        Told { answer, tone, stands: outlook.told.clone(), why: outlook.why }
    }
}

fn timeline(app: &App, job: &JobRecord) -> Vec<Entry> {
    let mut entries: Vec<(Timestamp, String, String)> =
        vec![(job.enqueued_at, format!("pushed to queue {}", job.queue), String::new())];
    let failed = |error: &queue::JobError| {
        let what = format!("attempt {}: {}", error.attempt, error.state);
        (error.at, what, error.message.clone())
    };
    entries.extend(job.errors.iter().map(failed));
    if let Some(at) = job.started_at {
        entries.push((at, format!("attempt {} was begun", job.attempt), String::new()));
    }
    if let Some(at) = job.finished_at {
        entries.push((at, format!("ended: {}", job.state), String::new()));
    }
    let due = match job.state {
        State::Scheduled | State::Retryable => "becomes available",
        State::Available => "available since",
        State::Executing => "lease ends, unless the worker is heard of",
        State::Completed | State::Discarded | State::Cancelled => "is deleted",
    };
    entries.push((job.due_at, due.to_owned(), String::new()));
    entries.sort_by_key(|(at, ..)| *at);
    let entry = |(at, what, detail)| Entry { at: When::new(app, at), what, detail };
    entries.into_iter().map(entry).collect()
}
