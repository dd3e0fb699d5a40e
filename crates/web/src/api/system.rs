//! How everything stands.

use app::system::{self, System};
use axum::Json;
use axum::extract::State;

use crate::ApiError;
use crate::server::Web;

/// `GET /api/system`: what `ordermill status --json` shows.
pub(crate) async fn show(State(web): State<Web>) -> Result<Json<System>, ApiError> {
    Ok(Json(system::read(&web.app).await?))
}
