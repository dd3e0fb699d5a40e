//! Whoever asks.

use app::access::sessions::Session;
use axum::{Extension, Json};
use domain::Role;
use schemars::JsonSchema;
use serde::Serialize;

use crate::ApiError;
use crate::access::By;

/// Who asks, and what they may do.
#[derive(Serialize, JsonSchema)]
pub(crate) struct SessionView {
    /// Who.
    actor: String,
    /// What they may do.
    role: Role,
    /// What a page sends along with whatever changes something; a token needs none.
    csrf_token: Option<String>,
}

/// `GET /api/session`
pub(crate) async fn show(
    By(caller): By,
    session: Option<Extension<Session>>,
) -> Result<Json<SessionView>, ApiError> {
    let csrf_token = session.map(|Extension(session)| session.csrf_token());
    Ok(Json(SessionView { actor: caller.actor.as_str().to_owned(), role: caller.role, csrf_token }))
}
