//! Imports: how they stand, and steering those that run.

use app::imports::{self as cases, DryRun, Started, Status};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::ImportId;
use serde::{Deserialize, Serialize};

use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::form::{Form, Received};
use crate::idempotent::KEY;
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

/// How a file is to be taken.
#[derive(Deserialize)]
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
#[derive(Serialize)]
#[serde(untagged)]
enum Taken {
    Import {
        #[serde(flatten)]
        status: Box<Status>,
        /// `new`, `resumed`, or `done` where the same file was imported before and nothing was done.
        outcome: &'static str,
    },
    DryRun(DryRun),
}

/// `POST /api/orders/import`: a form with `file`, and before or after it `options` as JSON. The file goes to disk as it
/// comes. 202, because workers import it.
pub(crate) async fn start(
    State(web): State<Web>,
    By(caller): By,
    Query(Terms { dry_run, force }): Query<Terms>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, ApiError> {
    if headers.contains_key(KEY) {
        return Err(ApiError::BadKey(
            "is not looked at here; the same file is imported once without it".to_owned(),
        ));
    }
    let Received { upload, name, options } = form.receive(&web.app).await?;
    if dry_run {
        let told = upload.dry_run(&web.app, options).await?;
        return Ok(Json(Taken::DryRun(told)).into_response());
    }
    let started = upload.import(&web.app, &caller.actor, name, options, force).await?;
    let (id, status, outcome) = match started {
        Started::New(id) => (id, StatusCode::ACCEPTED, "new"),
        Started::Resumed(id) => (id, StatusCode::ACCEPTED, "resumed"),
        Started::Done(import) => (import.id, StatusCode::OK, "done"),
    };
    let import = Box::new(cases::status(&web.app, id).await?);
    let address = [(header::LOCATION, format!("/api/imports/{id}"))];
    Ok((status, address, Json(Taken::Import { status: import, outcome })).into_response())
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
