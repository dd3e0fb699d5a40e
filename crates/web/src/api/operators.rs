//! The operators' log.

use app::access;
use axum::Json;
use axum::extract::State;
use store::operator_actions::{RecordedAction, Search};

use crate::ApiError;
use crate::query::{Page, Paging, Query};
use crate::server::Web;

/// `GET /api/operator-actions`: newest first.
pub(crate) async fn list(
    State(web): State<Web>,
    Query(Paging { limit, cursor }): Query<Paging>,
) -> Result<Json<Page<RecordedAction>>, ApiError> {
    let before = cursor.map(|cursor| cursor.parse()).transpose()?;
    let search = Search { before, limit: limit.0, ..Search::default() };
    Ok(Json(Page::of_part(access::actions(&web.app, search).await?)))
}
