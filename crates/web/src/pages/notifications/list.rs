//! The history, how well each channel does, and how the shop's own receiver does.

use std::collections::HashMap;

use app::notifications::{self as cases, Notification, RATED, ReceiverView, SuccessRate};
use app::{App, orders};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::OrderId;
use serde::Deserialize;

use crate::ApiError;
use crate::access::{SignedForm, SignedIn};
use crate::api::notifications::Listed;
use crate::pages::asked::{Asked, Filled};
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, Pager, When};
use crate::pages::words::{number, percent};
use crate::pages::{NOTIFICATIONS, page};
use crate::query::Page;
use crate::server::Web;

#[derive(Template)]
#[template(path = "notifications/list.html")]
struct NotificationsPage<'p> {
    frame: Frame<'p>,
    /// Of how many of the newest the rates are.
    rated: String,
    rates: Vec<Rate>,
    receiver: Option<Receiver>,
    rows: Vec<Row>,
    pager: Pager,
    filled: Filled,
}

/// How well a channel does.
struct Rate {
    channel: &'static str,
    arrived: String,
    sent: String,
    failed: String,
    unknown: String,
}

/// The shop's own receiver of webhooks.
struct Receiver {
    view: ReceiverView,
    status: Badge,
    failing_since: Option<When>,
    disabled_at: Option<When>,
}

struct Row {
    id: i64,
    order: i64,
    order_name: String,
    kind: String,
    channel: &'static str,
    recipient: String,
    status: Badge,
    attempts: String,
    recorded: When,
    remark: String,
}

/// `GET /notifications`
pub(in crate::pages) async fn list(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    asked: Asked<Listed>,
) -> Result<Response, ApiError> {
    let (listed, filled) = asked.parts();
    let app = &web.app;
    let Page { data, next } = listed.read(app).await?;
    let names = orders::names(app, data.iter().map(|one| one.order)).await?;
    page(
        StatusCode::OK,
        &NotificationsPage {
            frame: Frame::new(app, &session, NOTIFICATIONS),
            rated: number(RATED.into()),
            rates: cases::success_rate(app).await?.iter().map(Rate::new).collect(),
            receiver: cases::receiver(app).await?.map(|view| Receiver::new(app, view)),
            rows: data.into_iter().map(|one| Row::new(app, one, &names)).collect(),
            pager: Pager::new(NOTIFICATIONS, &filled, next.as_deref()),
            filled,
        },
    )
}

/// A form without fields of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct Nothing {}

/// `POST /notifications/webhook/enable`
pub(in crate::pages) async fn enable(
    State(web): State<Web>,
    SignedForm { session, fields: Nothing {} }: SignedForm<Nothing>,
) -> Result<Response, ApiError> {
    cases::enable(&web.app, &session.caller.actor).await?;
    Ok(Redirect::to(NOTIFICATIONS).into_response())
}

impl Rate {
    fn new(rate: &SuccessRate) -> Self {
        Rate {
            channel: rate.channel.as_str(),
            arrived: rate.rate.map_or_else(|| "–".to_owned(), percent),
            sent: number(rate.sent),
            failed: number(rate.failed),
            unknown: number(rate.unknown),
        }
    }
}

impl Receiver {
    fn new(app: &App, view: ReceiverView) -> Self {
        Receiver {
            status: Badge::new(view.status),
            failing_since: view.failing_since.map(|at| When::new(app, at)),
            disabled_at: view.disabled_at.map(|at| When::new(app, at)),
            view,
        }
    }
}

impl Row {
    fn new(app: &App, one: Notification, names: &HashMap<OrderId, String>) -> Self {
        Row {
            id: one.id.get(),
            order: one.order.get(),
            order_name: names.get(&one.order).cloned().unwrap_or_default(),
            kind: one.kind.as_str().replace('_', " "),
            channel: one.channel.as_str(),
            remark: remark(&one),
            recipient: one.recipient,
            status: Badge::new(one.status.as_str()),
            attempts: number(one.attempts),
            recorded: When::new(app, one.created_at),
        }
    }
}

/// What else is to be known of it.
fn remark(one: &Notification) -> String {
    let duplicate = one.possible_duplicate.then(|| "may have arrived twice".to_owned());
    let resent = one.resend_of.map(|first| format!("again what {first} told"));
    [duplicate, resent, one.error.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
