//! Imports: how they stand, and steering those that run.

use app::imports::{self as cases, DryRun, ImportOptions, Origin, Reject, Started, Status};
use app::{Actor, App};
use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::ImportId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::body::{JsonBody, says_json};
use crate::form::{Form, Received};
use crate::idempotent::KEY;
use crate::openapi::{Argument, Operation};
use crate::problem::kinds;
use crate::query::{Page, Paging, Query};
use crate::server::Web;

/// `GET /api/imports`: newest first.
pub(crate) async fn list(
    State(web): State<Web>,
    Query(Paging { limit, cursor }): Query<Paging>,
) -> Result<Json<Page<Status>>, ApiError> {
    let before = cursor.map(|cursor| cursor.parse()).transpose()?;
    let found = cases::list(&web.app, before, limit.and_one()).await?;
    Ok(Json(Page::of(found, limit, |status| status.import.id.to_string())))
}

/// `GET /api/imports/{id}`
pub(crate) async fn show(State(web): State<Web>, Path(id): Path<ImportId>) -> Result<Json<Status>, ApiError> {
    Ok(Json(cases::status(&web.app, id).await?))
}

/// Rejected rows that a dry run lists.
const REJECTS_SHOWN: usize = 100;

/// How a file is to be taken.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Terms {
    /// Nothing is imported; only what would come of it is told.
    #[serde(default)]
    dry_run: bool,
    /// It is imported although the same file was before.
    #[serde(default)]
    force: bool,
}

/// What came of a file.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Taken {
    /// The import.
    Import {
        #[serde(flatten)]
        status: Box<Status>,
        /// `new`, `resumed`, or `done` where the same file was imported before and nothing was done.
        outcome: &'static str,
    },
    /// What it would do.
    DryRun {
        #[serde(flatten)]
        told: DryRun,
        /// The first rows that would be rejected; `rows_rejected` tells how many in all.
        rejects: Vec<Reject>,
    },
}

/// The most that a request may have that only names a file.
const NAMED_LIMIT: usize = 256 * 1024;

/// A file to be fetched: one of the two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// A file of a folder.
    path: Option<String>,
    /// An object of a store.
    url: Option<String>,
    /// How it is to be taken.
    #[serde(default)]
    options: ImportOptions,
}

/// A file that is sent, or one that is only named.
pub(crate) enum File {
    Sent(Form),
    Named(Named),
}

impl<S: Send + Sync> FromRequest<S> for File {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if says_json(request.headers()) == Some(true) {
            let JsonBody(named) = JsonBody::<Named, NAMED_LIMIT>::from_request(request, state).await?;
            return Ok(File::Named(named));
        }
        Form::from_request(request, state).await.map(File::Sent)
    }
}

/// What a dry run tells, with the first of its rejects.
fn tried(mut told: DryRun) -> Taken {
    let mut rejects = std::mem::take(&mut told.rejects);
    rejects.truncate(REJECTS_SHOWN);
    Taken::DryRun { told, rejects }
}

impl Argument for File {
    fn describe(operation: &mut Operation<'_>) {
        Form::describe(operation);
        JsonBody::<Named, NAMED_LIMIT>::describe(operation);
    }
}

/// `POST /api/orders/import`: a form with `file`, and before or after it `options` as JSON; or JSON with `path` or `url`, and
/// `options`. A file that is sent goes to disk as it comes, one that is named is fetched by workers. 202, because workers
/// import it.
pub(crate) async fn start(
    State(web): State<Web>,
    By(caller): By,
    Query(terms): Query<Terms>,
    headers: HeaderMap,
    file: File,
) -> Result<Response, ApiError> {
    if headers.contains_key(KEY) {
        return Err(ApiError::BadKey(
            "is not looked at here; the same file is imported once without it".to_owned(),
        ));
    }
    let taken = match file {
        File::Sent(form) => take(&web.app, &caller.actor, form, &terms).await?,
        File::Named(named) => fetch(&web.app, &caller.actor, named, &terms).await?,
    };
    let started = match taken {
        Ok(started) => started,
        Err(told) => return Ok(Json(tried(told)).into_response()),
    };
    let (id, status, outcome) = match started {
        Started::New(id) => (id, StatusCode::ACCEPTED, "new"),
        Started::Resumed(id) => (id, StatusCode::ACCEPTED, "resumed"),
        Started::Done(import) => (import.id, StatusCode::OK, "done"),
    };
    let import = Box::new(cases::status(&web.app, id).await?);
    let address = [(header::LOCATION, format!("/api/imports/{id}"))];
    Ok((status, address, Json(Taken::Import { status: import, outcome })).into_response())
}

/// What came of a file: an import, or what its import would do.
type Outcome = Result<Started, DryRun>;

async fn take(app: &App, who: &Actor, form: Form, terms: &Terms) -> Result<Outcome, ApiError> {
    let Received { upload, name, options } = form.receive(app).await?;
    if terms.dry_run {
        return Ok(Err(upload.dry_run(app, options).await?));
    }
    Ok(Ok(upload.import(app, who, name, options, terms.force).await?))
}

async fn fetch(app: &App, who: &Actor, named: Named, terms: &Terms) -> Result<Outcome, ApiError> {
    let settings = app.config().imports.clone();
    let (pointer, origin) = match (named.path, named.url) {
        (Some(path), None) => {
            // A folder may be far away.
            let look = move || Origin::path(&settings, &path);
            let looked = tokio::task::spawn_blocking(look).await;
            ("/path", looked.map_err(|error| app::Error::Internal(error.to_string()))?)
        }
        (None, Some(url)) => ("/url", Origin::url(&settings, &url)),
        _ => return Err(ApiError::wrong("", "the file is named by either `path` or `url`")),
    };
    let origin = origin.map_err(|refused| ApiError::wrong(pointer, refused))?;
    if terms.dry_run {
        let told = cases::dry_run_of(app, &origin, named.options).await;
        return told.map(Err).map_err(|error| match error {
            app::Error::Fetch { reason, passing: false } => ApiError::wrong(pointer, reason),
            error => error.into(),
        });
    }
    Ok(Ok(cases::fetch(app, who, origin, named.options, terms.force).await?))
}

/// Says what sending a file answers.
pub(crate) fn started(operation: &mut Operation<'_>) {
    operation
        .says("The file goes to disk as it comes, and workers import it. The same file is imported once, without an `Idempotency-Key`.")
        .answers::<Taken>(StatusCode::ACCEPTED, "The import, which workers go on with.")
        .answers::<Taken>(StatusCode::OK, "The file was imported before, or this was a dry run.")
        .carries("location", false, "The address of the import.")
        .refuses(&[kinds::BAD_IDEMPOTENCY_KEY, kinds::REFUSED, kinds::DISK_FULL]);
}

/// Says what the rejects look like.
pub(crate) fn rejected(operation: &mut Operation<'_>) {
    let file = json!({ "type": "string" });
    let description = "The rows with the columns of their file, each with why; to be corrected and sent.";
    operation
        .answers_as(StatusCode::OK, "text/csv; charset=utf-8", description, file)
        .refuses(&[kinds::DISK_FULL]);
}

/// Says what steering an import can meet.
pub(crate) fn steered(operation: &mut Operation<'_>) {
    operation.refuses(&[kinds::REFUSED, kinds::DISK_FULL]);
}

/// `GET /api/imports/{id}/rejects.csv`: the rows that were not imported, to be corrected and imported again.
pub(crate) async fn rejects(State(web): State<Web>, Path(id): Path<ImportId>) -> Result<Response, ApiError> {
    let file =
        crate::stream::spill(async |out| cases::write_rejects(&web.app, id, out).await.map(drop)).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"rejects-{id}.csv\"")),
    ];
    Ok((headers, file).into_response())
}

/// `POST /api/imports/{id}/pause`
pub(crate) async fn pause(
    web: State<Web>,
    By(caller): By,
    id: Path<ImportId>,
) -> Result<Json<Status>, ApiError> {
    cases::pause(&web.app, &caller.actor, id.0).await?;
    show(web, id).await
}

/// `POST /api/imports/{id}/continue`
pub(crate) async fn resume(
    web: State<Web>,
    By(caller): By,
    id: Path<ImportId>,
) -> Result<Json<Status>, ApiError> {
    cases::resume(&web.app, &caller.actor, id.0).await?;
    show(web, id).await
}

/// `POST /api/imports/{id}/cancel`
pub(crate) async fn cancel(
    web: State<Web>,
    By(caller): By,
    id: Path<ImportId>,
) -> Result<Json<Status>, ApiError> {
    cases::cancel(&web.app, &caller.actor, id.0).await?;
    show(web, id).await
}
