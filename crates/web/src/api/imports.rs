//! Imports: how they stand, and steering those that run.

use app::imports::{self as cases, Status};
use axum::Json;
use axum::extract::State;
use domain::ImportId;

use crate::ApiError;
use crate::address::Path;
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

/// `POST /api/imports/{id}/pause`
pub(crate) async fn pause(web: State<Web>, id: Path<ImportId>) -> Result<Json<Status>, ApiError> {
    cases::pause(&web.app, id.0).await?;
    show(web, id).await
}

/// `POST /api/imports/{id}/continue`
pub(crate) async fn resume(web: State<Web>, id: Path<ImportId>) -> Result<Json<Status>, ApiError> {
    cases::resume(&web.app, id.0).await?;
    show(web, id).await
}

/// `POST /api/imports/{id}/cancel`
pub(crate) async fn cancel(web: State<Web>, id: Path<ImportId>) -> Result<Json<Status>, ApiError> {
    cases::cancel(&web.app, id.0).await?;
    show(web, id).await
}
