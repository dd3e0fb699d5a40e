//! Finding refunds.

use std::collections::HashMap;

use app::refunds::RefundView;
use app::{App, orders};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{OrderId, RefundStatus};

use crate::ApiError;
use crate::access::SignedIn;
use crate::api::refunds::Listed;
use crate::pages::asked::{Asked, Filled};
use crate::pages::frame::Frame;
use crate::pages::parts::{Badge, Choice, Pager, When};
use crate::pages::words::priced;
use crate::pages::{REFUNDS, page};
use crate::query::Page;
use crate::server::Web;

#[derive(Template)]
#[template(path = "refunds/list.html")]
struct RefundsPage<'p> {
    frame: Frame<'p>,
    statuses: Vec<Choice>,
    rows: Vec<Row>,
    pager: Pager,
    filled: Filled,
}

struct Row {
    id: i64,
    order: i64,
    order_name: String,
    amount: String,
    status: Badge,
    cause: &'static str,
    reason: String,
    actor: String,
    requested: When,
}

/// `GET /refunds`
pub(in crate::pages) async fn list(
    State(web): State<Web>,
    SignedIn(session): SignedIn,
    asked: Asked<Listed>,
) -> Result<Response, ApiError> {
    let (listed, filled) = asked.parts();
    let Page { data, next } = listed.read(&web.app).await?;
    let names = orders::names(&web.app, data.iter().map(|refund| refund.order_id)).await?;
    page(
        StatusCode::OK,
        &RefundsPage {
            frame: Frame::new(&web.app, &session, REFUNDS),
            statuses: Choice::among(&filled, "status", RefundStatus::ALL.iter().map(|one| one.as_str())),
            rows: data.into_iter().map(|refund| Row::new(&web.app, refund, &names)).collect(),
            pager: Pager::new(REFUNDS, &filled, next.as_deref()),
            filled,
        },
    )
}

impl Row {
    fn new(app: &App, refund: RefundView, names: &HashMap<OrderId, String>) -> Self {
        Row {
            id: refund.id.get(),
            order: refund.order_id.get(),
            order_name: names.get(&refund.order_id).cloned().unwrap_or_default(),
            amount: priced(refund.amount),
            status: Badge::new(refund.status),
            cause: refund.cause,
            reason: refund.reason.or(refund.error).unwrap_or_default(),
            actor: refund.actor,
            requested: When::new(app, refund.requested_at),
        }
    }
}
