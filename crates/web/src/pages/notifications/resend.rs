//! Telling a customer the same again.

use app::idempotency::Answer;
use app::notifications::{self as cases, Notification};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{IdempotencyKey, NotificationId};
use serde::Deserialize;

use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::address::Path;
use crate::pages::frame::Frame;
use crate::pages::once::{fresh_key, keyed};
use crate::pages::{NOTIFICATIONS, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "notifications/resend.html")]
struct ResendPage<'p> {
    frame: Frame<'p>,
    one: Notification,
    kind: String,
    key: String,
}

/// `GET /notifications/{id}/resend`: what would happen.
pub(in crate::pages) async fn ask(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(id): Path<NotificationId>,
) -> Result<Response, ApiError> {
    let one = cases::view(&web.app, id).await?.notification;
    let frame = Frame::new(&web.app, &session, NOTIFICATIONS);
    let kind = one.kind.as_str().replace('_', " ");
    page(StatusCode::OK, &ResendPage { frame, one, kind, key: fresh_key() })
}

/// What names the wish.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Wish {
    key: IdempotencyKey,
}

/// `POST /notifications/{id}/resend`: leads to the notification that workers send.
pub(in crate::pages) async fn resend(
    State(web): State<Web>,
    Path(id): Path<NotificationId>,
    SignedForm { session, fields: Wish { key } }: SignedForm<Wish>,
) -> Result<Response, ApiError> {
    let keyed = keyed(&session, key, &format!("{NOTIFICATIONS}/{id}/resend"), &[]);
    let Answer { result, .. } = cases::resend_once(&web.app, &session.caller.actor, id, Some(keyed)).await?;
    Ok(Redirect::to(&format!("{NOTIFICATIONS}/{}", result["id"])).into_response())
}
