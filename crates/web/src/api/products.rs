//! Products and their stock.

use app::idempotency::Answer;
use app::stock::{self as cases, Receipt};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use domain::{Label, Money, Sku};
use serde::Deserialize;
use sql::Tx;
use store::products::Product;

use crate::ApiError;
use crate::access::By;
use crate::address::Path;
use crate::body::{RawJson, parse};
use crate::idempotent::{keyed, marked};
use crate::query::{Page, Paging, Query};
use crate::server::Web;

/// The most that a body may have.
const LIMIT: usize = 64 * 1024;

/// `GET /api/products`: by SKU.
pub(crate) async fn list(
    State(web): State<Web>,
    Query(Paging { limit, cursor }): Query<Paging>,
) -> Result<Json<Page<Product>>, ApiError> {
    let after = cursor.map(|cursor| cursor.0).unwrap_or_default();
    let read = move |tx: &mut Tx<'_>| -> app::Result<_> {
        Ok(store::products::list_from(tx, &after, limit.and_one())?)
    };
    let found = web.app.read("list_products", read).await?;
    Ok(Json(Page::of(found, limit, |product| product.sku.clone())))
}

/// `GET /api/products/{sku}`
pub(crate) async fn show(State(web): State<Web>, Path(sku): Path<Sku>) -> Result<Json<Product>, ApiError> {
    let read =
        move |tx: &mut Tx<'_>| -> app::Result<_> { Ok(store::products::get_by_sku(tx, sku.as_str())?) };
    Ok(Json(web.app.read("get_product", read).await?))
}

/// Goods that arrive, or a count that is put right.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub(crate) enum StockBody {
    /// Units arrive; a product that is not there is made.
    Receive { quantity: i64, name: Option<Label>, price: Option<Money>, note: Option<Label> },
    /// The count changes by so many units.
    Adjust { change: i64, note: Label },
}

/// `POST /api/products/{sku}/stock`
pub(crate) async fn stock(
    State(web): State<Web>,
    By(caller): By,
    Path(sku): Path<Sku>,
    headers: HeaderMap,
    RawJson(bytes): RawJson<LIMIT>,
) -> Result<Response, ApiError> {
    let address = format!("POST /api/products/{sku}/stock");
    let keyed = keyed(&headers, &caller.actor, &address, &bytes)?;
    let Answer { result, replayed } = match parse(&bytes)? {
        StockBody::Receive { quantity, name, price, note } => {
            let price = price.map(|price| (price.amount, price.currency));
            let receipt = Receipt { sku, name, price, quantity, note: note.map(String::from) };
            let received = cases::receive_once(&web.app, &caller.actor, vec![receipt], keyed).await?;
            Answer { result: received.result.into_iter().next(), replayed: received.replayed }
        }
        StockBody::Adjust { change, note } => {
            let adjusted =
                cases::adjust_once(&web.app, &caller.actor, sku, change, String::from(note), keyed).await?;
            Answer { result: Some(adjusted.result), replayed: adjusted.replayed }
        }
    };
    Ok(marked(replayed, Json(result).into_response()))
}
