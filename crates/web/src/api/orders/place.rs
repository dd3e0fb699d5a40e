//! Placing an order.

use app::idempotency::Answer;
use app::orders::{self as cases, NewCustomer, NewOrder, NewOrderLine};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Currency, Email, ExternalId, Label, Quantity, Sku, SourceName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use store::orders::OrderView;

use super::{LIMIT, TAG, tagged};
use crate::ApiError;
use crate::access::By;
use crate::body::ExactJson;
use crate::idempotent::{Key, marked};
use crate::openapi::Operation;
use crate::problem::kinds;
use crate::server::Web;

/// An order to be placed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceBody {
    /// Half of its identity.
    source: SourceName,
    /// The other half: the same id twice is one order.
    external_id: ExternalId,
    /// Whose it is: an e-mail or an id of the source, or both.
    customer: CustomerBody,
    /// The currency of every amount.
    currency: Option<Currency>,
    /// When the customer placed it; now, where it is not told.
    placed_at: Option<Timestamp>,
    /// What was ordered: at least one line.
    lines: Vec<LineBody>,
    /// Minor units.
    #[serde(default)]
    shipping: i64,
    /// Minor units off the whole.
    #[serde(default)]
    discount: i64,
    /// Whether the customer is told of what happens.
    #[serde(default = "crate::body::yes")]
    notify: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CustomerBody {
    /// Their id in the source.
    external_id: Option<ExternalId>,
    /// Their e-mail.
    email: Option<Email>,
    /// Their name.
    name: Option<Label>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LineBody {
    /// The product.
    sku: Sku,
    /// Units.
    quantity: Quantity,
    /// Minor units for one; the catalogue's price, where it is not told.
    unit_price: Option<i64>,
}

/// `POST /api/orders`
pub(crate) async fn place(
    State(web): State<Web>,
    By(caller): By,
    key: Key,
    ExactJson { value: body, bytes }: ExactJson<PlaceBody, LIMIT>,
) -> Result<Response, ApiError> {
    let keyed = key.of(&caller.actor, "POST /api/orders", &bytes);
    let lines = body.lines.into_iter().map(|line| NewOrderLine {
        sku: line.sku,
        quantity: line.quantity,
        unit_price: line.unit_price,
    });
    let order = NewOrder {
        source: body.source,
        external_id: body.external_id,
        customer: NewCustomer {
            external_id: body.customer.external_id,
            email: body.customer.email,
            name: body.customer.name.map(String::from),
        },
        currency: body.currency.unwrap_or_else(|| web.app.currency()),
        placed_at: body.placed_at,
        lines: lines.collect(),
        shipping: body.shipping,
        discount: body.discount,
        notify: body.notify,
    };
    let Answer { result, replayed } = cases::place_once(&web.app, &caller.actor, order, keyed).await?;
    let status = if result.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let version = result.order["version"].as_i64().unwrap_or_default();
    Ok(marked(replayed, tagged(version, status, &result.order)))
}

/// Says what placing an order answers.
pub(crate) fn placed(operation: &mut Operation<'_>) {
    operation
        .says("The same order sent twice, by its source and id, is one order. Workers then reserve its stock and take its payment.")
        .answers::<OrderView>(StatusCode::CREATED, "The order as it was placed.")
        .answers::<OrderView>(StatusCode::OK, "The order was there already, or the request came before.")
        .carries("etag", true, TAG)
        .refuses(&[kinds::EXISTS, kinds::DISK_FULL]);
}
