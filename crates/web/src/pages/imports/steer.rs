//! Pausing an import, going on with it, and ending it.

use app::imports as cases;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::ImportId;
use serde::Deserialize;

use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::address::Path;
use crate::pages::frame::Frame;
use crate::pages::words::number;
use crate::pages::{IMPORTS, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "imports/cancel.html")]
struct CancelPage<'p> {
    frame: Frame<'p>,
    id: ImportId,
    file: String,
    status: &'static str,
    can_cancel: bool,
    imported: String,
    rejected: String,
    left: String,
}

/// A form without fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Nothing {}

/// `POST /imports/{id}/pause`
pub(in crate::pages) async fn pause(
    State(web): State<Web>,
    Path(id): Path<ImportId>,
    SignedForm { session, .. }: SignedForm<Nothing>,
) -> Result<Response, ApiError> {
    cases::pause(&web.app, &session.caller.actor, id).await?;
    Ok(to(id))
}

/// `POST /imports/{id}/continue`
pub(in crate::pages) async fn resume(
    State(web): State<Web>,
    Path(id): Path<ImportId>,
    SignedForm { session, .. }: SignedForm<Nothing>,
) -> Result<Response, ApiError> {
    cases::resume(&web.app, &session.caller.actor, id).await?;
    Ok(to(id))
}

/// `GET /imports/{id}/cancel`: what would be ended, and what stays.
pub(in crate::pages) async fn ask_to_cancel(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(id): Path<ImportId>,
) -> Result<Response, ApiError> {
    let status = cases::status(&web.app, id).await?;
    let counts = status.progress.counts;
    page(
        StatusCode::OK,
        &CancelPage {
            frame: Frame::new(&web.app, &session, IMPORTS),
            id,
            file: status.import.file_name,
            status: status.import.status.as_str(),
            can_cancel: status.import.status.can_cancel(),
            imported: number(counts.orders_imported),
            rejected: number(counts.rows_rejected),
            left: number(status.rows_not_reached),
        },
    )
}

/// `POST /imports/{id}/cancel`
pub(in crate::pages) async fn cancel(
    State(web): State<Web>,
    Path(id): Path<ImportId>,
    SignedForm { session, .. }: SignedForm<Nothing>,
) -> Result<Response, ApiError> {
    cases::cancel(&web.app, &session.caller.actor, id).await?;
    Ok(to(id))
}

fn to(id: ImportId) -> Response {
    Redirect::to(&format!("{IMPORTS}/{id}")).into_response()
}
