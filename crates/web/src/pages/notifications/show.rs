//! A notification with its words as they were sent.

use app::notifications::{self as cases, FailureRow, NotificationView};
use app::{App, orders};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use domain::{NotificationId, NotificationStatus};

use super::framed;
use crate::ApiError;
use crate::access::SignedIn;
use crate::address::Path;
use crate::headers::FRAMES;
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, When};
use crate::pages::{NOTIFICATIONS, page};
use crate::server::Web;

#[derive(Template)]
#[template(path = "notifications/show.html")]
struct NotificationPage<'p> {
    frame: Frame<'p>,
    view: NotificationView,
    order_name: String,
    kind: String,
    status: Badge,
    next: &'static str,
    recorded: When,
    sent: Option<When>,
    failures: Vec<Failure>,
}

impl NotificationPage<'_> {
    fn can_be_resent(&self) -> bool {
        self.frame.operates() && self.view.notification.status.is_final()
    }
}

/// An attempt that did not succeed.
struct Failure {
    attempt: i64,
    started: When,
    outcome: Badge,
    error: String,
}

/// `GET /notifications/{id}`
pub(in crate::pages) async fn show(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    Path(id): Path<NotificationId>,
) -> Result<Response, ApiError> {
    let app = &web.app;
    let view = cases::view(app, id).await?;
    let one = &view.notification;
    let order_name = orders::names(app, [one.order]).await?.remove(&one.order).unwrap_or_default();
    let shown = page(
        StatusCode::OK,
        &NotificationPage {
            frame: Frame::new(app, &session, NOTIFICATIONS),
            order_name,
            kind: one.kind.as_str().replace('_', " "),
            status: Badge::new(one.status.as_str()),
            next: next(one.status),
            recorded: When::new(app, one.created_at),
            sent: one.sent_at.map(|at| When::new(app, at)),
            failures: view.failures.iter().map(|failure| Failure::new(app, failure)).collect(),
            view,
        },
    )?;
    Ok((FRAMES, shown).into_response())
}

/// `GET /notifications/{id}/html`: what the customer's mail program was given.
pub(in crate::pages) async fn html(
    State(web): State<Web>,
    Path(id): Path<NotificationId>,
) -> Result<Response, ApiError> {
    let html = cases::view(&web.app, id).await?.html;
    let none = || ApiError::Missing { what: "HTML of notification", name: id.to_string() };
    html.map(framed).ok_or_else(none)
}

/// What becomes of it.
fn next(status: NotificationStatus) -> &'static str {
    match status {
        NotificationStatus::Queued => "A worker writes and sends it next.",
        NotificationStatus::Sending => {
            "A worker is sending it, or was when it stopped; it is tried again then."
        }
        NotificationStatus::Sent => "It was handed over. Nothing is left to do.",
        NotificationStatus::Skipped => "It was not sent, on purpose; the remark below says why.",
        NotificationStatus::Failed => "It was given up. Once the cause is mended it can be sent again.",
        NotificationStatus::Unknown => {
            "Nobody knows whether it arrived: the answer to the last attempt is missing. Sending it again may tell the \
             customer twice."
        }
    }
}

impl Failure {
    fn new(app: &App, failure: &FailureRow) -> Self {
        Failure {
            attempt: failure.attempt,
            started: When::new(app, failure.started_at),
            outcome: Badge::new(&failure.outcome),
            error: failure.error.clone().unwrap_or_default(),
        }
    }
}
