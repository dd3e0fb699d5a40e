//! What customers were told.

use app::App;
use app::idempotency::Answer;
use app::notifications::{self as cases, History, Notification, NotificationView, ReceiverView, Which};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use domain::NotificationId;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::idempotent::{Key, marked};
use crate::openapi::Operation;
use crate::problem::kinds;
use crate::query::{Cursor, Limit, Page, Query};
use crate::server::Web;

/// Which notifications a list shows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// Only those of which some attempt did not succeed.
    #[serde(default)]
    troubled: bool,
    #[serde(default)]
    #[schemars(with = "Option<Limit>")]
    limit: Limit,
    cursor: Option<Cursor>,
}

impl Listed {
    /// The notifications that it shows.
    pub(crate) async fn read(self, app: &App) -> Result<Page<Notification>, ApiError> {
        let Listed { troubled, limit, cursor } = self;
        let which = if troubled { Which::Troubled } else { Which::All };
        let before = cursor.map(|cursor| cursor.parse()).transpose()?;
        let found = cases::history(app, History { which, before, limit: limit.and_one() }).await?;
        Ok(Page::of(found, limit, |one| one.id.to_string()))
    }
}

/// `GET /api/notifications`: newest first.
pub(crate) async fn list(
    State(web): State<Web>,
    Query(listed): Query<Listed>,
) -> Result<Json<Page<Notification>>, ApiError> {
    Ok(Json(listed.read(&web.app).await?))
}

/// `GET /api/notifications/{id}`: with its words.
pub(crate) async fn show(
    State(web): State<Web>,
    Path(id): Path<NotificationId>,
) -> Result<Json<NotificationView>, ApiError> {
    Ok(Json(cases::view(&web.app, id).await?))
}

/// `POST /api/notifications/{id}/resend`: 202, because workers send it.
pub(crate) async fn resend(
    State(web): State<Web>,
    By(caller): By,
    Path(id): Path<NotificationId>,
    key: Key,
) -> Result<Response, ApiError> {
    let address = format!("POST /api/notifications/{id}/resend");
    let keyed = key.of(&caller.actor, &address, &[]);
    let Answer { result, replayed } = cases::resend_once(&web.app, &caller.actor, id, keyed).await?;
    Ok(marked(replayed, (StatusCode::ACCEPTED, Json(result)).into_response()))
}

/// `GET /api/notifications/webhook`: how the shop's own receiver does.
pub(crate) async fn receiver(State(web): State<Web>) -> Result<Json<ReceiverView>, ApiError> {
    let receiver = cases::receiver(&web.app).await?;
    let off = || ApiError::Missing { what: "receiver of webhooks:", name: "that channel is off".to_owned() };
    receiver.map(Json).ok_or_else(off)
}

/// `POST /api/notifications/webhook/enable`: calls it again.
pub(crate) async fn enable(State(web): State<Web>, By(caller): By) -> Result<Json<ReceiverView>, ApiError> {
    Ok(Json(cases::enable(&web.app, &caller.actor).await?))
}

/// Says what asking for the receiver can meet.
pub(crate) fn received(operation: &mut Operation<'_>) {
    operation.refuses(&[kinds::NOT_FOUND]);
}

/// Says what calling the receiver again can meet.
pub(crate) fn enabled(operation: &mut Operation<'_>) {
    operation.refuses(&[kinds::NOT_FOUND, kinds::REFUSED, kinds::DISK_FULL]);
}

/// Says what sending again answers.
pub(crate) fn resent(operation: &mut Operation<'_>) {
    operation
        .answers::<Notification>(StatusCode::ACCEPTED, "The notification that workers send.")
        .refuses(&[kinds::REFUSED, kinds::DISK_FULL]);
}
