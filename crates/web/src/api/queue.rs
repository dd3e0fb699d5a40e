//! The queue monitor's data, and steering queues and jobs.

use app::App;
use app::access::Caller;
use app::queues::{self, COUNTED, Deed};
use app::work::{self, Work, WorkAt};
use axum::Json;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use queue::{
    BatchId, BatchProgress, FailureGroup, Filter, JobId, JobRecord, PageRequest, QueueDepth, Selection,
    State as JobState, SupervisorRecord,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::body::JsonBody;
use crate::query::{Cursor, Limit, Page, Paging, Query};
use crate::server::Web;

/// The most that a body may have.
const LIMIT: usize = 256 * 1024;

/// `GET /api/queues`: none counts more than 10,000 jobs of a state.
pub(crate) async fn queues(State(web): State<Web>) -> Result<Json<Page<QueueDepth>>, ApiError> {
    let depths = web.app.queue().depths(Some(COUNTED)).await.map_err(app::Error::from)?;
    Ok(Json(Page { data: depths, next: None }))
}

/// Whether a queue hands out jobs.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Steered {
    /// The queue.
    queue: String,
    /// Whether it holds its jobs back.
    paused: bool,
}

/// `POST /api/queues/{queue}/pause`
pub(crate) async fn pause(
    State(web): State<Web>,
    By(caller): By,
    Path(queue): Path<String>,
) -> Result<Json<Steered>, ApiError> {
    queues::pause_queue(&web.app, &caller.actor, &queue).await?;
    Ok(Json(Steered { queue, paused: true }))
}

/// `POST /api/queues/{queue}/continue`
pub(crate) async fn resume(
    State(web): State<Web>,
    By(caller): By,
    Path(queue): Path<String>,
) -> Result<Json<Steered>, ApiError> {
    queues::continue_queue(&web.app, &caller.actor, &queue).await?;
    Ok(Json(Steered { queue, paused: false }))
}

/// Which jobs a list shows. Texts are found anywhere in the field, whatever their case.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// In this state.
    state: Option<JobState>,
    /// In this queue.
    queue: Option<String>,
    /// Of this kind.
    kind: Option<String>,
    /// With this tag.
    tag: Option<String>,
    /// In this batch.
    batch: Option<BatchId>,
    /// With this text in the arguments.
    args: Option<String>,
    /// With this text in an error; `#` stands for a number.
    error: Option<String>,
    #[serde(default)]
    #[schemars(with = "Option<Limit>")]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// `GET /api/jobs`
pub(crate) async fn list(
    State(web): State<Web>,
    Query(listed): Query<Listed>,
) -> Result<Json<Page<JobRecord>>, ApiError> {
    let (filter, request) = listed.parts()?;
    Ok(Json(page_of(&web.app, filter, request).await?))
}

impl Listed {
    /// Which jobs, and which part of their list.
    pub(crate) fn parts(self) -> Result<(Filter, PageRequest), ApiError> {
        let Listed { state, queue, kind, tag, batch, args, error, limit, cursor } = self;
        let after = cursor.map(|cursor| cursor.parse::<queue::Cursor>()).transpose()?;
        let request = PageRequest { after, limit: limit.0 as usize };
        Ok((Filter { state, queue, kind, tag, batch, args, error }, request))
    }
}

/// A part of the list of jobs.
pub(crate) async fn page_of(
    app: &App,
    filter: Filter,
    request: PageRequest,
) -> Result<Page<JobRecord>, ApiError> {
    let page = app.queue().list(filter, request).await.map_err(app::Error::from)?;
    let next = page.next.map(|next| Cursor::encode(&next.to_string()));
    Ok(Page { data: page.jobs, next })
}

/// `GET /api/jobs/{id}`: with its errors.
pub(crate) async fn show(State(web): State<Web>, Path(id): Path<i64>) -> Result<Json<JobRecord>, ApiError> {
    let found = web.app.queue().find(JobId(id)).await.map_err(app::Error::from)?;
    found.map(Json).ok_or_else(|| ApiError::Missing { what: "job", name: id.to_string() })
}

/// `GET /api/failures`: what fails, grouped by error, the most frequent first.
pub(crate) async fn failures(State(web): State<Web>) -> Result<Json<Page<FailureGroup>>, ApiError> {
    let groups = web.app.queue().failure_groups().await.map_err(app::Error::from)?;
    Ok(Json(Page { data: groups, next: None }))
}

/// Which jobs are meant: some by their ids, or all that match.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Meant {
    /// These.
    ids: Option<Vec<JobId>>,
    /// All that match; it must narrow the choice.
    filter: Option<Filter>,
}

impl Meant {
    fn selection(self) -> Result<Selection, ApiError> {
        match (self.ids, self.filter) {
            (Some(ids), None) => Ok(Selection::Ids(ids)),
            // A filter that chooses everything is more likely a slip than a wish.
            (None, Some(filter)) if filter != Filter::default() => Ok(Selection::Matching(filter)),
            _ => Err(ApiError::wrong("/filter", "name `ids`, or a `filter` that narrows the choice")),
        }
    }
}

/// How many jobs were changed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Changed {
    /// Jobs.
    changed: usize,
}

async fn change(app: &App, caller: &Caller, deed: Deed, jobs: Selection) -> Result<Json<Changed>, ApiError> {
    let changed = queues::change(app, &caller.actor, deed, jobs).await?;
    Ok(Json(Changed { changed }))
}

/// `POST /api/jobs/retry`
pub(crate) async fn retry_all(
    State(web): State<Web>,
    By(caller): By,
    JsonBody(meant): JsonBody<Meant, LIMIT>,
) -> Result<Json<Changed>, ApiError> {
    change(&web.app, &caller, Deed::Retry, meant.selection()?).await
}

/// `POST /api/jobs/cancel`
pub(crate) async fn cancel_all(
    State(web): State<Web>,
    By(caller): By,
    JsonBody(meant): JsonBody<Meant, LIMIT>,
) -> Result<Json<Changed>, ApiError> {
    change(&web.app, &caller, Deed::Cancel, meant.selection()?).await
}

async fn change_one(web: &Web, caller: &Caller, deed: Deed, id: i64) -> Result<Json<Changed>, ApiError> {
    if web.app.queue().find(JobId(id)).await.map_err(app::Error::from)?.is_none() {
        return Err(ApiError::Missing { what: "job", name: id.to_string() });
    }
    change(&web.app, caller, deed, Selection::Ids(vec![JobId(id)])).await
}

/// `POST /api/jobs/{id}/retry`
pub(crate) async fn retry(
    State(web): State<Web>,
    By(caller): By,
    Path(id): Path<i64>,
) -> Result<Json<Changed>, ApiError> {
    change_one(&web, &caller, Deed::Retry, id).await
}

/// `POST /api/jobs/{id}/cancel`
pub(crate) async fn cancel(
    State(web): State<Web>,
    By(caller): By,
    Path(id): Path<i64>,
) -> Result<Json<Changed>, ApiError> {
    change_one(&web, &caller, Deed::Cancel, id).await
}

/// `DELETE /api/jobs/{id}`
pub(crate) async fn forget(
    State(web): State<Web>,
    By(caller): By,
    Path(id): Path<i64>,
) -> Result<Json<Changed>, ApiError> {
    change_one(&web, &caller, Deed::Delete, id).await
}

/// `GET /api/batches`: newest first.
pub(crate) async fn batches(
    State(web): State<Web>,
    Query(Paging { limit, cursor }): Query<Paging>,
) -> Result<Json<Page<BatchProgress>>, ApiError> {
    let before = cursor.map(|cursor| cursor.parse().map(BatchId)).transpose()?;
    let found = web.app.queue().batches(before, limit.and_one() as usize).await.map_err(app::Error::from)?;
    Ok(Json(Page::of(found, limit, |batch| batch.id.to_string())))
}

/// `GET /api/batches/{id}`
pub(crate) async fn batch(
    State(web): State<Web>,
    Path(id): Path<i64>,
) -> Result<Json<BatchProgress>, ApiError> {
    let found = web.app.queue().batch(BatchId(id)).await.map_err(app::Error::from)?;
    found.map(Json).ok_or_else(|| ApiError::Missing { what: "batch", name: id.to_string() })
}

/// By what figures are told, and how far back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    /// How long each is that figures are told of.
    #[serde(default)]
    per: Per,
    /// How far back: 1 to 24 by minute, 1 to 720 by hour; 1 or 24, where it is not told.
    hours: Option<u16>,
}

/// The length of what each figure is of.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Per {
    /// Kept for a day.
    #[default]
    Minute,
    /// Kept for 30 days.
    Hour,
}

/// What a queue did.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Metrics {
    /// The queue.
    queue: String,
    /// How long each is that figures are told of.
    per: Per,
    /// Since when.
    from: Timestamp,
    /// Over the whole time, by kind of job.
    total: Vec<Work>,
    /// By minute or hour and kind, oldest first; those without jobs are left out.
    data: Vec<WorkAt>,
}

/// `GET /api/queues/{queue}/metrics`: throughput, waits and run times. The last hour by minute, where nothing else is told.
pub(crate) async fn metrics(
    State(web): State<Web>,
    Path(queue): Path<String>,
    Query(Span { per, hours }): Query<Span>,
) -> Result<Json<Metrics>, ApiError> {
    queues::check_name(&web.app, &queue)?;
    let (span, most, usual) = match per {
        Per::Minute => (queue::metrics::Span::Minute, 24, 1),
        Per::Hour => (queue::metrics::Span::Hour, 720, 24),
    };
    let hours = hours.unwrap_or(usual);
    if !(1..=most).contains(&hours) {
        let detail = format!("figures of this length are kept for {most} hours; name 1 to {most}");
        return Err(ApiError::wrong("?hours", detail));
    }
    let back = SignedDuration::from_hours(i64::from(hours));
    let from = span.start(web.app.now().saturating_sub(back).unwrap_or(Timestamp::MIN));
    let data = work::series(&web.app, &queue, span, from).await?;
    let mut total = work::total(&web.app, span, from).await?;
    total.retain(|work| work.queue == queue);
    Ok(Json(Metrics { queue, per, from, total, data }))
}

/// `GET /api/workers`: the supervisors of all processes that have been heard of lately.
pub(crate) async fn workers(State(web): State<Web>) -> Result<Json<Page<SupervisorRecord>>, ApiError> {
    let supervisors = web.app.queue().supervisors().await.map_err(app::Error::from)?;
    Ok(Json(Page { data: supervisors, next: None }))
}
