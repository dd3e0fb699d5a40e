//! What the payment gateway sent, and what was done about each delivery.

use std::collections::HashMap;

use app::{App, orders};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{OrderId, Verdict};
use store::webhooks::DeliveryRow;

use super::asked::{Asked, Filled};
use super::frame::Frame;
use super::parts::{Badge, Choice, Pager, When};
use super::{WEBHOOKS, page};
use crate::ApiError;
use crate::access::SignedIn;
use crate::api::webhooks::Listed;
use crate::query::Page;
use crate::server::Web;

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage<'p> {
    frame: Frame<'p>,
    verdicts: Vec<Choice>,
    rows: Vec<Row>,
    pager: Pager,
    filled: Filled,
}

struct Row {
    id: i64,
    received: When,
    verdict: Badge,
    kind: String,
    order: Option<(i64, String)>,
    reason: String,
    event: String,
}

/// `GET /webhooks`
pub(super) async fn list(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    asked: Asked<Listed>,
) -> Result<Response, ApiError> {
    let (listed, filled) = asked.parts();
    let Page { data, next } = listed.read(&web.app).await?;
    let about = data.iter().filter_map(|one| one.order_id).map(OrderId::from_ledger);
    let names = orders::names(&web.app, about).await?;
    page(
        StatusCode::OK,
        &WebhooksPage {
            frame: Frame::new(&web.app, &session, WEBHOOKS),
            verdicts: Choice::among(&filled, "verdict", Verdict::ALL.iter().map(|one| one.as_str())),
            rows: data.into_iter().map(|one| Row::new(&web.app, one, &names)).collect(),
            pager: Pager::new(WEBHOOKS, &filled, next.as_deref()),
            filled,
        },
    )
}

impl Row {
    fn new(app: &App, one: DeliveryRow, names: &HashMap<OrderId, String>) -> Self {
        let name = |id: i64| names.get(&OrderId::from_ledger(id)).cloned().unwrap_or_default();
        Row {
            id: one.id.get(),
            received: When::new(app, one.received_at),
            verdict: Badge::new(one.verdict.as_str()),
            kind: one.kind.unwrap_or_default(),
            order: one.order_id.map(|id| (id, name(id))),
            reason: one.reason.unwrap_or_default(),
            event: one.event.unwrap_or_default(),
        }
    }
}
