//! The API: one file per noun.

pub(crate) mod webhooks;

use axum::Router;
use axum::routing::post;

use crate::server::Web;

/// Everything under `/api`.
pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/webhooks/payments", post(webhooks::receive))
}
