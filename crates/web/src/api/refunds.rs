//! Refunds: asked for, and seen.

use app::App;
use app::refunds::{self as cases, Asked, RefundView, Request, Restock};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use domain::{Label, OrderId, RefundId, RefundRequest, RefundStatus};
use schemars::JsonSchema;
use serde::Deserialize;
use sql::Tx;
use store::Part;

use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::body::JsonBody;
use crate::idempotent::{RequiredKey, marked};
use crate::openapi::Operation;
use crate::problem::kinds;
use crate::query::{Cursor, Limit, Page, Query};
use crate::server::Web;

/// The most that a body may have.
const LIMIT: usize = 256 * 1024;

/// What is to go back: an amount, units of lines, or, with neither, all that is left.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundBody {
    /// Of which order.
    order_id: OrderId,
    /// Minor units of the order's currency.
    amount: Option<i64>,
    /// Units of these lines.
    lines: Option<Vec<RefundedBody>>,
    /// Minor units of shipping that go back with the lines.
    shipping: Option<i64>,
    /// Whether goods come back into stock, where a line does not say it.
    #[serde(default = "crate::body::yes")]
    restock: bool,
    /// Why.
    reason: Option<Label>,
}

/// Units of a line that go back.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundedBody {
    /// The line's number, from 1.
    line_no: i64,
    /// How many.
    quantity: i64,
    /// Whether they come back into stock.
    restock: Option<bool>,
}

impl RefundBody {
    fn restock(&self) -> Restock {
        let lines = self.lines.as_deref().unwrap_or_default();
        if lines.iter().all(|line| line.restock.is_none()) {
            return self.restock.into();
        }
        let back = lines.iter().filter(|line| line.restock.unwrap_or(self.restock));
        Restock::Lines(back.map(|line| line.line_no).collect())
    }

    fn what(&self) -> Result<RefundRequest, ApiError> {
        match (self.amount, &self.lines, self.shipping) {
            (Some(_), Some(_), _) => Err(ApiError::wrong("/lines", "name an amount or lines, not both")),
            (_, None, Some(_)) => {
                Err(ApiError::wrong("/shipping", "shipping goes back with lines; name them"))
            }
            (Some(amount), None, None) => Ok(RefundRequest::Amount(amount)),
            (None, None, None) => Ok(RefundRequest::All),
            (None, Some(lines), shipping) => Ok(RefundRequest::Lines {
                lines: lines.iter().map(|line| (line.line_no, line.quantity)).collect(),
                shipping: shipping.unwrap_or_default(),
            }),
        }
    }
}

/// `POST /api/refunds`: 202, because workers pay it back.
pub(crate) async fn request(
    State(web): State<Web>,
    By(caller): By,
    RequiredKey(key): RequiredKey,
    JsonBody(body): JsonBody<RefundBody, LIMIT>,
) -> Result<Response, ApiError> {
    let request = Request {
        order: body.order_id,
        key,
        what: body.what()?,
        restock: body.restock(),
        reason: body.reason.map(String::from),
    };
    let Asked { refund, replayed } = cases::request(&web.app, &caller.actor, request).await?;
    Ok(marked(replayed, (StatusCode::ACCEPTED, Json(RefundView::from(refund))).into_response()))
}

/// Which refunds a list shows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// Only those of this order.
    order: Option<OrderId>,
    /// Only those that stand so.
    status: Option<RefundStatus>,
    #[serde(default)]
    #[schemars(with = "Option<Limit>")]
    limit: Limit,
    cursor: Option<Cursor>,
}

impl Listed {
    /// The refunds that it shows.
    pub(crate) async fn read(self, app: &App) -> Result<Page<RefundView>, ApiError> {
        let Listed { order, status, limit, cursor } = self;
        let before = cursor.map(|cursor| cursor.parse()).transpose()?;
        let read = move |tx: &mut Tx<'_>| -> app::Result<_> {
            Ok(store::refunds::search(tx, order, status, before, limit.0)?)
        };
        let Part { rows, next } = app.read("list_refunds", read).await?;
        Ok(Page::of_part(Part { rows: rows.into_iter().map(RefundView::from).collect(), next }))
    }
}

/// `GET /api/refunds`: newest first.
pub(crate) async fn list(
    State(web): State<Web>,
    Query(listed): Query<Listed>,
) -> Result<Json<Page<RefundView>>, ApiError> {
    Ok(Json(listed.read(&web.app).await?))
}

/// Says what asking for a refund answers.
pub(crate) fn requested(operation: &mut Operation<'_>) {
    operation
        .says("An amount, or units of lines with or without shipping, or, with neither, all that is left. Workers pay it back.")
        .answers::<RefundView>(StatusCode::ACCEPTED, "The refund as it stands.")
        .refuses(&[kinds::NOT_FOUND, kinds::REFUND_REFUSED, kinds::REFUSED, kinds::DISK_FULL]);
}

/// `GET /api/refunds/{id}`
pub(crate) async fn show(
    State(web): State<Web>,
    Path(id): Path<RefundId>,
) -> Result<Json<RefundView>, ApiError> {
    Ok(Json(cases::get(&web.app, id).await?))
}
