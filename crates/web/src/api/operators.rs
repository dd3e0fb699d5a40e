//! The operators' log.

use app::access;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use store::operator_actions::RecordedAction;

use crate::ApiError;
use crate::query::{Cursor, Limit, Page, Query};
use crate::server::Web;

/// Which actions a list shows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

/// `GET /api/operator-actions`: newest first.
pub(crate) async fn list(
    State(web): State<Web>,
    Query(Listed { limit, cursor }): Query<Listed>,
) -> Result<Json<Page<RecordedAction>>, ApiError> {
    let before = cursor.map(|cursor| cursor.parse()).transpose()?;
    let found = access::actions(&web.app, before, limit.and_one()).await?;
    Ok(Json(Page::of(found, limit, |action| action.id.to_string())))
}
