//! The operators' log.

use app::access;
use axum::Json;
use axum::extract::State;
use store::operator_actions::RecordedAction;

use crate::ApiError;
use crate::query::{Page, Paging, Query};
use crate::server::Web;

/// `GET /api/operator-actions`: newest first.
pub(crate) async fn list(
    State(web): State<Web>,
    Query(Paging { limit, cursor }): Query<Paging>,
) -> Result<Json<Page<RecordedAction>>, ApiError> {
    let before = cursor.map(|cursor| cursor.parse()).transpose()?;
    let found = access::actions(&web.app, before, limit.and_one()).await?;
    Ok(Json(Page::of(found, limit, |action| action.id.to_string())))
}
